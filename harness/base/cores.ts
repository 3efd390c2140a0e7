import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * Cores that this process gets: those it may run on, and no more than its control groups (version 2) allow it in time.
 * A container on a large machine may have one in sixty-four, which Node 20 does not tell.
 * @param groups where the control groups are mounted
 * @param own /proc/self/cgroup
 */
export function cores(groups = '/sys/fs/cgroup', own = '/proc/self/cgroup'): number {
  const [, group] = /^0::(\/.*)$/m.exec(read(own)) ?? [];
  let most = availableParallelism();
  for (let path = group; path !== undefined; path = path === '/' ? undefined : dirname(path)) {
    // Documentation/admin-guide/cgroup-v2.rst: "$MAX $PERIOD", both in microseconds; MAX may be "max"
    const [, max, period] = /^(\d+) (\d+)/.exec(read(join(groups, path, 'cpu.max'))) ?? [];
    if (max !== undefined && period !== undefined) most = Math.min(most, Number(max) / Number(period));
  }
  return Math.max(1, Math.round(most));
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
