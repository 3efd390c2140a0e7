import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { DocumentError } from '../base/document/diagnostic.js';
import { planTopology } from './build-plan.js';
import { topologySchema } from './language.js';

/**
 * Whatever a topology's file holds, the loader answers with a plan or with faults, and no plan has anything in QEMU's
 * arguments but what the plan is made of. A failure prints the seed that repeats it.
 */

const MINUTES = 60_000;
const VALID = `cxlrig: 1
description: a switch, a spare port, all kinds of capacity
memory: 2G
cpus: 2
nodes: 2
bridges:
  - { id: hb0, ports: [rp0, rp1] }
  - { id: hb1, ports: [rp2], hdm-for-passthrough: false }
switches: [{ id: sw0, port: rp0, ports: [dp0, dp1] }]
devices:
  - { id: mem0, port: dp0, volatile: 512M }
  - { id: mem1, port: dp1, persistent: 0x10000000, labels: 1M, serial: 7 }
  - { id: mem2, port: rp2, volatile: 256M, dynamic: { size: 512M, regions: 2 } }
windows:
  - { id: window0, targets: [hb0, hb1], size: 4G, granularity: 512 }
hmat:
  memory: { latency: 10, bandwidth: 10G }
  bridges: [{ bridge: hb0, latency: 50, bandwidth: 5G }]
`;

const SMUGGLED = [
  'hb0,size=1', 'rp0 -chardev file', '-device', 'mem0","x":"', 'mem0\n-serial', '../../x', '__proto__', 'a=b', 'id=x', '$(id)', "'", '`id`',
]; // prettier-ignore
const TOKENS = [
  ...SMUGGLED, '&a ', '*a', '<<: *a', '__proto__: {polluted: 1}', '- ', '\n', '\t', '\0', '\u001b[2J', '\ud800', '[', ']', '{', '}', ',', ': ',
  '1e999', '-0', '.nan', '99999999999999999999', '16E', '0x', '-1', 'null', 'rp0', 'hb0', 'dp1', 'sw0', 'mem1', '3G', '1', '16',
]; // prettier-ignore

/** What each option that a plan may use may say, when it is not JSON. */
const PLAIN: Readonly<Record<string, RegExp>> = {
  '-smp': /^\d+(,sockets=\d+)?$/,
  '-m': /^[\d.]+M,slots=4,maxmem=[\d.]+M$/,
  '-numa': /^(node,nodeid=\d+(,memdev=node\d+-memory,cpus=\d+-\d+)?|hmat-lb(,[a-z-]+=[\w.-]+)+)$/,
  '-M': /^(hmat=on|(cxl-fmw\.\d+\.(targets\.\d+=[a-z][a-z0-9-]*|size=[\d.]+M|interleave-granularity=\d+),?)+)$/,
};
const JSON_OPTIONS = ['-device', '-object'];
const DRIVERS = [
  'pxb-cxl', 'cxl-rp', 'cxl-upstream', 'cxl-downstream', 'cxl-type3', 'memory-backend-ram', 'acpi-generic-port',
]; // prettier-ignore

function answer(text: string): 'plan' | 'faults' {
  const started = performance.now();
  const result = planOrFaults(text);
  expect(performance.now() - started).toBeLessThan(30_000);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  return result;
}

function planOrFaults(text: string): 'plan' | 'faults' {
  try {
    expectNothingSmuggled(planTopology(text, 'hostile.yaml', 'hostile').qemuArgs);
    return 'plan';
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    expect(error.diagnostics.length).toBeGreaterThan(0);
    return 'faults';
  }
}

function expectNothingSmuggled(args: readonly string[]): void {
  expect(args.length % 2).toBe(0);
  for (let at = 0; at < args.length; at += 2) {
    const [option = '', value = ''] = args.slice(at, at + 2);
    if (JSON_OPTIONS.includes(option)) {
      const properties = JSON.parse(value) as Record<string, unknown>;
      expect(DRIVERS).toContain(properties['driver'] ?? properties['qom-type']);
    } else {
      expect(Object.keys(PLAIN)).toContain(option);
      expect(value).toMatch(PLAIN[option] ?? /^$/);
    }
  }
}

const always = (arbitrary: fc.Arbitrary<string>, documents: number): void =>
  fc.assert(
    fc.property(arbitrary, (text) => void answer(text)),
    { numRuns: documents },
  );

const token = fc.constantFrom(...TOKENS);
const edit = fc.record({
  at: fc.nat(VALID.length),
  cut: fc.nat(10),
  put: fc.oneof(token, fc.string({ maxLength: 8 })),
});
const anyValue = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    token,
    fc.integer(),
    fc.double(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom('id', 'ports', 'port', 'size', 'targets', 'volatile', '__proto__'),
      tie('value'),
    ),
  ),
})).value;

describe('the topology loader answers to', () => {
  test('the undamaged document', () => {
    expect(answer(VALID)).toBe('plan');
  });

  test('any text', () => always(fc.string({ unit: 'binary', maxLength: 200 }), 1000), 5 * MINUTES);

  test(
    'a topology damaged at any place',
    () =>
      always(
        fc
          .array(edit, { minLength: 1, maxLength: 3 })
          .map((edits) =>
            edits.reduce((text, { at, cut, put }) => text.slice(0, at) + put + text.slice(at + cut), VALID),
          ),
        1500,
      ),
    5 * MINUTES,
  );

  test(
    'a document of the right keys with any values',
    () => {
      const shape = Object.fromEntries(Object.keys(topologySchema.shape).map((key) => [key, anyValue]));
      const documents = fc.record(shape, { requiredKeys: [] });
      always(
        documents.map((document) =>
          stringify({ cxlrig: 1, description: 'x', ...document }, { aliasDuplicateObjects: false }),
        ),
        1000,
      );
    },
    5 * MINUTES,
  );

  test.each(SMUGGLED)('an id that would be more than one: %s', (id) => {
    const of = (port: string): string =>
      stringify({ cxlrig: 1, description: 'x', bridges: [{ id: 'hb0', ports: [port] }] });
    expect(answer(of('rp0'))).toBe('plan');
    expect(answer(of(id))).toBe('faults');
  });

  test.each([
    ['brackets without end', `cxlrig: 1\ndescription: x\nbridges: ${'['.repeat(300_000)}`],
    ['more devices than a machine can have', stringify({ cxlrig: 1, description: 'x', devices: Array.from({ length: 20_000 }, (_, n) => ({ id: `m${n}`, volatile: '256M' })) })],
    ['a memory beyond all bounds', 'cxlrig: 1\ndescription: x\nmemory: 8E\n'],
  ])('%s', (_, text) => {
    expect(answer(text)).toBe('faults');
  }, MINUTES); // prettier-ignore
});
