import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CaseTrace } from '../../trace/trace.js';
import { qemuScriptForPeople } from './qemu.js';
import { reproScript } from './script.js';

const EXECUTABLE = 0o755;

/**
 * Writes repro.sh and qemu.sh of a case, where the case has them.
 * @param from folder of the case's artifacts
 * @param to folder to write into: the same, or another
 * @returns the names of the files written
 */
export async function writeRepro(trace: CaseTrace, from: string, to: string): Promise<string[]> {
  await mkdir(to, { recursive: true });
  const written: string[] = [];
  const write = async (name: string, text: string | undefined): Promise<void> => {
    if (text === undefined) return;
    await writeFile(join(to, name), text, { mode: EXECUTABLE });
    written.push(name);
  };
  await write('repro.sh', reproScript(trace));
  const ofGuest = await readFile(join(from, 'qemu.sh'), 'utf8').catch(() => undefined);
  await write('qemu.sh', ofGuest === undefined ? undefined : qemuScriptForPeople(ofGuest, trace));
  return written;
}
