import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { DocumentError } from '../../base/document/diagnostic.js';
import { scenarioDocument, stepKinds } from '../language/language.js';
import { loadScenarioText } from './load.js';

/**
 * Whatever a file holds, the loader answers: with cases, or with faults at places of the file. Together more than
 * 10,000 documents; a failure prints the seed that repeats it.
 */

const MINUTES = 60_000;
const VALID = `cxlrig: 1
name: memory comes online
description: the policy \${policy} is applied
reference: [Documentation/ABI/testing/sysfs-bus-dax]
topology: two-ports
requires: [{ kernel: '>=7.3' }, { attribute: /sys/bus/dax }]
known-bugs: [{ kernel: '<8', when: { policy: online }, because: x }]
vars: { base: &base /sys/bus/dax/devices, size: 0x10000000 }
matrix: { policy: [offline, online] }
cases: [{ name: one, errno: null }, { name: two, errno: [EBUSY, EINVAL] }]
timeout: 60s
steps:
  - create-region: { as: r, targets: [mem0, mem1], size: '\${size}', bind: cxl_region }
  - write: { path: '\${base}/\${r.dax}/state', value: online }
    fails: \${errno}
    when: { policy: [online] }
  - repeat: { times: 3, as: turn, steps: [{ exec: { sh: 'echo $\${x} \${turn}' } }] }
  - parallel: [[{ reboot: {} }], [{ read: { path: *base, matches: 'a+' } }]]
  - expect: { memory: { of: '\${r}', count: 4, state: online }, within: 5s, stays-for: 1s }
cleanup:
  - destroy-region: { region: '\${r}' }
`;

const TOKENS = [
  '${', '}', '$${', '${r}', '${r.dax}', '${__proto__}', '${constructor}', '&a ', '*a', '*base', '!!binary x', '!!set', '<<: *base',
  '__proto__: {polluted: 1}', 'constructor: {}', '? ', '- ', '  ', '\n', '\t', '\r\n', '\0', '\u001b[2J', '\ufeff', '\u2028', '\ud800',
  '"', "'", '|', '>-', '#', '{', '[', ']', ', ', ': ', '---\n', '...\n', '%YAML 1.1\n', '1e999', '-0', '.nan', '.inf', '0x', 'null', '~',
  '99999999999999999999', '9007199254740993', '-1', 'EBUSYY', 'cases:', 'matrix:', 'vars:', 'when:', '(((((((', '(a+)+$', '..', '/../',
]; // prettier-ignore

async function answer(text: string): Promise<'cases' | 'faults'> {
  const started = performance.now();
  const result = await loadScenarioText(text, 'hostile.yaml').then(
    () => 'cases' as const,
    (error: unknown) => {
      if (!(error instanceof DocumentError)) throw error;
      const lines = text.split('\n').length;
      expect(error.diagnostics.length).toBeGreaterThan(0);
      for (const { line, column, message } of error.diagnostics) {
        expect(line).toBeGreaterThanOrEqual(1);
        expect(line).toBeLessThanOrEqual(lines + 1);
        expect(column).toBeGreaterThanOrEqual(1);
        expect(message).not.toBe('');
      }
      return 'faults' as const;
    },
  );
  expect(performance.now() - started).toBeLessThan(60_000);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  return result;
}

const always = (arbitrary: fc.Arbitrary<string>, documents: number) =>
  fc.assert(
    fc.asyncProperty(arbitrary, async (text) => {
      await answer(text);
    }),
    { numRuns: documents },
  );

const token = fc.constantFrom(...TOKENS);
const edit = fc.record({
  at: fc.nat(VALID.length),
  cut: fc.nat(12),
  put: fc.oneof(token, fc.string({ maxLength: 8 })),
});
const anyText = fc.oneof(
  token,
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('mem0', 'region0', '5s', '256M', '>=7.3', 'two-ports', 'one-volatile', '/sys/x', 'online'),
);
const anyValue = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    anyText,
    fc.integer(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...innerKeys()), fc.string({ maxLength: 6 })), tie('value'), {
      maxKeys: 4,
    }),
  ),
})).value;

describe('the loader answers to', () => {
  test('the undamaged document', async () => {
    expect(await answer(VALID)).toBe('cases');
  });

  test('any text', () => always(fc.string({ unit: 'binary', maxLength: 300 }), 3000), 5 * MINUTES);

  test(
    'any sequence of YAML and its own tokens',
    () =>
      always(
        fc.array(fc.oneof(token, anyText), { maxLength: 60 }).map((parts) => parts.join('')),
        2500,
      ),
    5 * MINUTES,
  );

  test(
    'a scenario damaged at any place',
    () =>
      always(
        fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) => edits.reduce(damage, VALID)),
        2500,
      ),
    10 * MINUTES,
  );

  test(
    'a document of the right keys with any values',
    () => {
      const keys = fc.record(
        Object.fromEntries(Object.keys(scenarioDocument.shape).map((key) => [key, anyValue])),
        { requiredKeys: [] },
      );
      return always(
        keys.map((document) => written({ cxlrig: 1, topology: 'two-ports', ...document })),
        1500,
      );
    },
    5 * MINUTES,
  );

  test(
    'steps of the right kinds with any bodies',
    () => {
      const kind = fc.constantFrom(...Object.keys(stepKinds));
      const step = fc.tuple(kind, anyValue).map(([name, body]) => ({ [name]: body }));
      const steps = fc.array(step, { minLength: 1, maxLength: 4 });
      const head = {
        cxlrig: 1,
        name: 'x',
        description: 'y',
        topology: 'two-ports',
        matrix: { a: [1, null, 'x'] },
      };
      return always(
        steps.map((list) => written({ ...head, steps: list })),
        1500,
      );
    },
    5 * MINUTES,
  );
});

describe('the loader refuses in bounded time and memory', () => {
  const head = 'cxlrig: 1\nname: x\ndescription: y\ntopology: two-ports\n';
  const bomb = [
    'a: &a0 [x, x, x, x, x, x, x, x, x]',
    ...Array.from({ length: 12 }, (_, n) => `b${n}: &a${n + 1} [${`*a${n}, `.repeat(9)}]`),
  ].join('\n');
  const doubling = Array.from({ length: 5000 }, (_, n) => `  v${n + 1}: '\${v${n}}\${v${n}}'`).join('\n');
  const wide = Array.from({ length: 999 }, (_, n) => n).join(', ');
  const longStep = `{ exec: { sh: '${'x'.repeat(2000)} \${n}' } }`;

  test.each([
    ['aliases that multiply', `${bomb}\n${head}steps: [{ reboot: {} }]`],
    ['brackets without end', `${head}steps: ${'['.repeat(500_000)}`],
    ['maps without end', `${head}steps: ${'{a: '.repeat(200_000)}`],
    [
      'nesting by indentation',
      `${head}steps:\n${Array.from({ length: 700 }, (_, n) => `${' '.repeat(n)}a:`).join('\n')}`,
    ],
    ['sequences without end', `${head}steps:\n  ${'- '.repeat(200_000)}x`],
    ['a file above a megabyte', `${head}# ${'x'.repeat(2 ** 20)}\nsteps: [{ reboot: {} }]`],
    [
      'numbers that are none',
      `${head}timeout: ${'9'.repeat(400)}\nsteps: [{ repeat: { times: 1e308, steps: [] } }]`,
    ],
    [
      'variables that double',
      `${head}vars:\n  v0: xxxxxxxx\n${doubling}\nsteps: [{ exec: { sh: '\${v5000}' } }]`,
    ],
    ['many cases of long steps', `${head}matrix: { n: [${wide}] }\nsteps: [${`${longStep}, `.repeat(300)}]`],
    [
      'many wrong steps in many cases',
      `${head}matrix: { n: [${wide}] }\nsteps: [${'{ exce: "${n}" }, '.repeat(2000)}]`,
    ],
    [
      'prototypes as keys',
      `${head}__proto__: { polluted: 1 }\nconstructor: { prototype: { polluted: 1 } }\nsteps: [{ __proto__: 1 }]`,
    ],
    [
      'a matrix beyond counting',
      `${head}matrix: { a: [${wide}], b: [${wide}], c: [${wide}], d: [${wide}] }\nsteps: [{ reboot: {} }]`,
    ],
    ['a text of references', `${head}steps: [{ exec: { sh: '${'${x}'.repeat(100_000)}' } }]`],
    [
      'a text of things that look like references',
      `${head}steps: [{ exec: { sh: '${'${}'.repeat(200_000)}' } }]`,
    ],
    [
      'a version range without end',
      `${head}requires: [{ kernel: '${'>=7 || '.repeat(50_000)}>=7' }]\nsteps: [{ reboot: {} }]`,
    ],
  ])(
    '%s',
    async (_what, text) => {
      const before = process.memoryUsage().rss;
      expect(await answer(text)).toBe('faults');
      expect(process.memoryUsage().rss - before).toBeLessThan(1024 * 2 ** 20);
    },
    2 * MINUTES,
  );
});

function damage(text: string, { at, cut, put }: { at: number; cut: number; put: string }): string {
  return text.slice(0, at) + put + text.slice(at + cut);
}

function written(document: unknown): string {
  return stringify(document, { aliasDuplicateObjects: false });
}

function innerKeys(): string[] {
  return [
    'as',
    'of',
    'name',
    'path',
    'value',
    'targets',
    'size',
    'steps',
    'times',
    'when',
    'fails',
    'within',
    '__proto__',
    'a',
  ];
}
