import { dirname, join } from 'node:path';
import { cacheRoot, packageRoot } from '../../base/places.js';
import type { GuestSpec } from '../guest.js';

/** Starts a program that sees only some of the host's files. */
export const CONFINED = ['perl', join(packageRoot, 'scripts/confined')] as const;

/** QEMU itself, its firmware and libraries; what it looks up of the host's CPUs and memory; devices without a secret. */
const READ = [
  ...['/usr', '/lib', '/lib64', '/bin', '/etc/ld.so.cache', '/etc/ld.so.conf', '/etc/ld.so.conf.d'],
  ...['/proc/self', '/proc/stat', '/proc/meminfo', '/proc/cpuinfo', '/sys/devices/system'],
];
const WRITE = ['/dev/null', '/dev/zero', '/dev/random', '/dev/urandom', '/dev/kvm'];

/** What any QEMU may see, as words of scripts/confined. */
export const OF_ANY_QEMU: readonly string[] = [
  ...READ.map((path) => `r:${path}`),
  ...WRITE.map((path) => `w:${path}`),
];

/**
 * What the QEMU of a guest may see: that, the kernel, what the cache has, its own folder, and the files behind its memory.
 * @param args QEMU's arguments
 */
export function visibleFiles(
  { kernel, initramfs, dir }: Pick<GuestSpec, 'kernel' | 'initramfs' | 'dir'>,
  args: readonly string[],
): string[] {
  return [
    ...OF_ANY_QEMU,
    `r:${cacheRoot()}`,
    `r:${kernel.image}`,
    `r:${initramfs}`,
    `w:${dir}`,
    ...new Set(memoryFiles(args).map((file) => `w:${dirname(file)}`)),
  ];
}

function memoryFiles(args: readonly string[]): string[] {
  return args.flatMap((value, n) => {
    if (args[n - 1] !== '-object' || !value.startsWith('{')) return [];
    const { 'mem-path': path } = JSON.parse(value) as { readonly 'mem-path'?: string };
    return path === undefined ? [] : [path];
  });
}
