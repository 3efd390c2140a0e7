import { UsageError } from '../../base/errors.js';
import type { ConfigLine } from './config-file.js';

/** What any guest needs of its kernel; `y` must be built in, `m` may be a module. */
const NEEDS: readonly (readonly [string, 'y' | 'm', string])[] = [
  ['BLK_DEV_INITRD', 'y', 'the guest is an initramfs'],
  ['RD_ZSTD', 'y', 'the initramfs is compressed by zstd'],
  ['BINFMT_ELF', 'y', 'programs'],
  ['BINFMT_SCRIPT', 'y', 'the init is a script'],
  ['DEVTMPFS', 'y', '/dev'],
  ['PROC_FS', 'y', '/proc'],
  ['SYSFS', 'y', '/sys, where the ABI under test is'],
  ['TMPFS', 'y', 'temporary files'],
  ['SERIAL_8250_CONSOLE', 'y', 'the console that evidence is read from'],
  ['UNIX98_PTYS', 'y', 'the shell'],
  ['ACPI', 'y', 'CXL is described by ACPI tables'],
  ['PCI', 'y', 'CXL devices are PCI devices'],
  ['VIRTIO_PCI', 'm', 'the network'],
  ['VIRTIO_NET', 'm', 'SSH into the guest'],
  ['INET', 'y', 'SSH into the guest'],
  ['CXL_BUS', 'm', 'what this is about'],
];

/**
 * Looks at a configuration before hours go into building a kernel that could not boot as a guest.
 * @throws UsageError naming the options that are off
 */
export function requireGuestNeeds(what: string, config: ReadonlyMap<string, ConfigLine>): void {
  const missing = NEEDS.filter(([symbol, least]) => {
    const value = config.get(symbol)?.value ?? 'n';
    return !(value === 'y' || (value === 'm' && least === 'm'));
  });
  if (missing.length === 0) return;
  throw new UsageError(
    [
      `${what} is configured without what a guest needs:`,
      ...missing.map(
        ([symbol, least, why]) => `  CONFIG_${symbol}=${least === 'm' ? 'y or m' : 'y'}: ${why}`,
      ),
    ].join('\n'),
    'turn them on in its .config, or build it with our own: --kernel minimal --kernel-tree DIR',
  );
}
