import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { cores } from './cores.js';

const root = mkdtempSync(join(tmpdir(), 'cxlrig-cores-'));
afterAll(() => rmSync(root, { recursive: true }));

/** A container in a slice, with what each of them is allowed. */
function groups(slice: string, container: string): [string, string] {
  mkdirSync(join(root, 'slice/container'), { recursive: true });
  writeFileSync(join(root, 'slice/cpu.max'), slice);
  writeFileSync(join(root, 'slice/container/cpu.max'), container);
  writeFileSync(join(root, 'own'), '1:cpu:/elsewhere\n0::/slice/container\n');
  return [root, join(root, 'own')];
}

test('are no more than any of the control groups allows in time, and at least one', () => {
  expect(cores(...groups('max 100000\n', '100000 100000\n'))).toBe(1);
  expect(cores(...groups('100000 100000\n', 'max 100000\n'))).toBe(1);
  expect(cores(...groups('max 100000\n', '20000 100000\n'))).toBe(1);
});

test('are those that the process may run on, where no control group says less', () => {
  expect(cores(...groups('max 100000\n', 'max 100000\n'))).toBe(availableParallelism());
  expect(cores(...groups('6400000 100000\n', '9900000 100000\n'))).toBe(availableParallelism());
  expect(cores('/nowhere', '/nowhere')).toBe(availableParallelism());
});
