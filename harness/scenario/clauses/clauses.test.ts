import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseState } from '../../abi/parse-state.js';
import type { State } from '../../abi/index.js';
import { expectBody } from '../language/language.js';
import type { StepSession } from '../steps/context.js';
import { missesOf } from '../steps/expect/misses.js';
import { memdevWithSerial } from '../steps/select.js';
import type { World } from './definition.js';

/** States of a real guest with three memdevs, serials 1 to 3; topology ids mem-a, mem-b, mem-c. */
const read = (name: string): State =>
  parseState(readFileSync(new URL(`../../abi/fixtures/state-${name}.txt`, import.meta.url), 'utf8'));

const boot = read('7.3-boot');
const online = read('7.3-region-online');
const serials: Readonly<Record<string, number>> = { 'mem-a': 1, 'mem-b': 2, 'mem-c': 3 };

const TRACE = `
  irq/27-aerdrv-58      [000] .....    12.345678: cxl_poison: dpa=0x1000
  irq/27-aerdrv-58      [000] .....    12.345679: cxl_dram: dpa=1000 row=10
`;

/** What a guest says when it is asked what no snapshot holds. */
const ANSWERS: readonly (readonly [question: RegExp, answer: string])[] = [
  [/head -c \d+ \/sys\/there$/, 'content\n'],
  [/head -c \d+ \/sys\/bus\/cxl\/devices\/region0\/size$/, '0x20000000\n'],
  [/grep -F ': \w+: ' \/sys\/kernel\/tracing\/trace \|/, TRACE],
  [/memory_tiering/, 'memory_tier22 1\nmemory_tier4 0,2-3\n'],
  [/readlink \S*0000:0d:00.0\/driver$/, '../../../bus/pci/drivers/cxl_pci\n'],
  [/events\/\*\/cxl_dram\/format/, `ID: 1\n\nprint fmt: "dpa=%llx row=%u flags='%s'", REC->dpa, REC->row\n`],
];

function sessionOf(state: State): StepSession {
  const range = { start: 0x5d0000000, size: 0x20000000 };
  return {
    captures: new Map([['r', { kind: 'region', name: 'region0', decoders: ['decoder2.0'] }]]),
    lastKnown: new Map(),
    ranges: new Map([['region0', range]]),
    snapshots: new Map([['boot', boot]]),
    state,
    log: [
      { sequence: 1, seconds: 1, level: 4, facility: 0, text: 'kmem dax0.0: stuck online until reboot' },
      { sequence: 2, seconds: 2, level: 5, facility: 1, text: 'cxlrig: echo oops' },
    ],
  } as unknown as StepSession;
}

function worldOf(state: State): World {
  const { log, ranges } = sessionOf(state);
  return {
    state,
    log,
    ranges,
    driverName: (name) => (name === 'sysram' ? 'kmem' : name),
    kernelPath: (path) => path,
    idOf: (serial) => Object.entries(serials).find(([, one]) => one === serial)?.[0],
    memdevOf: (id) => memdevWithSerial(serials[id] ?? -1, state),
    answer: (question) => ANSWERS.find(([pattern]) => pattern.test(question))?.[1],
  };
}

const misses = (expectation: object, state = online) =>
  missesOf(expectBody.parse(expectation), worldOf(state), sessionOf(state)).map(
    ({ path, expected, received }) => ({
      path: path.join('.'),
      expected,
      received,
    }),
  );

const HOLD: readonly (readonly [string, object])[] = [
  [
    'a region with its driver and targets',
    { region: { name: '${r}', size: '512M', committed: true, driver: 'cxl_region', targets: ['mem-a'] } },
  ],
  ['that there is no such region', { region: { name: 'region9', exists: false } }],
  ['endpoint decoders', { decoder: { 'endpoint-of': 'mem-a', region: '${r}', count: 1, dpa_size: '512M' } }],
  ['a memdev by its topology id', { memdev: { device: 'mem-c', driver: 'cxl_mem', ram_size: '256M' } }],
  [
    'a dax device and its node in /dev',
    { dax: { of: '${r}', driver: 'kmem', state: 'online_movable', opens: false } },
  ],
  ['a driver by the name that the kernel profile gives it', { dax: { name: 'dax0.0', driver: 'sysram' } }],
  [
    'memory blocks of a region',
    { memory: { of: '${r}', count: 4, state: 'online', zone: 'Movable', bytes: '512M' } },
  ],
  ['one of several zones', { memory: { block: 186, zone: ['Normal', 'Movable'] } }],
  ['the node of a region', { node: { id: '${r.node}', memory: true, cpus: false, bytes: '512M' } }],
  ['a node that is not there', { node: { id: 7, online: false, memory: false } }],
  [
    'memory tiers',
    {
      memory_tier: [
        { node: 0, tier: 4 },
        { node: '${r.node}', tier: 22, 'slower-than': 0 },
        { node: 7, tier: null },
      ],
    },
  ],
  ['iomem', { iomem: { path: ['CXL Window 0', '${r}', '*', 'System RAM (kmem)'], bytes: '512M' } }],
  [
    'drivers on any bus',
    {
      driver: [
        { bus: 'cxl', device: '${r}', driver: 'cxl_region' },
        { bus: 'pci', device: '0000:0d:00.0', driver: 'cxl_pci' },
      ],
    },
  ],
  ['no namespaces', { namespace: { of: '${r}', count: 0 } }],
  [
    'modules',
    {
      module: [
        { name: 'kmem', loaded: true },
        { name: 'dax-pmem', loaded: true },
        { name: 'nfit', loaded: false },
      ],
    },
  ],
  [
    'files',
    {
      file: [
        { path: '/sys/there', equals: 'content' },
        { path: '/sys/absent', exists: false },
        { of: '${r}', attr: 'size', equals: '0x20000000' },
      ],
    },
  ],
  ['trace events', { trace: { event: 'cxl:cxl_poison', fields: { dpa: '4096' } } }],
  [
    'numbers of trace events, which are hexadecimal where the event prints them so',
    {
      trace: [
        { event: 'cxl_dram', fields: { dpa: '0x1000', row: '0xa' } },
        { event: 'cxl_dram', fields: { dpa: '1000' } },
      ],
    },
  ],
  [
    'how many trace events came',
    {
      trace: [
        { event: 'cxl_poison', count: 1 },
        { event: 'cxl_poison', count: { least: 1, most: 2 } },
        { event: 'cxl_poison', fields: { dpa: '7' }, count: 0 },
        { event: 'cxl_memory_module', count: { most: 0 } },
      ],
    },
  ],
  ['how many lines of the kernel log match', { log: { matches: 'stuck', count: 1 } }],
  ['the kernel log, not what was typed', { log: { matches: 'stuck online', absent: 'oops' } }],
];

test.each(HOLD)('%s holds', (_, expectation) => expect(misses(expectation)).toEqual([]));

describe('what does not hold is named with its place, the expected and the received', () => {
  test.each([
    [{ region: { name: '${r}', size: '1G' } }, 'region.size', 2 ** 30, 2 ** 29],
    [{ region: { name: '${r}', targets: ['mem-b'] } }, 'region.targets', ['mem-b'], ['mem-a']],
    [{ region: [{ name: 'region1' }] }, 'region.0', 'it exists', 'it does not exist'],
    [{ region: { name: '${r}', exists: false } }, 'region.exists', 'it does not exist', 'it exists'],
    [{ dax: { of: '${r}', driver: null } }, 'dax.driver', null, 'kmem'],
    [{ dax: { of: '${r}', count: 2 } }, 'dax.count', 2, 1],
    [
      {
        memory: [
          { of: '${r}', count: 4 },
          { of: '${r}', online: 3 },
        ],
      },
      'memory.1.online',
      3,
      4,
    ],
    [{ memory: { block: 186, zone: 'Normal' } }, 'memory.zone', 'Normal', 'Movable'],
    [{ node: { id: 1, bytes: '1G' } }, 'node.bytes', 2 ** 30, 2 ** 29],
    [{ module: { name: 'nfit', loaded: true } }, 'module.loaded', true, false],
    [{ memory_tier: { node: 3, tier: 22 } }, 'memory_tier.tier', 22, 4],
    [{ memory_tier: { node: 7, tier: 4 } }, 'memory_tier.tier', 4, null],
    [
      { memory_tier: { node: 0, 'slower-than': 1 } },
      'memory_tier.slower-than',
      'a tier of slower memory, which has a greater number',
      4,
    ],
    [
      { trace: { event: 'cxl_poison', count: 0 } },
      'trace.count',
      'none',
      [expect.stringMatching(/cxl_poison: dpa=0x1000$/)],
    ],
    [
      { trace: { event: 'cxl_poison', count: 2 } },
      'trace.count',
      'exactly 2',
      [expect.stringMatching(/cxl_poison: dpa=0x1000$/)],
    ],
    [{ trace: { event: 'cxl_nothing' } }, 'trace.event', 'at least 1', 'no such event'],
    [
      { trace: { event: 'cxl_dram', fields: { row: '10', dpa: '0x2000' } } },
      'trace.fields.dpa',
      { dpa: '0x2000' },
      { dpa: '1000' },
    ],
    [
      { trace: { event: 'cxl_dram', fields: { row: '16' } } },
      'trace.fields.row',
      { row: '16' },
      { row: '10' },
    ],
    [
      { log: { matches: 'stuck', count: { most: 0 } } },
      'log.count',
      'none of /stuck/',
      ['kmem dax0.0: stuck online until reboot'],
    ],
    [
      { driver: { bus: 'dax', device: 'dax0.0', driver: 'device_dax' } },
      'driver.driver',
      'device_dax',
      'kmem',
    ],
  ])('%j', (expectation, path, expected, received) =>
    expect(misses(expectation)[0]).toEqual({ path, expected, received }),
  );
});

test('a zone of an offline block that may become several is none of them', () => {
  const offline = structuredClone(online) as { memoryBlocks: Record<number, unknown> } & State;
  offline.memoryBlocks[186] = {
    state: 'offline',
    zones: ['Normal', 'Movable'],
    node: 1,
    physAddress: 0x5d0000000,
  };
  expect(misses({ memory: { block: 186, zone: 'Movable' } }, offline)).toHaveLength(1);
});

test('a capture without a value does not hold yet, at the place of the clause', () => {
  expect(misses({ memory: { of: '${r}', count: 0 }, node: { id: '${r.node}' } }, boot)).toEqual([
    { path: 'node', expected: 'a value', received: 'none' },
  ]);
});

test('same-as names every difference', () => {
  expect(misses({ 'same-as': 'boot' }, boot)).toEqual([]);
  expect(misses({ 'same-as': 'boot' })[0]?.received).toHaveProperty('regions.region-ram@1');
});

test('same-as can leave out what is known to differ', () => {
  const ignoring = ['**'];
  expect(misses({ 'same-as': { snapshot: 'boot', ignoring } })).toEqual([]);
});
