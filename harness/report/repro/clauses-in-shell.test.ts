import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { parseState } from '../../abi/parse-state.js';
import type { State } from '../../abi/state.js';
import type { World } from '../../scenario/clauses/definition.js';
import { clauseOf, clauses, type ClauseKey } from '../../scenario/clauses/index.js';
import { memdevWithSerial } from '../../scenario/steps/select.js';
import type { MachinePlan } from '../../topology/plan.js';
import { expectationLines, NOT_CHECKED } from './expectation.js';
import { PRELUDE } from './prelude.js';

/**
 * A clause is decided twice: on a snapshot while a case runs, and by sh in `repro.sh`. Here both look at the same guest:
 * what its state script printed, and a folder made of that.
 */

const run = promisify(execFile);

const EXTENTS = [
  ['extent0.0', '0x0', '0x8000000', '00000000-0000-0000-0000-000000000000', 'dax0.0'],
  ['extent0.1', '0x10000000', '0x8000000', '11111111-2222-3333-4444-555555555555', ''],
]
  .flatMap(([name = '', ...values]) =>
    ['offset', 'length', 'tag', 'dax'].map(
      (key, at) => `bus/cxl/devices/region0/dax_region0/${name}/${key}:${values[at] ?? ''}`,
    ),
  )
  .join('\n');

const printed = (name: string): string =>
  readFileSync(new URL(`../../abi/fixtures/state-${name}.txt`, import.meta.url), 'utf8');

const GUESTS = {
  'stock 7.3 with a region': printed('7.3-region-online'),
  'stock 7.3 without': printed('7.3-boot'),
  'stock 6.12 with a region': printed('6.12-region-online'),
  'one with extents': `${printed('7.3-region-online')}\n${EXTENTS}\n`,
} as const;

const SERIALS: Readonly<Record<string, number>> = { 'mem-a': 1, 'mem-b': 2, 'mem-c': 3, 'mem-none': 9 };
const MACHINE = {
  devices: Object.entries(SERIALS).map(([id, serial]) => ({ id, serial })),
} as unknown as MachinePlan;

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

/** /sys and /proc as the text tells of them, in a folder. */
async function fakeGuest(text: string): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'cxlrig-guest-'));
  folders.push(root);
  const at = (path: string): string => join(root, path.startsWith('/') ? path : `sys/${path}`);
  const link = async (from: string, to: string): Promise<void> => {
    await mkdir(dirname(from), { recursive: true });
    await mkdir(to, { recursive: true });
    await symlink(to, from).catch(() => undefined);
  };
  const lines = text.split('\n').map((line) => ({
    line,
    words: /^(device|driver|uport|name) (\S+) ?(.*)$/.exec(line)?.slice(1),
  }));
  const real = new Map<string, string>();
  for (const { words: [kind, path = '', value = ''] = [] } of lines) {
    if (kind !== 'device') continue;
    real.set(path.replace('/sys/', ''), value);
    await link(at(path), at(value));
  }
  const files = new Map<string, string>();
  for (const { line, words: [kind, path = '', value = ''] = [] } of lines) {
    const colon = line.indexOf(':');
    if (kind === 'driver') {
      await link(join(at(path), 'driver'), at(`bus/${/bus\/(\w+)/.exec(path)?.[1] ?? ''}/drivers/${value}`));
    } else if (kind === 'uport') {
      const target = real.get(`bus/cxl/devices/${value}`) ?? `/sys/devices/${value}`;
      await link(join(at(path), 'uport'), at(target));
    } else if (kind === 'name') {
      const [, node, block] = /node\/(node\d+)\/(memory\d+)$/.exec(path) ?? [];
      if (node !== undefined && block !== undefined)
        await link(at(`devices/system/memory/${block}/${node}`), at(`devices/system/node/${node}`));
    } else if (kind === undefined && colon > 0) {
      const file = line.slice(0, colon);
      files.set(file, `${files.get(file) ?? ''}${line.slice(colon + 1)}\n`);
    }
  }
  for (const [file, content] of files) {
    await mkdir(dirname(at(file)), { recursive: true });
    await writeFile(at(file), content);
  }
  return root;
}

/** Whether each expectation holds, as sh sees it; undefined: it does not look at all of it. */
async function inShell(root: string, expectations: readonly object[]): Promise<(boolean | undefined)[]> {
  const blocks = expectations.map((one) => expectationLines(one, MACHINE));
  const here = (text: string): string => text.replace(/(^|[^\w.])\/(sys|proc)\//gm, `$1${root}/$2/`);
  const script = [
    here(PRELUDE),
    'sleep() { :; }',
    ...blocks.map((lines) =>
      here(
        `(\n:\n${lines.join('\n').replaceAll(/^within \d+/gm, 'within 0')}\n) >/dev/null 3>&1 && echo holds || echo not`,
      ),
    ),
  ].join('\n');
  const file = join(root, 'script');
  await writeFile(file, script);
  const { stdout } = await run('sh', [file]);
  const said = stdout.split('\n');
  return blocks.map((lines, at) =>
    lines.some((line) => line.startsWith(NOT_CHECKED)) ? undefined : said[at] === 'holds',
  );
}

function onSnapshot(state: State, key: ClauseKey, clause: object): boolean {
  const range = Object.entries(state.regions).map(
    ([name, { start, size }]) => [name, { start, size }] as const,
  );
  const world: World = {
    state,
    log: [],
    ranges: new Map(range),
    driverName: (name) => name,
    kernelPath: (path) => path,
    idOf: (serial) => Object.entries(SERIALS).find(([, one]) => one === serial)?.[0],
    memdevOf: (id) => memdevWithSerial(SERIALS[id] ?? -1, state),
    answer: () => undefined,
  };
  return clauseOf(key).misses(clause as never, world).length === 0;
}

type Values = Record<string, readonly unknown[]>;

/** Clauses with all of the required keys and up to three of the others. */
function drawn(required: Values, may: Values): fc.Arbitrary<Record<string, unknown>> {
  const values = { ...required, ...may };
  return fc
    .subarray(Object.keys(may), { maxLength: Math.min(3, Object.keys(may).length) })
    .chain((keys) =>
      fc.record(
        Object.fromEntries(
          [...Object.keys(required), ...keys].map((key) => [key, fc.constantFrom(...(values[key] ?? []))]),
        ),
      ),
    );
}

const SIZES = ['512M', '256M', 0x8000000, 0];
const UUID = '11111111-2222-3333-4444-555555555555';

/** Clauses that say what is so, and what is not, of what is there and of what is not. */
const CLAUSES: Readonly<Partial<Record<ClauseKey, fc.Arbitrary<Record<string, unknown>>>>> = {
  region: drawn(
    { name: ['region0', 'region0', 'region9'] },
    {
      exists: [true, false],
      mode: ['ram', 'pmem'],
      size: SIZES,
      interleave_ways: [1, 2],
      interleave_granularity: [256, 4096],
      committed: [true, false],
      driver: ['cxl_region', null],
      targets: [['mem-a'], ['mem-b'], ['mem-a', 'mem-b']],
      uuid: ['', UUID],
    },
  ),
  decoder: drawn(
    {},
    {
      name: ['decoder0.0', 'decoder2.0', 'decoder2.1', 'decoder9.9'],
      exists: [true, false],
      mode: ['ram', 'none'],
      dpa_size: SIZES,
      size: SIZES,
      interleave_ways: [0, 1, 2],
      interleave_granularity: [0, 256, 4096],
      count: [0, 1],
      'endpoint-of': ['mem-a'],
      region: ['region0'],
    },
  ),
  memdev: drawn(
    { device: Object.keys(SERIALS) },
    {
      exists: [true, false],
      driver: ['cxl_mem', null],
      ram_size: SIZES,
      pmem_size: SIZES,
      dc_size: SIZES,
      numa_node: [0, 1, -1],
    },
  ),
  dax: drawn(
    {},
    {
      name: ['dax0.0', 'dax9.9'],
      of: ['region0', 'region9'],
      exists: [true, false],
      count: [0, 1, 2],
      driver: ['kmem', 'device_dax', null],
      size: SIZES,
      align: ['2M', '1G'],
      target_node: [0, 1],
      state: ['online_movable', 'offline', null],
      hotplug: [null, 'online'],
    },
  ),
  extents: drawn(
    {},
    {
      of: ['region0', 'region9'],
      offset: [0, '256M', '1G'],
      count: [0, 1, 2],
      length: ['128M', '64M'],
      bytes: ['128M', '256M', 0],
      tag: [null, UUID],
      dax: [null, 'dax0.0'],
    },
  ),
  memory: drawn(
    {},
    {
      of: ['region0'],
      node: [0, 1, 7],
      block: [0, 186, 9999],
      count: [0, 1, 4],
      state: ['online', 'offline'],
      zone: ['Movable', 'Normal', ['Normal', 'Movable'], ['DMA', 'Normal', 'DMA32', 'Movable']],
      online: [0, 1, 4],
      bytes: ['512M', '128M', 0],
    },
  ),
  node: drawn(
    { id: [0, 1, 7] },
    { online: [true, false], memory: [true, false], bytes: ['512M'], cpus: [true, false] },
  ),
  iomem: drawn(
    {
      path: [
        ['CXL Window 0'],
        ['CXL Window 0', 'region0'],
        ['CXL Window 0', '*', '*'],
        ['*'],
        ['System RAM'],
        ['nothing'],
      ],
    },
    { exists: [true, false], bytes: ['512M', '1G'], count: [0, 1, 2] },
  ),
  driver: drawn(
    {
      bus: ['cxl', 'dax'],
      device: ['region0', 'dax0.0', 'mem0', 'root0'],
      driver: ['cxl_region', 'cxl_mem', 'kmem', null],
    },
    {},
  ),
  module: drawn({ name: ['kmem', 'dax-pmem', 'nfit'], loaded: [true, false] }, {}),
};

/** One of each that holds on the guest with extents. */
const SO: readonly { readonly key: ClauseKey; readonly clause: Record<string, unknown> }[] = [
  { key: 'region', clause: { name: 'region0', size: '512M', driver: 'cxl_region', targets: ['mem-a'] } },
  { key: 'decoder', clause: { name: 'decoder2.0', mode: 'ram', dpa_size: '512M' } },
  { key: 'memdev', clause: { device: 'mem-c', driver: 'cxl_mem', ram_size: '256M' } },
  { key: 'dax', clause: { of: 'region0', count: 1, driver: 'kmem', state: 'online_movable' } },
  { key: 'extents', clause: { of: 'region0', count: 2, bytes: '256M' } },
  { key: 'memory', clause: { of: 'region0', count: 4, state: 'online', zone: ['Normal', 'Movable'] } },
  { key: 'node', clause: { id: 1, online: true, memory: true, cpus: false } },
  { key: 'iomem', clause: { path: ['CXL Window 0', 'region0'], bytes: '512M' } },
  { key: 'driver', clause: { bus: 'dax', device: 'dax0.0', driver: 'kmem' } },
  { key: 'module', clause: { name: 'dax-pmem', loaded: true } },
];

/** What `check` takes: a clause that expects something, and nothing of what must not be there. */
function isSensible(key: ClauseKey, clause: Readonly<Record<string, unknown>>): boolean {
  const { selectors, schema } = clauseOf(key);
  const expected = Object.keys(clause).filter((name) => !selectors.includes(name));
  if (expected.length === 0 || !schema.safeParse(clause).success) return false;
  return clause['exists'] !== false || expected.length === 1;
}

test('every clause with a shell form is drawn here, but those that read what no snapshot holds', () => {
  const withShell = (Object.keys(clauses) as ClauseKey[]).filter((key) => clauseOf(key).checks);
  expect(withShell.filter((key) => !(key in CLAUSES))).toEqual(['memory_tier', 'file', 'log']);
});

describe.each(Object.entries(GUESTS))('on %s', (_, text) => {
  test(
    'a clause holds in sh where it holds on the snapshot, and nowhere else',
    { timeout: 60_000 },
    async () => {
      const state = parseState(text);
      const root = await fakeGuest(text);
      const drawnOnes = (
        Object.entries(CLAUSES) as [ClauseKey, fc.Arbitrary<Record<string, unknown>>][]
      ).flatMap(([key, arbitrary]) =>
        fc
          .sample(arbitrary, 30)
          .filter((clause) => isSensible(key, clause))
          .map((clause) => ({ key, clause })),
      );
      const sample = [...SO, ...drawnOnes];
      const shell = await inShell(
        root,
        sample.map(({ key, clause }) => ({ [key]: clause })),
      );
      const differing = sample.flatMap(({ key, clause }, at) => {
        const held = onSnapshot(state, key, clause);
        return shell[at] === undefined || shell[at] === held
          ? []
          : [
              `${key} ${JSON.stringify(clause)}: ${held ? 'holds' : 'does not'}, in sh ${shell[at] ? 'it holds' : 'not'}`,
            ];
      });
      expect(differing).toEqual([]);
      expect(shell.filter((one) => one !== undefined).length).toBeGreaterThan(sample.length / 2);
      // else the two might agree that nothing ever holds
      if (text === GUESTS['one with extents']) expect(shell.slice(0, SO.length)).toEqual(SO.map(() => true));
    },
  );
});
