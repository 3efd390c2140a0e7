#!/bin/sh
# Boots the machine of a cxlrig case with QEMU alone.
# Case: current/refuse-target
# Machine: two-ports, kernel 7.3.4+deb13-cloud-amd64 (Debian 7.3.4+deb13-cloud-amd64 (7.3.4-1~bpo13+1))
#
#   sh qemu.sh                  a shell of the guest on this terminal; Ctrl-A x ends it, Ctrl-A c is QEMU's monitor
#   sh qemu.sh repro.sh ...     the same, with the files in the guest's root folder: type "sh /repro.sh" there
#   KERNEL=... INITRD=... sh qemu.sh     another kernel (bzImage, or vmlinux with CONFIG_PVH) with its initramfs
#
# The paths below are those of the machine where the case ran. Elsewhere, any initramfs will do that has busybox and
# the kernel's CXL and DAX modules, mounts /proc, /sys and /dev, and gives a shell on /dev/console. In short:
#   mmdebstrap --variant=extract --include=busybox-static,kmod,cxl,daxctl,ndctl,libc-bin stable root
#   cp -a /lib/modules/RELEASE root/usr/lib/modules/ && depmod -b root RELEASE
#   printf '%s\n' '#!/bin/busybox sh' '/bin/busybox --install -s /bin' 'mount -t devtmpfs d /dev' \
#     'mount -t proc p /proc' 'mount -t sysfs s /sys' 'mount -t debugfs g /sys/kernel/debug' \
#     'modprobe -a cxl_acpi cxl_port cxl_mem cxl_pmem cxl_pci dax_cxl dax_pmem device_dax kmem' \
#     'exec setsid cttyhack sh' > root/init && chmod +x root/init
#   (cd root && find . | cpio -o -H newc) | zstd > initrd
set -eu
KERNEL=${KERNEL:-/home/user/.cache/cxlrig/kernel/97a4ec14a4b9ebd784903a97/vmlinux}
INITRD=${INITRD:-/home/user/.cache/cxlrig/images/a4f1827ba4c0976697150f4d/initramfs}
for file in "$KERNEL" "$INITRD"; do
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
fi
qemu-system-x86_64 \
  -nodefaults \
  -no-user-config \
  -M q35,cxl=on,sata=off,smbus=off,usb=off,hpet=off \
  -accel tcg \
  -cpu max,-hypervisor,-erms,-fsrm,-fzrm,-fsrs \
  -display none \
  -no-reboot \
  -action panic=pause \
  -kernel "$KERNEL" \
  -append 'console=ttyS0 loglevel=6 panic=-1 tsc=reliable cryptomgr.notests' \
  -netdev '{"type":"user","id":"net0","restrict":true,"hostfwd":[{"str":"tcp:127.0.0.1:0-:22"}]}' \
  -device '{"driver":"virtio-net-pci","netdev":"net0","bus":"pcie.0","romfile":""}' \
  -device '{"driver":"pvpanic-pci","bus":"pcie.0"}' \
  -smp 2 \
  -m 1024M,slots=4,maxmem=16384M \
  -device '{"driver":"pxb-cxl","id":"hb0","bus":"pcie.0","addr":"0x10","bus_nr":16,"hdm_for_passthrough":true}' \
  -device '{"driver":"cxl-rp","id":"rp0","bus":"hb0","port":0,"chassis":0,"slot":1}' \
  -device '{"driver":"cxl-rp","id":"rp1","bus":"hb0","port":1,"chassis":0,"slot":2}' \
  -object '{"qom-type":"memory-backend-ram","id":"mem0-volatile","size":268435456}' \
  -device '{"driver":"cxl-type3","id":"mem0","bus":"rp0","sn":1,"volatile-memdev":"mem0-volatile"}' \
  -object '{"qom-type":"memory-backend-ram","id":"mem1-volatile","size":268435456}' \
  -device '{"driver":"cxl-type3","id":"mem1","bus":"rp1","sn":2,"volatile-memdev":"mem1-volatile"}' \
  -M cxl-fmw.0.targets.0=hb0,cxl-fmw.0.size=4096M,cxl-fmw.0.interleave-granularity=256 \
  -initrd "$INITRD" \
  -chardev stdio,id=console,mux=on,signal=off \
  -serial chardev:console \
  -mon chardev=console \
  -name cxlrig
