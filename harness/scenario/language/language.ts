import { z } from 'zod';
import { expectBody } from './expectations.js';
import {
  captureName,
  deviceName,
  driverName,
  duration,
  errno,
  guestPath,
  kernelOption,
  moduleName,
  pattern,
  reference,
  scalar,
  versionRange,
} from './scalars.js';
import { ownTopology } from '../../topology/language.js';
import { simpleSteps, type SimpleStepKind } from '../kinds/index.js';

/**
 * The scenario language, version 1: what a YAML scenario may say. The JSON Schema, the TypeScript types and the
 * validation all come from these definitions.
 *
 * Values may hold `${name}`: variables and matrix values are put in before validation, captures (made by steps: a
 * region, a dax device) while the case runs.
 */

export { expectBody };

/** Beyond it a scenario is a mistake: a case has minutes, and a turn takes milliseconds at least. */
export const MOST_TURNS = 10_000;
const MOST_BRANCHES = 64;

// ---------------------------------------------------------------- steps

export interface StepCommon {
  name?: string | undefined;
  fails?: string | string[] | null | undefined;
  'may-fail'?: string | string[] | undefined;
  timeout?: string | undefined;
  when?: Record<string, unknown> | undefined;
  'allow-splats'?: string[] | undefined;
  loop?: Loop | undefined;
  use?: string | undefined;
  with?: Record<string, unknown> | undefined;
}

/** How the branches of a `parallel` step are begun over and over. */
export interface Loop {
  times?: number | string | undefined;
  for?: string | undefined;
  jitter?: string | undefined;
  seed?: number | string | undefined;
}

type SimpleSchemas = { readonly [K in SimpleStepKind]: (typeof simpleSteps)[K]['schema'] };

type StepBodies = { [K in SimpleStepKind]: z.output<SimpleSchemas[K]> } & {
  parallel: StepDocument[][];
  repeat: { times: number | string; as?: string | undefined; steps: StepDocument[] };
};

export type StepKind = keyof StepBodies;
export type StepBody<K extends StepKind> = StepBodies[K];
export type StepDocument = StepCommon & { [K in StepKind]?: StepBodies[K] | undefined };

/** One entry a step kind: the key that names the step in YAML, and what it takes. */
export const stepKinds: { readonly [K in StepKind]: z.ZodType<StepBodies[K]> } = {
  ...(Object.fromEntries(
    Object.entries(simpleSteps).map(([kind, { schema }]) => [kind, schema]),
  ) as SimpleSchemas),
  parallel: z
    .lazy(() => z.array(z.array(step).min(1)).min(2).max(MOST_BRANCHES))
    .meta({
      description: 'lists of steps that run at the same time',
      examples: [
        [
          [{ write: { path: '/sys/bus/cxl/devices/decoder0.0/delete_region', value: '${r}' } }],
          [{ write: { path: '/sys/bus/cxl/devices/decoder0.0/delete_region', value: '${r}' } }],
        ],
      ],
    }),
  repeat: z
    .lazy(() =>
      z.strictObject({
        times: z.union([z.number().int().positive().max(MOST_TURNS), reference]),
        as: captureName.optional().meta({ description: 'captures the number of the turn, from 0' }),
        steps: z.array(step).min(1),
      }),
    )
    .meta({
      description: 'the same steps several times',
      examples: [{ times: 20, as: 'turn', steps: [{ exec: { sh: 'echo ${turn}' } }] }],
    }),
};

const loop = z
  .strictObject({
    times: z.union([z.number().int().positive().max(MOST_TURNS), reference]).optional(),
    for: duration.optional().meta({ description: 'no turn begins after this time' }),
    jitter: duration.optional().meta({
      description: 'in each turn every branch begins within this time, at a moment drawn by the seed',
    }),
    seed: z
      .union([
        z
          .number()
          .int()
          .nonnegative()
          .max(2 ** 32 - 1),
        reference,
      ])
      .optional()
      .meta({
        description: 'draws the same moments again; another in each run when absent, told in the step',
      }),
  })
  .refine(({ times, for: time }) => times !== undefined || time !== undefined, {
    message: 'needs `times`, `for` or both',
  })
  .refine(({ jitter, seed }) => seed === undefined || jitter !== undefined, {
    message: '`seed` draws nothing without `jitter`',
  });

const whenShape = z.record(z.string(), z.union([scalar, z.array(scalar)])).optional();

const stepCommon = {
  name: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'what the step is for; printed instead of what it does' }),
  fails: z
    .union([errno, z.array(errno).min(1), z.null()])
    .optional()
    .meta({ description: 'the step must fail with this errno (or one of these); null: it must succeed' }),
  'may-fail': z
    .union([errno, z.array(errno).min(1)])
    .optional()
    .meta({
      description: 'the step succeeds or fails with this errno (or one of these): who comes first is open',
    }),
  timeout: duration.optional(),
  when: whenShape.meta({ description: 'only in cases whose matrix value is this, or is in this list' }),
  'allow-splats': z
    .array(pattern)
    .optional()
    .meta({ description: 'regular expressions on splat titles that are no failure in this step' }),
  loop: loop.optional().meta({
    description:
      'the branches begin again, all at once, when the last of them has ended; the first that fails ends it',
  }),
  use: z.string().optional().meta({
    description:
      'instead of a kind: the steps of the list of this name, which the `folder.yaml` beside the scenario has under `steps`',
  }),
  with: z
    .record(z.string(), z.unknown())
    .optional()
    .meta({ description: 'beside `use`: values that the list takes' }),
} as const;

const stepShape = z.strictObject({
  ...stepCommon,
  ...(Object.fromEntries(
    Object.entries(stepKinds).map(([kind, schema]) => [kind, schema.optional()]),
  ) as unknown as {
    [K in StepKind]: z.ZodOptional<(typeof stepKinds)[K]>;
  }),
});

/** A step: exactly one of the step kinds, with the common keys beside it. */
export const step: z.ZodType<StepDocument> = stepShape
  .superRefine((value, context) => {
    const [kind, another] = Object.keys(value).filter(isStepKind);
    if (value.with !== undefined) {
      context.addIssue({
        code: 'custom',
        path: ['with'],
        message: '`with` gives a list its values: it needs `use`',
      });
    }
    if (kind === undefined) {
      context.addIssue({
        code: 'custom',
        message: `a step needs one of: ${Object.keys(stepKinds).join(', ')}`,
      });
    } else if (another !== undefined) {
      context.addIssue({
        code: 'custom',
        path: [another],
        message: `a step does one thing, this one has ${kind} and ${another}: make them separate steps`,
      });
    }
    if (value.fails != null && value['may-fail'] !== undefined) {
      context.addIssue({
        code: 'custom',
        path: ['may-fail'],
        message: 'a step that must fail has no choice: either `fails` or `may-fail`',
      });
    }
  })
  .meta({ id: 'step', description: 'one thing to do or to expect' });

export function isStepKind(key: string): key is StepKind {
  return Object.hasOwn(stepKinds, key);
}

/** The kind of a valid step. */
export function kindOf(document: StepDocument): StepKind {
  const kind = Object.keys(document).find(isStepKind);
  if (kind === undefined) throw new Error('a step without a kind passed validation');
  return kind;
}

// ---------------------------------------------------------------- the document

const toolWord = z.string().regex(/^[a-z][a-z0-9-]*$/, 'not a word of a command line: create-region');

export const requirement = z
  .strictObject({
    kernel: versionRange
      .optional()
      .meta({ description: 'version range of the kernel release: ">=7.3", "<7.0"' }),
    qemu: versionRange.optional().meta({ description: 'version range of QEMU' }),
    driver: z
      .strictObject({ bus: deviceName, name: driverName })
      .optional()
      .meta({ description: 'the bus has this driver' }),
    module: moduleName.optional().meta({ description: 'the kernel has this module, built in or not' }),
    attribute: guestPath.optional().meta({ description: 'a path (glob) that exists in the booted guest' }),
    tool: z
      .strictObject({
        name: z.enum(['cxl', 'daxctl', 'ndctl']),
        command: toolWord.meta({ description: 'create-region' }),
        option: toolWord.optional().meta({ description: 'an option of it, without dashes: driver' }),
      })
      .optional()
      .meta({ description: "the guest's tool has this command, and the command this option" }),
    config: z
      .string()
      .regex(/^CONFIG_\w+(=("[^"]*"|[\w-]+))?$/, 'not a line of a kernel configuration: CONFIG_CXL_REGION=y')
      .optional()
      .meta({ description: "a line of the kernel's .config: CONFIG_CXL_REGION=y" }),
    reason: z.string().optional().meta({ description: 'printed when the requirement is not met' }),
  })
  .refine((value) => Object.keys(value).some((key) => key !== 'reason'), {
    message: 'requires nothing: name a kernel, qemu, driver, module, attribute, tool or config',
  });

const knownBug = z.strictObject({
  kernel: versionRange
    .optional()
    .meta({ description: 'version range in which it fails; every kernel when absent' }),
  profile: z.string().optional().meta({ description: 'only with this kernel profile' }),
  when: whenShape.meta({ description: 'only in cases whose matrix value is this, or is in this list' }),
  sometimes: z.boolean().optional().meta({
    description: 'it is a race that the kernel wins now and then: a pass tells nothing, and is a pass',
  }),
  because: z.string().min(1).meta({ description: 'the commit that fixes it, or the report' }),
});

/** Names that `${}` finds: the columns of the matrix and of the case table, and the variables. */
const columnName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'not a name: letters, digits, - and _, a letter first');

/** What gives a scenario its cases; validated first, because everything else is validated with a case's values. */
export const caseTable = z.object({
  vars: z
    .record(columnName, scalar)
    .optional()
    .meta({ description: 'named values: `${name}` stands for them anywhere below' }),
  matrix: z
    .record(columnName, z.array(scalar).min(1))
    .optional()
    .meta({ description: 'one case for every combination of the values' }),
  cases: z
    .array(z.record(columnName, z.union([scalar, z.array(scalar)])))
    .min(1)
    .optional()
    .meta({
      description: 'rows of a table: one case each, combined with the matrix; a column `name` names the rows',
    }),
});

export const scenarioDocument = z.strictObject({
  cxlrig: z.literal(1).meta({ description: 'version of the scenario language' }),
  name: z.string().min(1),
  description: z.string().min(1).meta({ description: 'why it must be so' }),
  reference: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .meta({ description: 'commits, documents, reports that say so' }),
  topology: z.union([z.string().min(1), ownTopology]).meta({
    description:
      'name of a topology, path of one relative to this file (./mine.yaml), or the machine itself: a map with the keys of [TOPOLOGY.md](TOPOLOGY.md) but `cxlrig` and `description`',
  }),
  boot: z.enum(['any', 'fresh', 'cold']).default('any').meta({
    description:
      'fresh: a guest of its own; cold: one that was booted for this case, not resumed from a template',
  }),
  kernel: z
    .strictObject({ cmdline: z.array(kernelOption).optional() })
    .optional()
    .meta({ description: 'additions to the kernel command line, one option an entry' }),
  requires: z.array(requirement).optional().meta({
    description:
      'a case whose kernel or QEMU lacks one of these is skipped with the reason; what all scenarios of a folder require may stand in a `folder.yaml` beside them, as may lists of steps',
  }),
  'known-bugs': z
    .array(knownBug)
    .optional()
    .meta({ description: 'where the case is known to fail: a failure is then `known-bug`, a pass `fixed`' }),
  ...caseTable.shape,
  'allow-splats': z
    .array(pattern)
    .optional()
    .meta({ description: 'regular expressions on splat titles that are no failure in this scenario' }),
  timeout: duration.optional().meta({
    description:
      'of one case; 120s when absent; twice that on a kernel with lockdep, five times on one with KASAN, as for steps',
  }),
  steps: z.array(step).min(1),
  cleanup: z.array(step).optional().meta({ description: 'runs whatever happened, before the trace check' }),
  'leaves-no-trace': z
    .boolean()
    .default(true)
    .meta({ description: 'after the cleanup the state equals the one before the first step' }),
});

export type ScenarioDocument = z.output<typeof scenarioDocument>;
export type Requirement = z.output<typeof requirement>;
export type KnownBug = z.output<typeof knownBug>;
