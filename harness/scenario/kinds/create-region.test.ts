import { describe, expect, test } from 'vitest';
import type { ShLine, TypedShLine } from '../../abi/index.js';
import { createRegion } from './create-region.js';
import { Refusal } from '../steps/outcome.js';
import type { StepScope } from '../steps/scope.js';

/** Against a kernel that offers these names in turn, and finds a name busy that it no longer offers, or as it is told. */
async function createWhereOffered(
  names: string[],
  isBusy = (line: string) => !line.includes(names[0] ?? ''),
): Promise<{ captured: string[]; typed: string[] }> {
  const captured: string[] = [];
  const typed: string[] = [];
  const scope = {
    session: { context: { seed: 'seed' }, done: new Set() },
    id: '1',
    plan: { name: 'test', windows: [{ id: 'w', index: 0, granularity: 256 }] },
    device: () => ({ id: 'mem0', serial: 1, volatileBytes: 2 ** 28, persistentBytes: 0 }),
    memdevOf: () => 'mem0',
    state: () => ({
      decoders: { 'decoder2.0': { kind: 'endpoint', memdev: 'mem0', dpaSize: 0 } },
    }),
    driverName: (name: string) => name,
    capture: (_: string, { name }: { name: string }) => captured.push(name),
    type: (...lines: ShLine[]) =>
      Promise.resolve(
        lines.map((line): TypedShLine => {
          typed.push(line.text);
          const done = { ...line, stdout: '', stderr: '', code: 0, at: 0, milliseconds: 0 };
          if (line.text.startsWith('cat '))
            return { ...done, stdout: `${names.length > 1 ? names.shift() : names[0]}\n` };
          if (!isBusy(line.text)) return done;
          throw new Refusal({ ...done, code: 1, errno: 'EBUSY', stderr: 'write error' });
        }),
      ),
  } as unknown as StepScope;
  await createRegion.run({ as: 'r', mode: 'ram', targets: ['mem0'], commit: true, stop: 'create' }, scope);
  return { captured, typed };
}

describe('create-region', () => {
  test('takes the name that the kernel offers now when it has taken back the one that was read', async () => {
    const { captured, typed } = await createWhereOffered(['region1', 'region0']);
    expect(captured).toEqual(['region1', 'region0']);
    expect(typed.map((line) => line.replace(/\/sys\S*\//, ''))).toEqual([
      'cat create_ram_region',
      'echo region1 > create_ram_region',
      'cat create_ram_region',
      'echo region0 > create_ram_region',
    ]);
  });

  test('fails when the name that is busy is still the one that the kernel offers', async () => {
    await expect(createWhereOffered(['region1'], () => true)).rejects.toThrow(Refusal);
  });
});
