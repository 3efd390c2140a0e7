import { consoleLines, type ConsoleLine } from './console-lines.js';
import { CLOSING, OPENING, RULER, SPLAT_SIGNS, type SplatKind } from './splat-signs.js';
import { describeSplat } from './fingerprint.js';

/** What the kernel complained of on the console. */
export interface Splat {
  readonly kind: SplatKind;
  /** one line, the same in every run of the same fault: no addresses, PIDs, CPUs or times */
  readonly title: string;
  /** functions from where it happened outwards, without those that every splat passes; five at most */
  readonly symbols: readonly string[];
  /** kind and symbols; equal for the same fault at different times and on different builds */
  readonly fingerprint: string;
  /** its lines as they stood on the console */
  readonly text: string;
  /** where its first line begins in the log, in UTF-16 units */
  readonly offset: number;
}

/** No report of a kernel is longer, except the stacks of all CPUs in a stall. */
const MAX_LINES = 400;
/** A title that brings no stack trace along within so many lines stands for itself. */
const MAX_LINES_BEFORE_TRACE = 150;

/** Every splat of a console log or of a piece of one, in order. */
export function findSplats(log: string): Splat[] {
  const lines = consoleLines(log);
  const splats: Splat[] = [];
  for (let at = 0; at < lines.length;) {
    const end = extent(lines, at);
    if (end === undefined) {
      at++;
      continue;
    }
    splats.push(describe(lines.slice(at, end)));
    at = end;
  }
  return splats;
}

function describe(lines: readonly ConsoleLine[]): Splat {
  const said = lines.map(({ text }) => text);
  const [first] = lines;
  return {
    ...describeSplat(said),
    text: lines.map(({ raw }) => raw).join('\n'),
    offset: first?.offset ?? 0,
  };
}

/** @returns the index after the last line of the splat that begins at a line; undefined when none begins there */
function extent(lines: readonly ConsoleLine[], start: number): number | undefined {
  const first = lines[start];
  if (!first) return undefined;
  let kind = signOf(first.text);
  if (kind === undefined && !OPENING.test(first.text)) return undefined;
  let end = start + 1;
  let inTrace = false;
  let traced = false;
  let strangers = 0;
  for (let at = start + 1; at < lines.length && at - start < MAX_LINES; at++) {
    const line = lines[at];
    if (!line) break;
    const { text } = line;
    // other writers to the console come in between; they neither belong to a splat nor end one
    if (!line.timed && first.timed) continue;
    if (CLOSING.test(text)) return at + 1;
    const sign = signOf(text);
    if (sign !== undefined || OPENING.test(text)) {
      if ((traced && sign !== 'oom-kill') || !continues(kind, sign)) break;
      if (sign === 'oom-kill' && !LAST_OF_OOM.test(text)) break;
      kind ??= sign;
      end = at + 1;
      if (LAST_OF_OOM.test(text)) return end;
    } else if (isFurniture(text)) {
      if (text.startsWith('Call Trace:')) traced = inTrace = true;
      if (END_OF_TRACE.test(text)) inTrace = false;
      strangers = 0;
      if (traced || kind === undefined) end = at + 1;
    } else if (kind !== undefined && goesOnAfterTrace(kind)) {
      if (LAST_OF_OOM.test(text) || (RULER.test(text) && traced)) return at + 1;
      if (traced) end = at + 1;
    } else if (traced) {
      // a word of another CPU within the trace is borne, after it only where an end is still to come
      strangers++;
      if (strangers > MAX_STRANGERS || !(inTrace || endsWithMarker(kind))) break;
    } else if (at - start > MAX_LINES_BEFORE_TRACE) break;
  }
  return kind === undefined ? undefined : end;
}

const MAX_STRANGERS = 8;
const END_OF_TRACE = /^\s*<\/TASK>/;
const LAST_OF_OOM = /^(?:Memory cgroup out of memory|Out of memory)[^:]*: Killed process/;

function signOf(text: string): SplatKind | undefined {
  return SPLAT_SIGNS.find(({ pattern }) => pattern.test(text))?.kind;
}

/**
 * A crash takes several lines each of which could begin a splat: a message of the list checks, "cut here", "kernel BUG
 * at", "Oops:". The first says most. @param next undefined for "cut here"
 */
function continues(kind: SplatKind | undefined, next: SplatKind | undefined): boolean {
  if (kind === undefined) return next !== undefined;
  if (next === undefined) return PRELUDES.includes(kind);
  if (next === 'bug' || next === 'warning') return PRELUDES.includes(kind);
  if (next === 'oops') return [...PRELUDES, 'bug', 'oops'].includes(kind);
  return next === 'oom-kill' && kind === 'oom-kill';
}

/** Messages that explain a WARNING or BUG which follows. */
const PRELUDES: readonly SplatKind[] = [
  'list-corruption',
  'refcount',
  'debug-objects',
  'usercopy',
  'fortify',
  'slab',
];

/** Reports of the sanitizers tell who allocated and who freed after their first stack trace; a ruler ends them. */
function goesOnAfterTrace(kind: SplatKind): boolean {
  return ['kasan', 'kcsan', 'kmsan', 'kfence', 'slab', 'oom-kill'].includes(kind);
}

function endsWithMarker(kind: SplatKind | undefined): boolean {
  return kind === undefined || ['warning', 'bug', 'oops', 'panic', 'ubsan', ...PRELUDES].includes(kind);
}

const FURNITURE: readonly RegExp[] = [
  /^\s*$/,
  /^ {0,7}(?:\? )?[\w.]+\+0x[0-9a-f]+\/0x[0-9a-f]+/,
  /^\s*(?:Call Trace:|<\/?[A-Z# ]+>|Modules linked in:|Code:|Tainted:|Hardware name:|Workqueue:|Kernel Offset:)/,
  /^(?:RIP|RSP|R[A-D]X|R[SD]I|RBP|R\d\d|FS|CS|CR\d|DR\d|PKRU|EFLAGS|ORIG_RAX)\b/,
  /^(?:CPU|task|PGD|#PF|irq event stamp|hardirqs|softirqs|NMI backtrace|Sending NMI|rcu:|\t|\s{4,})/,
  /^(?:stack backtrace|\d+ locks? held|\s*#\d+:|preempt_count|in_atomic|note:)/,
];

function isFurniture(text: string): boolean {
  return FURNITURE.some((pattern) => pattern.test(text));
}
