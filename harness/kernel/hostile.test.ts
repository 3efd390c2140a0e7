import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { DocumentError } from '../base/document/diagnostic.js';
import { UsageError } from '../base/errors.js';
import { loadProfile, profileDocument } from './profile.js';

/** Whatever a kernel profile's file holds, the loader answers with a profile or with faults. */

const MINUTES = 60_000;
const VALID = `cxlrig: 1
description: mine
source: { debian-source: { package: linux-source-7.3, suite: stable-backports } }
config: { base: tinyconfig, fragments: [base], options: [CONFIG_CXL_BUS=m] }
patches: [series/mine]
cmdline: [memhp_default_state=online_movable]
abi: { sysram_region: cxl_sysram_region }
`;
const TOKENS = [
  '&a ', '*a', '<<: *a', '__proto__: {polluted: 1}', '- ', '\n', '\t', '\0', '\u001b[2J', '\ud800', '[', ']', '{', '}', ',', ': ', '1e999',
  '-0', '.nan', 'null', '../../etc/passwd', '$(id)', '`id`', 'quiet panic=0', '-initrd', 'CONFIG_X=y\nCONFIG_Y=y', 'git:', 'ready:', 'tree:',
]; // prettier-ignore

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cxlrig-profile-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function answer(text: string): Promise<void> {
  const file = join(dir, 'hostile.yaml');
  await writeFile(file, text);
  const started = performance.now();
  try {
    const profile = await loadProfile(file);
    // each is a word of its own on the kernel's command line
    for (const option of profile.cmdline) expect(option).toMatch(/^\S+$/);
  } catch (error) {
    if (!(error instanceof DocumentError) && !(error instanceof UsageError)) throw error;
    expect(error.message).not.toBe('');
  }
  expect(performance.now() - started).toBeLessThan(30_000);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
}

const always = (arbitrary: fc.Arbitrary<string>, documents: number): Promise<void> =>
  fc.assert(fc.asyncProperty(arbitrary, answer), { numRuns: documents });

const token = fc.constantFrom(...TOKENS);
const edit = fc.record({ at: fc.nat(VALID.length), cut: fc.nat(10), put: token });
const anyValue = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    token,
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.double(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('package', 'url', 'ref', 'base', 'options', '__proto__'), tie('value')),
  ),
})).value;

describe('the profile loader answers to', () => {
  test('any text', () => always(fc.string({ unit: 'binary', maxLength: 200 }), 500), 5 * MINUTES);

  test(
    'a profile damaged at any place',
    () =>
      always(
        fc
          .array(edit, { minLength: 1, maxLength: 3 })
          .map((edits) =>
            edits.reduce((text, { at, cut, put }) => text.slice(0, at) + put + text.slice(at + cut), VALID),
          ),
        1000,
      ),
    5 * MINUTES,
  );

  test(
    'a document of the right keys with any values',
    () => {
      const shape = Object.fromEntries(Object.keys(profileDocument.shape).map((key) => [key, anyValue]));
      return always(
        fc
          .record(shape, { requiredKeys: [] })
          .map((document) => stringify({ cxlrig: 1, description: 'x', ...document })),
        500,
      );
    },
    5 * MINUTES,
  );

  test('brackets without end', () => answer(`cxlrig: 1\nsource: ${'['.repeat(300_000)}`), MINUTES);
});
