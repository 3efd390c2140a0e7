import { quote } from '../../base/sh-quote.js';
import type { CaseTrace } from '../../trace/trace.js';

const MARK = '# Boots the machine of a cxlrig case with QEMU alone.';

/**
 * qemu.sh for people: the command line that the guest of the case was started with, the kernel and the initramfs
 * replaceable, and a way to get files into the guest.
 * @param script what the guest left in its folder: `exec qemu \`, an option a line, `"$@"`
 * @returns undefined when the script has another form; the script itself when it is such a one already
 */
export function qemuScriptForPeople(script: string, trace: CaseTrace): string | undefined {
  if (script.includes(MARK)) return script;
  const lines = script.split('\n');
  const start = lines.findIndex((line) => line.startsWith('exec '));
  const end = lines.findIndex((line) => line.trim() === '"$@"');
  const kernel = wordAfter('-kernel', lines);
  const initrd = wordAfter('-initrd', lines);
  if (start < 0 || end < start || kernel === undefined || initrd === undefined) return undefined;
  const origin = lines.find((line) => line.startsWith('# '))?.slice(2) ?? trace.machine.name;
  const options = lines.slice(start + 1, end).map((line) => {
    if (line.startsWith('  -kernel ')) return '  -kernel "$KERNEL" \\';
    return line.startsWith('  -initrd ') ? '  -initrd "$INITRD" \\' : line;
  });
  const usesQmp = trace.steps.some((step) => step.lines.some(({ channel }) => channel === 'qmp'));
  return [
    '#!/bin/sh',
    MARK,
    `# Case: ${trace.case.id.replace(/\s+/g, ' ')}`,
    `# Machine: ${origin}`,
    ...USAGE,
    'set -eu',
    `KERNEL=\${KERNEL:-${kernel}}`,
    `INITRD=\${INITRD:-${initrd}}`,
    ...PREPARATION,
    ...(usesQmp ? QMP_SOCKET : []),
    (lines[start] ?? '').slice('exec '.length),
    ...options,
    ...(usesQmp ? [`  -qmp "unix:$TMP/qmp,server=on,wait=off" \\`] : []),
    '  -name cxlrig',
    '',
  ].join('\n');
}

function wordAfter(option: string, lines: readonly string[]): string | undefined {
  const word = lines
    .find((line) => line.startsWith(`  ${option} `))
    ?.slice(option.length + 3)
    .replace(/ \\$/, '');
  return word === undefined ? undefined : quote(word.replace(/^'(.*)'$/, '$1'));
}

const USAGE = `#
#   sh qemu.sh                  a shell of the guest on this terminal; Ctrl-A x ends it, Ctrl-A c is QEMU's monitor
#   sh qemu.sh repro.sh ...     the same, with the files in the guest's root folder: type "sh /repro.sh" there
#   KERNEL=... INITRD=... sh qemu.sh     another kernel (bzImage, or vmlinux with CONFIG_PVH) with its initramfs
#
# The paths below are those of the machine where the case ran. Elsewhere, any initramfs will do that has busybox and
# the kernel's CXL and DAX modules, mounts /proc, /sys and /dev, and gives a shell on /dev/console. In short:
#   mmdebstrap --variant=extract --include=busybox-static,kmod,cxl,daxctl,ndctl,libc-bin stable root
#   cp -a /lib/modules/RELEASE root/usr/lib/modules/ && depmod -b root RELEASE
#   printf '%s\\n' '#!/bin/busybox sh' '/bin/busybox --install -s /bin' 'mount -t devtmpfs d /dev' \\
#     'mount -t proc p /proc' 'mount -t sysfs s /sys' 'mount -t debugfs g /sys/kernel/debug' \\
#     'modprobe -a cxl_acpi cxl_port cxl_mem cxl_pmem cxl_pci dax_cxl dax_pmem device_dax kmem' \\
#     'exec setsid cttyhack sh' > root/init && chmod +x root/init
#   (cd root && find . | cpio -o -H newc) | zstd > initrd`.split('\n');

const PREPARATION = `for file in "$KERNEL" "$INITRD"; do
  [ -r "$file" ] || { echo "$file is not there: see the top of $0" >&2; exit 2; }
done
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
if [ $# -gt 0 ]; then
  mkdir "$TMP/files"
  cp -- "$@" "$TMP/files/"
  # the kernel unpacks archives that follow each other one over the other
  (cd "$TMP/files" && find . -type f | cpio -o -H newc --quiet) > "$TMP/initrd"
  cat "$INITRD" >> "$TMP/initrd"
  INITRD=$TMP/initrd
fi`.split('\n');

const QMP_SOCKET = [
  'echo "QMP, for the commands that repro.sh asks for: socat READLINE UNIX:$TMP/qmp   (first: {\\"execute\\":\\"qmp_capabilities\\"})"',
];
