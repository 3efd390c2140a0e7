import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findSplats } from './index.js';

/** What is known of a log of the corpus. */
interface Sidecar {
  readonly source: 'captured';
  /** how the guest was made to print it */
  readonly how: string;
  /**
   * Written by hand, from what the guest was made to do and from reading the log: each splat, and the function that
   * is to blame (null: the kernel named none). Precision and recall are measured against it.
   */
  readonly truth: readonly { readonly kind: string; readonly culprit: string | null }[];
  /** what findSplats gave when the log came in: guards titles and fingerprints against unnoticed change, proves nothing */
  readonly recorded: readonly {
    readonly kind: string;
    readonly title: string;
    readonly fingerprint: string;
  }[];
}

const folder = join(import.meta.dirname, 'corpus');
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.log'))
  .map((file) => file.replace(/\.log$/, ''));

function read(name: string): { log: string; sidecar: Sidecar } {
  return {
    log: readFileSync(join(folder, `${name}.log`), 'utf8'),
    sidecar: JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Sidecar,
  };
}

describe('the corpus of consoles', () => {
  it.each(names)('%s: titles and fingerprints are those on record', (name) => {
    const { log, sidecar } = read(name);
    const found = findSplats(log).map(({ kind, title, fingerprint }) => ({ kind, title, fingerprint }));
    expect(found).toEqual(sidecar.recorded);
  });

  it('is found with precision and recall of 1: every splat with its kind and culprit, and no other', () => {
    const tally = { right: 0, wrong: 0, missed: 0 };
    for (const { log, sidecar } of names.map(read)) {
      const missing = sidecar.truth.map(({ kind, culprit }) => `${kind} ${culprit ?? 'nobody'}`);
      for (const { kind, symbols } of findSplats(log)) {
        const at = missing.indexOf(`${kind} ${symbols[0] ?? 'nobody'}`);
        if (at < 0) tally.wrong++;
        else {
          missing.splice(at, 1);
          tally.right++;
        }
      }
      tally.missed += missing.length;
    }
    expect(tally).toEqual({ right: 65, wrong: 0, missed: 0 });
  });

  it.each(['6.12', '7.3', '7.3-region-to-kmem', '7.3-minimal', '7.3-region-drivers'])(
    'has the boot of a clean %s, with every message, and finds nothing in it',
    (kernel) => {
      const { log, sidecar } = read(`clean-boot-${kernel}`);
      expect(log).toContain('Linux version ');
      expect(log).toMatch(/Run \/init as init process/);
      expect(sidecar.truth).toEqual([]);
      expect(findSplats(log)).toEqual([]);
    },
  );

  it('gives the same with \\r\\n and with the callers of CONFIG_PRINTK_CALLER', () => {
    for (const { log, sidecar } of names.map(read)) {
      const expected = sidecar.recorded.map(({ fingerprint }) => fingerprint);
      const serial = log.replace(/\r?\n/g, '\r\n');
      const callers = log.replace(/^(\[ *\d+\.\d{6}\])/gm, (time) => `${time}[  T123]`);
      for (const variant of [serial, callers]) {
        expect(findSplats(variant).map(({ fingerprint }) => fingerprint)).toEqual(expected);
      }
    }
  });

  it('gives each splat the text and the place where it stands', () => {
    for (const { log } of names.map(read)) {
      for (const { text, offset } of findSplats(log)) {
        const [first] = text.split('\n');
        expect(log.slice(offset).startsWith(first ?? '?')).toBe(true);
      }
    }
  });
});
