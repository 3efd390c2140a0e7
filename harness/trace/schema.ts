import { z } from 'zod';
import type { State } from '../abi/state.js';
import type { CaseTrace, RunSummary } from './trace.js';
import { TRACE_VERSION } from './trace.js';

/**
 * The format of trace.json and run.json, described for whoever reads them with other tools, and checked when a saved
 * run is loaded. The same as the types of trace.ts, which the compiler compares. Unknown keys are allowed: a newer
 * cxlrig may add some without another version.
 */

const milliseconds = z.number().meta({ description: 'milliseconds' });
const time = z.number().meta({ description: 'milliseconds since the Unix epoch, by the clock of the host' });

const position = z
  .looseObject({ file: z.string(), line: z.int(), column: z.int() })
  .meta({ id: 'position', description: 'a place in a scenario; line and column count from 1' });

const stateChange = z
  .looseObject({
    path: z.string().meta({ description: 'where, for people: regions.region0.driver' }),
    keys: z.array(z.string()).meta({
      description:
        'where, exactly. Setting `after` there, or removing the key when `after` is absent, leads from the earlier state to the later one; objects that are missing on the way appear, arrays are replaced as a whole',
    }),
    before: z.unknown().exactOptional(),
    after: z.unknown().exactOptional(),
  })
  .meta({ id: 'stateChange', description: 'one difference between two states' });

const splat = z
  .looseObject({
    kind: z.string(),
    title: z.string().meta({ description: 'one line, the same in every run of the same fault' }),
    fingerprint: z.string(),
    text: z.string(),
    allowed: z.boolean().meta({ description: 'the scenario says that it is no failure' }),
  })
  .meta({
    id: 'splat',
    description: 'a complaint of the kernel: WARN, BUG, Oops, KASAN, lockdep, hung task, ...',
  });

const failure = z
  .looseObject({
    message: z.string(),
    position,
    expected: z.unknown().exactOptional(),
    received: z.unknown().exactOptional(),
    subject: z.string().exactOptional().meta({ description: 'the sysfs path or the state path in question' }),
    step: z.string().exactOptional().meta({ description: 'id of the step that failed' }),
    blame: z.enum(['kernel', 'tool', 'scenario', 'emulator', 'rig']).meta({
      description:
        'the kernel did something else, or a tool refused by itself; with the others nothing was learnt of either',
    }),
  })
  .meta({ id: 'failure' });

const typedLine = z
  .looseObject({
    text: z.string().meta({ description: 'POSIX sh; for QMP the command as JSON' }),
    channel: z.enum(['sh', 'qmp']),
    at: time,
    milliseconds,
    stdout: z.string().exactOptional(),
    stderr: z.string().exactOptional(),
    code: z
      .number()
      .nullable()
      .exactOptional()
      .meta({ description: 'exit status; null: killed by a signal; absent: no answer came' }),
    errno: z.string().exactOptional().meta({ description: 'by name, when the kernel refused' }),
  })
  .meta({ id: 'typedLine', description: 'a line typed in the guest, exactly, and what came of it' });

const qmpMessage = z
  .looseObject({ at: time, direction: z.enum(['command', 'return', 'error', 'event']), message: z.unknown() })
  .meta({ id: 'qmpMessage', description: 'a message that QEMU was sent or sent' });

const step = z
  .looseObject({
    id: z.string().meta({
      description:
        'place in the case: 3, or 3.1.2 within a parallel or repeat, or cleanup.1; inner steps follow theirs',
    }),
    title: z.string(),
    kind: z.string().meta({ description: 'the key of the step in YAML' }),
    position,
    startedAt: time,
    milliseconds,
    outcome: z.enum(['pass', 'fail', 'skipped']),
    lines: z.array(typedLine),
    changes: z
      .array(stateChange)
      .meta({ description: 'what the step changed; of an outer step: all inner ones together' }),
    log: z.string().meta({ description: 'kernel log of the step' }),
    splats: z.array(splat),
    qmp: z.array(qmpMessage),
    failure: failure.exactOptional(),
    subtests: z
      .array(
        z.looseObject({
          name: z.string(),
          verdict: z.enum(['pass', 'fail', 'skip']),
          reason: z.string().exactOptional(),
        }),
      )
      .exactOptional()
      .meta({ description: 'of a step that ran a test suite: what it said of each of its tests' }),
    calls: z.string().exactOptional().meta({
      description: 'functions of the kernel that its writes called, of a run for evidence',
    }),
    document: z
      .unknown()
      .exactOptional()
      .meta({ description: 'the step as it was carried out, in the scenario language, its values put in' }),
  })
  .meta({ id: 'step' });

const machine = z
  .looseObject({
    name: z.string(),
    id: z.string().meta({ description: 'equal ids: interchangeable machines' }),
    qemuArgs: z.array(z.string()),
    memoryBytes: z.number(),
    cpus: z.number(),
    hostBridges: z.array(z.looseObject({ id: z.string(), uid: z.number() })),
    switches: z.array(z.looseObject({ id: z.string(), port: z.string() })),
    ports: z.array(
      z.looseObject({
        id: z.string(),
        hostBridge: z.string(),
        switch: z.string().exactOptional(),
        slot: z.number(),
      }),
    ),
    devices: z.array(
      z.looseObject({
        id: z.string(),
        serial: z.number(),
        volatileBytes: z.number(),
        persistentBytes: z.number(),
        labelBytes: z.number(),
        dynamic: z.looseObject({ bytes: z.number(), regions: z.number() }).exactOptional(),
        port: z.string(),
        hostBridge: z.string(),
      }),
    ),
    windows: z.array(
      z.looseObject({
        id: z.string(),
        index: z.number().meta({ description: 'decoder0.<index> in the guest' }),
        sizeBytes: z.number(),
        granularity: z.number(),
        targets: z.array(z.string()).meta({ description: 'host bridges in interleave order' }),
      }),
    ),
    freePorts: z.array(z.string()),
  })
  .meta({ id: 'machine', description: 'the machine that the case ran on' });

const state = z
  .custom<State>((value) => typeof value === 'object' && value !== null)
  .meta({
    id: 'state',
    type: 'object',
    description:
      'CXL, DAX and memory hotplug side of a guest as a plain value: memdevs, ports, decoders, regions, daxDevices, extents, memoryBlocks, nodes, iomem, namespaces, bindings, drivers, modules; attributes by the kernel’s names, sizes and addresses in bytes',
  });

const attempt = z
  .looseObject({
    verdict: z.enum(['pass', 'fail', 'skip', 'known-bug', 'fixed', 'infra']),
    reason: z.string().exactOptional(),
    casesBefore: z.number().meta({ description: 'cases that its guest had served before; 0: a fresh one' }),
    milliseconds,
    artifacts: z.string(),
  })
  .meta({ id: 'attempt', description: 'one of several attempts at a case' });

export const caseTraceSchema = z
  .looseObject({
    version: z.literal(TRACE_VERSION),
    case: z.looseObject({
      id: z.string().meta({ description: 'unique in the run' }),
      scenario: z.string(),
      title: z.string().exactOptional().meta({ description: 'what the scenario says' }),
      description: z.string(),
      references: z.array(z.string()),
      position,
      values: z.record(z.string(), z.unknown()).meta({ description: 'matrix and case-row values' }),
      topology: z.string(),
      kernel: z.string().meta({ description: 'name of the kernel profile' }),
    }),
    verdict: z.enum(['pass', 'fail', 'skip', 'known-bug', 'fixed', 'infra']),
    reason: z.string().exactOptional().meta({ description: 'why, for every verdict but pass' }),
    isRace: z.literal(true).exactOptional().meta({ description: 'a known bug that shows now and then' }),
    failure: failure.exactOptional().meta({ description: 'the failure that the reason tells' }),
    besides: z.array(failure).exactOptional().meta({ description: 'what failed besides' }),
    startedAt: time,
    milliseconds,
    guest: z
      .looseObject({
        reused: z.boolean(),
        boot: z
          .enum(['cold', 'resumed'])
          .exactOptional()
          .meta({ description: 'how the guest came up: booted, or resumed from a template' }),
        bootReason: z.string().exactOptional().meta({ description: 'why it was not resumed' }),
        fellBack: z
          .boolean()
          .exactOptional()
          .meta({ description: 'it was to be resumed and had to be booted' }),
        stalls: z
          .array(z.string())
          .exactOptional()
          .meta({ description: 'it stood still so often, each time where this says, and was started again' }),
        bootMilliseconds: z.number(),
        accelerator: z.string(),
        kernelRelease: z.string(),
        kernelId: z.string(),
        casesBefore: z.number().meta({ description: 'how many cases this guest had served before' }),
      })
      .exactOptional(),
    machine,
    initialState: state
      .exactOptional()
      .meta({ description: "before the first step; the steps' changes lead from it to every later state" }),
    steps: z.array(step),
    leftovers: z
      .array(stateChange)
      .meta({ description: 'what differs from the state before the first step, when it must not' }),
    splats: z.array(splat),
    artifacts: z.string().meta({ description: "folder of the case's files, relative to the run's" }),
    attempts: z.array(attempt).exactOptional().meta({
      description: 'all attempts, oldest first, when it took several; the trace is of one that failed',
    }),
    evidence: z
      .looseObject({
        verdict: z.enum(['pass', 'fail', 'skip', 'known-bug', 'fixed', 'infra']),
        reason: z.string().exactOptional(),
        artifacts: z.string(),
        steps: z.array(
          z.looseObject({
            id: z.string(),
            log: z.string().meta({ description: 'kernel log with debug messages' }),
            calls: z.string().exactOptional(),
          }),
        ),
      })
      .exactOptional()
      .meta({ description: 'what a further run of the failed case showed; it changes no verdict' }),
  })
  .meta({
    title: 'trace.json of cxlrig',
    description: 'one case: everything that was done and seen',
  }) satisfies z.ZodType<CaseTrace>;

export const runSummarySchema = z
  .looseObject({
    version: z.literal(TRACE_VERSION),
    startedAt: time,
    milliseconds,
    command: z.array(z.string()),
    environment: z.looseObject({
      cxlrig: z.string(),
      node: z.string(),
      qemu: z.string(),
      accelerator: z.string(),
      acceleratorReason: z.string(),
      host: z.looseObject({
        kernel: z.string(),
        cpus: z.number(),
        memoryBytes: z.number(),
        distribution: z.string(),
      }),
      kernels: z.array(
        z.looseObject({
          profile: z.string(),
          release: z.string(),
          id: z.string(),
          origin: z.string(),
          source: z.string().exactOptional(),
          series: z.looseObject({ hash: z.string(), patches: z.array(z.string()) }).exactOptional(),
          configHash: z.string().exactOptional(),
          tools: z
            .looseObject({
              profile: z.string(),
              id: z.string(),
              origin: z.string(),
              source: z.string().exactOptional(),
              series: z.looseObject({ hash: z.string(), patches: z.array(z.string()) }).exactOptional(),
            })
            .exactOptional()
            .meta({ description: 'which cxl, daxctl and ndctl its guests had' }),
        }),
      ),
    }),
    guests: z
      .looseObject({
        resumed: z.number(),
        booted: z.number(),
        fellBack: z.number().meta({ description: 'of those booted: to be resumed, which failed' }),
        stalls: z
          .number()
          .exactOptional()
          .meta({ description: 'starts that stood still and were begun again' }),
      })
      .exactOptional()
      .meta({ description: 'how the guests came up' }),
    counts: z.looseObject({
      pass: z.number(),
      fail: z.number(),
      skip: z.number(),
      'known-bug': z.number(),
      fixed: z.number(),
      infra: z.number(),
    }),
    exitCode: z.number(),
  })
  .meta({ title: 'run.json of cxlrig' }) satisfies z.ZodType<RunSummary>;

/** JSON Schema of trace.json or run.json. */
export function traceJsonSchema(of: 'trace' | 'run' = 'trace'): Record<string, unknown> {
  return z.toJSONSchema(of === 'trace' ? caseTraceSchema : runSummarySchema, {
    target: 'draft-7',
    unrepresentable: 'any',
  });
}
