import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { UsageError } from '../base/errors.js';
import { checkFiles, registerCheck } from './check.js';

const broken = fileURLToPath(new URL('../scenario/load/broken/', import.meta.url));

async function check(...args: string[]): Promise<{ output: string; exitCode: unknown }> {
  let output = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    output += String(text);
    return true;
  });
  const program = new Command();
  registerCheck(program);
  await program.parseAsync(['node', 'cxlrig', 'check', ...args]);
  const { exitCode } = process;
  return { output, exitCode };
}

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = 0;
});

describe('cxlrig check', () => {
  test('finds everything that is shipped right', async () => {
    const checked = await checkFiles([]);
    expect(checked.flatMap(({ faults }) => faults)).toEqual([]);
    expect(new Set(checked.map(({ language }) => language))).toEqual(
      new Set(['scenario', 'folder', 'topology', 'kernel', 'tools']),
    );
  });

  test('prints every fault with its place, the lines around it and a hint, and exits 2', async () => {
    const { output, exitCode } = await check(`${broken}unknown-errno.yaml`, `${broken}unknown-step.yaml`);
    expect(exitCode).toBe(2);
    expect(output).toContain(
      'harness/scenario/load/broken/unknown-errno.yaml:6:24: Linux has no errno EINVALL\n',
    );
    expect(output).toContain('> 6 |   - { value: 0, errno: EINVALL }');
    expect(output).toContain('did you mean EINVAL?');
    expect(output).toContain('2 files, 0 cases: 4 faults in 2 files\n');
  });

  test('prints JSON for programs', async () => {
    const { output, exitCode } = await check(
      '--format',
      'json',
      `${broken}unknown-topology.yaml`,
      'current/interleave',
    );
    expect(exitCode).toBe(2);
    expect(JSON.parse(output)).toMatchObject({
      files: [
        {
          language: 'scenario',
          faults: [{ line: 4, column: 11, message: 'there is no topology "one-volatil"' }],
        },
        { file: 'scenarios/current/interleave.yaml', faults: [] },
      ],
    });
  });

  test('exits 0 when all is right', async () => {
    const { output, exitCode } = await check('current/interleave', 'scenarios/topologies/none.yaml');
    expect(exitCode).toBe(0);
    expect(output).toMatch(/^2 files, \d+ cases?: all right\n$/);
  });

  test('refuses names of nothing', async () => {
    await expect(checkFiles(['current/nothing-of-the-kind'])).rejects.toThrow(UsageError);
  });
});
