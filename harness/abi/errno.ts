import { errnoTable } from './errno-table.js';

/** `ENOTSUP` and the like: a second word for a number. What a shell prints does not tell them apart. */
const ALIASES: Readonly<Record<string, string>> = {
  EWOULDBLOCK: 'EAGAIN',
  EDEADLOCK: 'EDEADLK',
  ENOTSUP: 'EOPNOTSUPP',
  EFSBADCRC: 'EBADMSG',
  EFSCORRUPTED: 'EUCLEAN',
};

/**
 * What programs say in words of their own instead of strerror()'s.
 * The first two: busybox, shell/ash.c:errmsg(); the others: kmod, which looks before it asks the kernel, and ndctl.
 */
const OTHER_WORDS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/: nonexistent directory$/, 'ENOENT'],
  [/: no such file$/, 'ENOENT'],
  // delete_module(2) on a module in use is EWOULDBLOCK
  [/: FATAL: Module \S+ is in use\b/, 'EAGAIN'],
  [/: ERROR: Module \S+ is in use\b/, 'EAGAIN'],
  [/\bModule \S+ is (?:not currently loaded|builtin)\.?$/, 'ENOENT'],
  [/\bFATAL: Module \S+ not found\b/, 'ENOENT'],
  [/\bmodule \S+ not found in modules\.dep$/, 'ENOENT'],
];

const nameByText = new Map(errnoTable.map(([, name, text]) => [text, name]));
const nameByNumber = new Map(errnoTable.map(([number, name]) => [number, name]));

/** Longest first: `No such device or address` is not `No such device`. */
const texts = [...nameByText.keys()].sort((a, b) => b.length - a.length).map(escapeRegExp);
const STRERROR = new RegExp(`(?:^|[:(,] *)(${texts.join('|')})(?=$|[).,;:\\s])`);

/**
 * The errno that a program's complaint on standard error speaks of, by name: of the first line that names one.
 * Knows the texts of libc's strerror() after a colon, as the shell, cat, cxl, daxctl, ndctl and modprobe print them,
 * and `Unknown error 524` for numbers that no libc has a text for.
 */
export function errnoOf(complaint: string): string | undefined {
  for (const line of complaint.split('\n')) {
    const name = errnoOfLine(line.trim());
    if (name !== undefined) return name;
  }
  return undefined;
}

function errnoOfLine(line: string): string | undefined {
  const text = STRERROR.exec(line)?.[1];
  if (text !== undefined) return nameByText.get(text);
  return OTHER_WORDS.find(([pattern]) => pattern.test(line))?.[1];
}

/** The name under which a number is known: `EWOULDBLOCK` is `EAGAIN`. */
export function canonicalErrno(name: string): string {
  return ALIASES[name] ?? name;
}

/** The name of a number, as a negative return value of the kernel's has it or without the sign. */
export function errnoName(number: number): string | undefined {
  return nameByNumber.get(Math.abs(number));
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
