import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DocumentError, parseDocument, readYaml, renderDiagnostic, type Diagnostic } from './document.js';

const reference = z.string().regex(/\$\{[^}]+\}/, 'a ${reference}');
const device = z.strictObject({
  id: z.string(),
  size: z.union([z.number(), z.string().regex(/^\d+[MG]$/, 'not a size')]),
  mode: z.union([z.enum(['ram', 'pmem']), reference]).optional(),
});
const module = z.union([z.strictObject({ load: z.string() }), z.strictObject({ unload: z.string() })]);
const schema = z.strictObject({
  cxlrig: z.literal(1),
  name: z.string().meta({ description: 'what it is called' }),
  devices: z.array(device).min(1).optional(),
  module: module.optional(),
  count: z.number().int().min(2).optional(),
  names: z.record(z.string().regex(/^[a-z]+$/, 'lower case letters only'), z.number()).optional(),
});

function faults(text: string): readonly Diagnostic[] {
  try {
    parseDocument(text, 'file.yaml', schema);
  } catch (error) {
    if (error instanceof DocumentError) return error.diagnostics;
    throw error;
  }
  throw new Error('the text was accepted');
}

/** `line:column message | hint` */
function told(text: string): string[] {
  return faults(text).map(
    ({ line, column, message, hint }) =>
      `${line}:${column} ${message}${hint === undefined ? '' : ` | ${hint}`}`,
  );
}

const start = 'cxlrig: 1\nname: x\n';

describe('a document that satisfies its schema', () => {
  const document = parseDocument(
    'cxlrig: 1\nname: x\ndevices:\n  - id: a\n    size: 512M\n  - { id: b, size: 1G }\n',
    'file.yaml',
    schema,
  );

  it('gives its value and its plain values', () => {
    expect(document.value.devices?.[1]).toEqual({ id: 'b', size: '1G' });
    expect(document.raw).toEqual(document.value);
  });

  it('knows where each value stands', () => {
    expect(document.at(['devices', 0, 'size'])).toEqual({
      file: 'file.yaml',
      line: 5,
      column: 11,
      endLine: 5,
      endColumn: 15,
    });
    expect(document.at(['devices', 1])).toMatchObject({ line: 6, column: 5 });
  });

  it('knows where each key stands', () => {
    expect(document.at(['devices', 0, 'size'], 'key')).toMatchObject({ line: 5, column: 5 });
  });

  it('leads a path that goes nowhere to the nearest thing that is there', () => {
    expect(document.at(['devices', 1, 'mode'])).toMatchObject({ line: 6, column: 5 });
    expect(document.at(['devices', 7, 'id'])).toMatchObject({ line: 3, column: 1 });
    expect(document.at(['nothing', 'here'])).toMatchObject({ line: 1, column: 1 });
  });

  it('follows an alias to what it stands for', () => {
    const { at, raw } = readYaml('a: &x { k: 1 }\nb: *x\n', 'f');
    expect(raw).toEqual({ a: { k: 1 }, b: { k: 1 } });
    expect(at(['b', 'k'])).toMatchObject({ line: 1, column: 12 });
    expect(at(['b'])).toMatchObject({ line: 2, column: 4 });
  });
});

describe('a document that does not satisfy its schema', () => {
  it.each([
    ['an unknown key, at the key', `${start}nmae: y\n`, ['3:1 unknown key `nmae` | did you mean `name`?']],
    [
      'an unknown key that resembles none',
      `${start}zzzzzz: y\n`,
      ['3:1 unknown key `zzzzzz` | keys that can stand here: devices, module, count, names'],
    ],
    ['a missing key, with what it is for', 'cxlrig: 1\n', ['1:1 `name` is missing | what it is called']],
    [
      'a missing key of a list entry, at the entry',
      `${start}devices:\n  - id: a\n`,
      ['4:5 `size` is missing'],
    ],
    ['a wrong type', `${start}count: many\n`, ['3:8 expected a number, found "many"']],
    ['a fraction', `${start}count: 2.5\n`, ['3:8 expected a whole number, found 2.5']],
    ['a number below its limit', `${start}count: 1\n`, ['3:8 must be at least 2']],
    ['an empty list', `${start}devices: []\n`, ['3:10 the list needs at least 1 entry']],
    ['another version', 'cxlrig: 2\nname: x\n', ['1:9 expected 1, found 2']],
    ['nothing at all', '', ['1:1 expected a map of keys, found nothing (null)']],
    [
      'an enum value, though the union also takes references',
      `${start}devices:\n  - { id: a, size: 1G, mode: rma }\n`,
      ['4:30 expected one of ram, pmem, found "rma" | did you mean ram?'],
    ],
    [
      'the message of the branch with the type of the value',
      `${start}devices:\n  - { id: a, size: 1Q }\n`,
      ['4:20 "1Q" is not a size'],
    ],
    [
      'all types when none fits',
      `${start}devices:\n  - { id: a, size: [] }\n`,
      ['4:20 expected a number or text, found a list'],
    ],
    [
      'a key of one branch of a union',
      `${start}module: { unlaod: kmem }\n`,
      ['3:11 unknown key `unlaod` | did you mean `unload`?'],
    ],
    ['a bad key of a record', `${start}names:\n  A1: 3\n`, ['4:3 key `A1`: lower case letters only']],
    [
      'everything at once, in the order of the file',
      'cxlrig: 1\nnmae: x\ncount: 1\n',
      ['2:1 unknown key `nmae` | did you mean `name`?', '3:8 must be at least 2'],
    ],
  ])('tells %s', (_what, text, expected) => {
    expect(told(text)).toEqual(expected);
  });
});

describe('a text that is no sound YAML', () => {
  it.each([
    ['a duplicate key', 'a: 1\na: 2\n', '2:1 this key is there twice'],
    [
      'two documents',
      'a: 1\n---\nb: 1\n',
      '2:1 Source contains multiple documents; please use YAML.parseAllDocuments()',
    ],
    ['an unknown tag', 'a: !python/object x\n', '1:4 Unresolved tag: !python/object'],
    [
      'a number that would lose digits',
      'serial: 0x1234567890abcdef12\n',
      '1:9 this number is too large to be kept exactly | put it in quotes',
    ],
    ['a list as key', '? [a]\n: 1\n', '1:3 a key must be text'],
    ['__proto__ as key', '__proto__: { a: 1 }\n', '1:1 __proto__ cannot be a key'],
    ['deep flow nesting', '['.repeat(100_000), '1:1 nested deeper than 64 levels'],
    ['deep block nesting', `${'- '.repeat(20_000)}x`, '1:1 nested deeper than 64 levels'],
    [
      'an alias bomb',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${'abcdefgh'.replace(/./g, (c) => (c === 'h' ? '' : `${next(c)}: &${next(c)} [${Array(9).fill(`*${c}`).join(',')}]\n`))}`,
      '1:1 the aliases of this file expand to too much',
    ],
    ['a file that is too large', `a: ${'x'.repeat(2 ** 20)}\n`, '1:1 the file is larger than 1 MiB'],
  ])('is refused: %s', (_what, text, expected) => {
    const [first] = told(text);
    expect(first).toBe(expected);
  });

  it('never lets anything but a DocumentError out, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), yamlish), (text) => {
        try {
          parseDocument(text, 'f', schema);
        } catch (error) {
          if (!(error instanceof DocumentError)) throw error;
        }
      }),
    );
  });
});

it('prints a diagnostic with its place, the lines around it and the hint', () => {
  const text = 'cxlrig: 1\nname: x\ncont: 1\n';
  const [diagnostic] = faults(text);
  expect(diagnostic && renderDiagnostic(diagnostic, text, { color: false })).toBe(
    [
      'file.yaml:3:1: unknown key `cont`',
      '  1 | cxlrig: 1',
      '  2 | name: x',
      '> 3 | cont: 1',
      '    | ^^^^',
      '  4 |',
      '  did you mean `count`?',
    ].join('\n'),
  );
});

const yamlish = fc
  .array(
    fc.constantFrom(
      'a: ',
      '- ',
      '\n',
      '  ',
      '{',
      '}',
      '[',
      ']',
      '&x ',
      '*x',
      '"',
      ': ',
      '? ',
      '<<: ',
      '!t ',
      'name: ',
      '1',
      '|\n',
      '#',
    ),
  )
  .map((parts) => parts.join(''));

function next(letter: string): string {
  return String.fromCharCode(letter.charCodeAt(0) + 1);
}
