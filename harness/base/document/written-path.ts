import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

/** Absolute path of one that a person wrote: `~` is the home folder, others are relative to `base`. */
export function absolutePath(written: string, base: string): string {
  const expanded = expandHome(written);
  return isAbsolute(expanded) ? expanded : resolve(base, expanded);
}

export function expandHome(written: string): string {
  return written === '~' || written.startsWith('~/') ? join(homedir(), written.slice(1)) : written;
}
