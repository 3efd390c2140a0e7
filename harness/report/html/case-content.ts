import { open, readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CaseTrace } from '../../trace/trace.js';
import { reproScript } from '../repro/script.js';
import type { CaseContent } from './page-content.js';

/** What belongs to a case beyond its trace, as far as it is at hand: reports are also made from saved traces alone. */
export async function caseContent(runDir: string, trace: CaseTrace): Promise<CaseContent> {
  const dir = join(runDir, trace.artifacts);
  const [source, consoleTail, artifacts] = await Promise.all([
    sourceThatRan(trace),
    needsConsole(trace) ? lastBytes(join(dir, 'console.log')) : undefined,
    readdir(dir).catch((): string[] => []),
  ]);
  const repro = reproScript(trace);
  return {
    trace,
    ...(source !== undefined && { source }),
    ...(consoleTail !== undefined && { consoleTail }),
    ...(repro !== undefined && { repro }),
    artifacts: ARTIFACTS.filter((name) => artifacts.includes(name)),
  };
}

/** In the order in which one wants them. */
const ARTIFACTS = ['repro.sh', 'qemu.sh', 'console.log', 'dmesg.log', 'trace.json'];

const TAIL_BYTES = 24 * 1024;

/** A dead or unborn guest: its last words may be nowhere but on the console. */
function needsConsole({ verdict, steps }: CaseTrace): boolean {
  if (verdict === 'infra') return true;
  return verdict !== 'pass' && verdict !== 'skip' && !steps.some(({ failure }) => failure?.subject);
}

/** The scenario's text, unless it was changed since: lines that did not run must not be shown as the evidence. */
async function sourceThatRan({ case: { position }, startedAt }: CaseTrace): Promise<string | undefined> {
  try {
    const { mtimeMs } = await stat(position.file);
    return mtimeMs <= startedAt ? await readFile(position.file, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}

async function lastBytes(file: string): Promise<string | undefined> {
  try {
    const opened = await open(file);
    try {
      const { size } = await opened.stat();
      const length = Math.min(size, TAIL_BYTES);
      const { buffer } = await opened.read(Buffer.alloc(length), 0, length, size - length);
      const text = buffer.toString('utf8');
      return size > length ? text.slice(text.indexOf('\n') + 1) : text;
    } finally {
      await opened.close();
    }
  } catch {
    return undefined;
  }
}
