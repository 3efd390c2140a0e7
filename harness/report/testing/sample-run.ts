import { diffStates } from '../../abi/diff.js';
import type { State } from '../../abi/state.js';
import { loadTopology, type MachinePlan } from '../../topology/index.js';
import {
  TRACE_VERSION,
  type CaseTrace,
  type RunSummary,
  type StepTrace,
  type Verdict,
} from '../../trace/trace.js';
import { countVerdicts } from '../results.js';

/** A run made up for tests of what traces can hold but guests seldom give: many cases, two kernels, hostile text. */

const STARTED = Date.UTC(2026, 10, 22, 18, 20, 5);
const MIB = 2 ** 20;
const BLOCK = 128 * MIB;
const WINDOW = 0x4_9000_0000;

export async function sampleRun(): Promise<{ summary: RunSummary; traces: CaseTrace[] }> {
  const bridges = await loadTopology('two-bridges');
  const one = await loadTopology('one-volatile');
  const traces = [
    passing('current/interleave [at=two-bridges] @stock', 'stock', bridges),
    failing('current/dax-state [from=unplugged, to=online] @stock', 'stock', one),
    panicking('current/hot-remove [policy=online_movable] @stock', 'stock', one),
    skipped('current/dax-state-offline @debian-stable', 'debian-stable', one),
    knownBug('current/kmem-unbind-online @stock', 'stock', one),
    infra('current/pmem-namespace @stock', 'stock', one),
    passing('current/interleave [at=two-bridges] @debian-stable', 'debian-stable', bridges),
    passing('current/dax-state [from=unplugged, to=online] @debian-stable', 'debian-stable', one),
  ];
  return { summary: summaryOf(traces), traces };
}

/** So many cases, made from the sample's own. */
export async function largeRun(count: number): Promise<{ summary: RunSummary; traces: CaseTrace[] }> {
  const { traces: few } = await sampleRun();
  const traces = Array.from({ length: count }, (_, n): CaseTrace => {
    const trace = few[n % few.length] as CaseTrace;
    const id = `many/case-${n} [n=${n}]`;
    return { ...trace, case: { ...trace.case, id }, milliseconds: trace.milliseconds + n };
  });
  return { summary: summaryOf(traces), traces };
}

/** A case all of whose texts try to be markup. */
export async function hostileRun(): Promise<{ summary: RunSummary; traces: CaseTrace[] }> {
  const nasty = `</script><script>document.title='owned'</script><img src=x onerror="document.title='owned'"><!--`;
  const { traces } = await sampleRun();
  const trace = traces[1] as CaseTrace;
  const position = { file: nasty, line: 1, column: 1 };
  const hostile: CaseTrace = {
    ...trace,
    case: {
      ...trace.case,
      id: nasty,
      scenario: nasty,
      title: nasty,
      description: nasty,
      references: [nasty, 'javascript:document.title="owned"'],
      position,
      values: { [nasty]: nasty },
      kernel: nasty,
      topology: nasty,
    },
    reason: nasty,
    steps: trace.steps.map((step) => ({
      ...step,
      title: nasty,
      log: nasty,
      position,
      lines: step.lines.map((line) => ({ ...line, text: nasty, stdout: nasty, stderr: nasty })),
      ...(step.failure && { failure: { ...step.failure, message: nasty, subject: nasty, expected: nasty } }),
      splats: [{ kind: nasty, title: nasty, fingerprint: nasty, text: nasty, allowed: false }],
    })),
    artifacts: `cases/${nasty.replaceAll('/', '-')}`,
  };
  return { summary: summaryOf([hostile]), traces: [hostile] };
}

function summaryOf(traces: readonly CaseTrace[]): RunSummary {
  return {
    version: TRACE_VERSION,
    startedAt: STARTED,
    milliseconds: 92_400,
    command: ['run', 'current', '--kernel', 'stock', '--kernel', 'debian-stable'],
    environment: {
      cxlrig: '0.1.0',
      node: 'v20.19.2',
      qemu: '10.0.2',
      accelerator: 'tcg',
      acceleratorReason: 'KVM executes no code from CXL windows',
      host: { kernel: '6.12.9', cpus: 2, memoryBytes: 16 * 2 ** 30, distribution: 'Debian GNU/Linux 13' },
      kernels: [
        {
          profile: 'stock',
          release: '7.3.4+deb13-cloud-amd64',
          id: '5f1c0a77d1e2',
          origin: 'linux-image-cloud-amd64 7.3.4-1~bpo13+1',
        },
        {
          profile: 'debian-stable',
          release: '6.12.48+deb13-cloud-amd64',
          id: '81aa20e7c3b9',
          origin: 'linux-image-cloud-amd64 6.12.48-1',
        },
      ],
    },
    counts: countVerdicts(traces),
    exitCode: 1,
  };
}

function passing(id: string, kernel: string, machine: MachinePlan): CaseTrace {
  return makeCase(id, kernel, machine, 'pass', [
    ['create a ram region of mem0', 'create-region', (state) => withRegion(state, machine)],
    ['bind region0 to cxl_region', 'bind', (state) => withMemory(state, 'online', ['Movable'])],
    ['its memory is online and movable', 'expect', (state) => state],
    [
      'take memory block 2 offline',
      'memory-block',
      (state) => withBlock(state, 'offline', ['Normal', 'Movable']),
    ],
    ['unbind dax0.0 from kmem', 'unbind', withoutMemory],
    ['destroy region0', 'destroy-region', (state) => firstState(machine, state.autoOnlineBlocks)],
  ]);
}

function failing(id: string, kernel: string, machine: MachinePlan): CaseTrace {
  const trace = makeCase(id, kernel, machine, 'fail', [
    ['create a ram region of mem0', 'create-region', (state) => withRegion(state, machine)],
    ['bind region0 to cxl_region', 'bind', (state) => withMemory(state, 'online', ['Normal'])],
    ['online from unplugged gives a movable zone', 'expect', (state) => state],
  ]);
  const failure = {
    message: 'memory of region0: zone is Normal, not Movable, after 10 s',
    position: { ...trace.case.position, line: 22, column: 35 },
    expected: 'Movable',
    received: 'Normal',
    subject: 'memoryBlocks.146.zones',
    blame: 'kernel' as const,
  };
  return {
    ...trace,
    reason: failure.message,
    failure,
    steps: trace.steps.map((step, n) => (n === 2 ? { ...step, outcome: 'fail' as const, failure } : step)),
  };
}

const PANIC_LOG = `[   41.113071] cxl_port endpoint2: detached
[   41.120433] BUG: unable to handle page fault for address: ffff8c4d10000000
[   41.120911] #PF: supervisor read access in kernel mode
[   41.121304] Oops: Oops: 0000 [#1] SMP NOPTI
[   41.121622] CPU: 0 UID: 0 PID: 211 Comm: sh Not tainted 7.3.4+deb13-cloud-amd64 #1
[   41.122090] RIP: 0010:dev_dax_kmem_remove+0x4c/0x120 [kmem]
[   41.122513] Call Trace:
[   41.122690]  <TASK>
[   41.122851]  dax_bus_remove+0x1e/0x40
[   41.123122]  device_release_driver_internal+0x19c/0x200
[   41.123498]  </TASK>
[   41.124004] Kernel panic - not syncing: Fatal exception
`;

function panicking(id: string, kernel: string, machine: MachinePlan): CaseTrace {
  const trace = makeCase(id, kernel, machine, 'fail', [
    ['create a ram region of mem0', 'create-region', (state) => withRegion(state, machine)],
    ['bind region0 to cxl_region', 'bind', (state) => withMemory(state, 'online', ['Movable'])],
    ["turn off the power of mem0's slot", 'hot-remove', (state) => state],
  ]);
  const splat = {
    kind: 'Oops',
    title: 'unable to handle page fault in dev_dax_kmem_remove',
    fingerprint: 'oops:dev_dax_kmem_remove/dax_bus_remove/device_release_driver_internal',
    text: PANIC_LOG,
    allowed: false,
  };
  return {
    ...trace,
    reason: 'the kernel panicked: Oops, unable to handle page fault in dev_dax_kmem_remove',
    splats: [splat],
    steps: trace.steps.map((step, n) =>
      n === 2
        ? {
            ...step,
            outcome: 'fail' as const,
            log: PANIC_LOG,
            splats: [splat],
            qmp: [
              {
                at: step.startedAt + 61,
                direction: 'event' as const,
                message: { event: 'GUEST_PANICKED', data: { action: 'pause' } },
              },
            ],
          }
        : step,
    ),
  };
}

function skipped(id: string, kernel: string, machine: MachinePlan): CaseTrace {
  const trace = makeCase(id, kernel, machine, 'skip', []);
  return { ...trace, reason: 'kernel 6.12.48 is not >=7.3: daxX.Y/state came with 7.3', milliseconds: 3 };
}

function knownBug(id: string, kernel: string, machine: MachinePlan): CaseTrace {
  const trace = failing(id, kernel, machine);
  return { ...trace, verdict: 'known-bug', reason: 'fails as declared: reported in ndctl#256' };
}

function infra(id: string, kernel: string, machine: MachinePlan): CaseTrace {
  const trace = makeCase(id, kernel, machine, 'infra', []);
  delete (trace as { initialState?: State }).initialState;
  delete (trace as { guest?: unknown }).guest;
  return { ...trace, reason: 'QEMU did not start: could not set up host forwarding rule' };
}

type SampleStep = readonly [title: string, kind: string, next: (state: State) => State];

function makeCase(
  id: string,
  kernel: string,
  machine: MachinePlan,
  verdict: Verdict,
  steps: readonly SampleStep[],
): CaseTrace {
  const position = { file: 'scenarios/current/interleave.yaml', line: 12, column: 5 };
  const initialState = firstState(machine, 'online_movable');
  let state = initialState;
  let at = STARTED + 6_000;
  const traced = steps.map(([title, kind, next], index): StepTrace => {
    const before = state;
    state = next(state);
    const milliseconds = 40 + ((index * 137) % 900);
    const startedAt = at;
    at += milliseconds + 5;
    const text = `echo region0 > /sys/bus/cxl/devices/decoder0.0/create_ram_region`;
    return {
      id: `${index + 1}`,
      title,
      kind,
      position: { ...position, line: 14 + 3 * index },
      startedAt,
      milliseconds,
      outcome: 'pass',
      lines:
        kind === 'expect'
          ? []
          : [
              {
                text: 'cat /sys/bus/cxl/devices/decoder0.0/create_ram_region',
                channel: 'sh',
                at: startedAt,
                milliseconds: 3,
                stdout: 'region0\n',
                code: 0,
              },
              { text, channel: 'sh', at: startedAt + 4, milliseconds: 7, code: 0 },
            ],
      changes: diffStates(before, state),
      log: kind === 'bind' ? '[   12.400211] kmem dax0.0: mapping0: 0x490000000-0x4afffffff\n' : '',
      splats: [],
      qmp: [],
    };
  });
  return {
    version: TRACE_VERSION,
    case: {
      id,
      scenario: id.replace(/ .*/, ''),
      title: 'Interleaved regions are programmed along the whole path and their memory comes online',
      description:
        'A region of several devices is spread by HPA granules. Every decoder on the way must agree.\n\nWhere the window itself interleaves, the granularity of the region is that of the window.',
      references: ['CXL 3.1 specification, 9.13.1 "Interleaving"'],
      position,
      values: { at: machine.name, ways: machine.devices.length },
      topology: machine.name,
      kernel,
    },
    verdict,
    startedAt: STARTED,
    milliseconds: at - STARTED,
    guest: {
      reused: false,
      bootMilliseconds: 5_240,
      accelerator: 'tcg',
      kernelRelease: kernel === 'stock' ? '7.3.4+deb13-cloud-amd64' : '6.12.48+deb13-cloud-amd64',
      kernelId: kernel,
      casesBefore: 0,
    },
    machine,
    initialState,
    steps: traced,
    leftovers: [],
    splats: [],
    artifacts: `cases/${id.replace(/[^\w=.@-]+/g, '-')}`,
  };
}

// ---------------------------------------------------------------- states

const NO_TARGET = { interleaveWays: 1, interleaveGranularity: 256, targetList: [] };

function firstState(machine: MachinePlan, autoOnlineBlocks: string): State {
  const memdevs = machine.devices.map(({ serial, volatileBytes, persistentBytes }, n) => [
    `mem${n}`,
    { serial, ramBytes: volatileBytes, pmemBytes: persistentBytes, endpoint: `endpoint${n + 2}` },
  ]);
  const decoders = machine.devices.map((_, n) => [
    `decoder${n + 2}.0`,
    {
      kind: 'endpoint',
      port: `endpoint${n + 2}`,
      start: 0,
      size: 0,
      ...NO_TARGET,
      memdev: `mem${n}`,
      mode: 'none',
      dpaSize: 0,
    },
  ]);
  const blocks = Array.from({ length: machine.memoryBytes / BLOCK }, (_, n) => [
    n,
    {
      state: 'online',
      zones: [n === 0 ? 'DMA' : n < 4 ? 'DMA32' : 'Normal'],
      node: 0,
      physAddress: n * BLOCK,
    },
  ]);
  return {
    memdevs: Object.fromEntries(memdevs) as State['memdevs'],
    ports: {},
    decoders: Object.fromEntries(decoders) as State['decoders'],
    regions: {},
    daxDevices: {},
    deviceNodes: [],
    memoryBlocks: Object.fromEntries(blocks) as State['memoryBlocks'],
    memoryBlockBytes: BLOCK,
    autoOnlineBlocks,
    nodes: { 0: { online: true, hasMemory: true, hasCpu: true, memoryBytes: machine.memoryBytes } },
    iomem: {},
    ndRegions: {},
    namespaces: {},
    bindings: { cxl: {}, dax: {}, nd: {} },
    drivers: { cxl: ['cxl_mem', 'cxl_port', 'cxl_region'], dax: ['device_dax', 'kmem'], nd: [] },
    modules: ['kmem'],
    deniedModules: [],
  };
}

function withRegion(state: State, machine: MachinePlan): State {
  const size = machine.devices.reduce((sum, { volatileBytes }) => sum + volatileBytes, 0);
  return {
    ...state,
    regions: {
      region0: {
        rootDecoder: 'decoder0.0',
        mode: 'ram',
        start: WINDOW,
        size,
        interleaveWays: machine.devices.length,
        interleaveGranularity: 256,
        committed: true,
        driver: null,
        targets: machine.devices.map((_, n) => `decoder${n + 2}.0`),
      },
    },
  };
}

function withMemory(state: State, blockState: string, zones: readonly string[]): State {
  const region = state.regions['region0'];
  if (!region) return state;
  const first = WINDOW / BLOCK;
  const blocks = Array.from({ length: region.size / BLOCK }, (_, n) => [
    first + n,
    { state: blockState, zones, node: 1, physAddress: WINDOW + n * BLOCK },
  ]);
  return {
    ...state,
    regions: { region0: { ...region, driver: 'cxl_region' } },
    daxDevices: {
      'dax0.0': { driver: 'kmem', size: region.size, region: 'region0', targetNode: 1 },
    },
    memoryBlocks: { ...state.memoryBlocks, ...Object.fromEntries(blocks) } as State['memoryBlocks'],
    bindings: { ...state.bindings, dax: { 'dax0.0': 'kmem' } },
  };
}

function withBlock(state: State, blockState: string, zones: readonly string[]): State {
  const number = WINDOW / BLOCK + 2;
  const block = state.memoryBlocks[number];
  return block
    ? { ...state, memoryBlocks: { ...state.memoryBlocks, [number]: { ...block, state: blockState, zones } } }
    : state;
}

function withoutMemory(state: State): State {
  const kept = Object.entries(state.memoryBlocks).filter(([, { node }]) => node === 0);
  return {
    ...state,
    daxDevices: Object.fromEntries(
      Object.entries(state.daxDevices).map(([name, device]) => [name, { ...device, driver: null }]),
    ),
    memoryBlocks: Object.fromEntries(kept),
    bindings: { ...state.bindings, dax: { 'dax0.0': null } },
  };
}
