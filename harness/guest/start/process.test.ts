import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { build } from 'vite';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startQemu } from './process.js';

let dir: string;
beforeAll(() => (dir = mkdtempSync(join(tmpdir(), 'cxlrig-process-'))));
afterAll(() => rmSync(dir, { recursive: true }));

const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);

test('the end is told with its exit code, and standard error is in the log', async () => {
  const log = join(dir, 'qemu.log');
  const started = startQemu('sh', ['-c', 'echo no such device >&2; exit 1'], dir, log);
  expect(await started.ended).toBe('exit code 1');
  expect(readFileSync(log, 'utf8')).toBe('no such device\n');
});

test('a kill is told as a signal', async () => {
  const started = startQemu('sleep', ['60'], dir, join(dir, 'qemu.log'));
  started.kill();
  expect(await started.ended).toBe('signal SIGKILL');
  expect(isAlive(started.pid)).toBe(false);
});

test('it runs in the folder that it is given', async () => {
  const log = join(dir, 'qemu.log');
  await startQemu('sh', ['-c', 'pwd >&2'], dir, log).ended;
  expect(readFileSync(log, 'utf8')).toBe(`${dir}\n`);
});

test('it dies with its parent, even when that is killed by SIGKILL', async () => {
  const pid = join(dir, 'pid');
  await build({
    configFile: false,
    logLevel: 'silent',
    ssr: { noExternal: true },
    build: { ssr: fileURLToPath(new URL('./process.ts', import.meta.url)), outDir: join(dir, 'built') },
  });
  const parent = execa(process.execPath, ['--input-type=module', '-'], {
    reject: false,
    input: `import { writeFileSync } from 'node:fs';
      import { startQemu } from ${JSON.stringify(join(dir, 'built', 'process.js'))};
      const { pid } = startQemu('sleep', ['300'], ${JSON.stringify(dir)}, ${JSON.stringify(join(dir, 'log'))});
      writeFileSync(${JSON.stringify(pid)}, String(pid));`,
  });
  const child = await vi.waitFor(() => Number(readFileSync(pid, 'utf8') || NaN), { timeout: 15_000 });
  expect(isAlive(child)).toBe(true);
  parent.kill('SIGKILL');
  await vi.waitFor(() => expect(isAlive(child)).toBe(false), { timeout: 5_000 });
});
