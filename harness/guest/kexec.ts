import { quote } from '../base/sh-quote.js';
import type { ResolvedKernel } from '../kernel/resolved.js';

/**
 * The word of the kernel command line that lets a guest kexec: the kernel keeps its initrd (/sys/firmware/initrd, Linux
 * 6.7), and the harness puts the kernel into it, so that the next one has all that it needs to do the same again.
 */
export const RETAIN_INITRD = 'retain_initrd';

/** Where the kernel lies in a guest that can kexec, as a path in the initrd. */
export const KERNEL_IN_INITRD = 'boot/kernel';

/**
 * Loads the guest's own kernel, its initrd and command line with further options, and starts it; the machine is not
 * reset. --kexec-syscall: a vmlinux is nothing for the file based one. The line ends only where it fails.
 *
 * On one CPU: under TCG the second one, started for the second time, was seen without its timer (`rcu_preempt kthread
 * timer wakeup didn't happen`, one in some forty).
 */
export function kexecLine({ format }: Pick<ResolvedKernel, 'format'>, cmdline: readonly string[]): string {
  const options = quote(['maxcpus=1', ...cmdline].join(' '));
  const elf = format === 'elf' ? ' --args-linux' : '';
  return [
    `kexec --kexec-syscall${elf} --load /${KERNEL_IN_INITRD} --initrd=/sys/firmware/initrd --reuse-cmdline --append=${options}`,
    'kexec --exec',
  ].join(' && ');
}
