import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * A kernel tree in the small: answers the targets of kbuild that a build uses, and "compiles" by copying. A source
 * line `#error TEXT` fails as a compiler does; `#wait` compiles until a file `.go` is beside the object.
 */
export async function writeFakeTree(dir: string, release = '9.9.0-fake'): Promise<void> {
  const files: Record<string, string> = {
    Makefile: makefile(release),
    Kconfig: 'mainmenu "Fake"\nsource "drivers/Kconfig"\n',
    'drivers/Kconfig': KCONFIG,
    'scripts/cc.sh': COMPILER,
    'scripts/conf.sh': CONF,
    'drivers/dax/kmem.c': sourceFile('kmem'),
    'drivers/dax/bus.c': sourceFile('bus'),
    'drivers/cxl/region.c': sourceFile('region'),
    '.gitignore': '.*\n*.o\n!.gitignore\n',
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  }
  await writeFile(join(dir, 'scripts/bzImage'), fakeBzImage());
  await chmod(join(dir, 'scripts/cc.sh'), 0o755);
}

/** A patch as git format-patch writes one: replaces a line of a file that writeFakeTree made. */
export function fakePatch(path: string, before: string, after: string, subject = `change ${path}`): string {
  const name = path.replace(/^.*\/(.*)\.c$/, '$1');
  const old = sourceFile(name).split('\n').slice(0, -1);
  const at = old.indexOf(before);
  if (at < 0) throw new Error(`${path} has no line '${before}'`);
  const body = old.flatMap((line, index) => (index === at ? [`-${before}`, `+${after}`] : [` ${line}`]));
  return [
    'From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001',
    'From: A Developer <developer@example.org>',
    'Date: Sun, 22 Nov 2026 12:00:00 +0000',
    `Subject: [PATCH] ${subject}`,
    '',
    'Why it is so.',
    '---',
    ` ${path} | 2 +-`,
    ' 1 file changed, 1 insertion(+), 1 deletion(-)',
    '',
    `diff --git a/${path} b/${path}`,
    `--- a/${path}`,
    `+++ b/${path}`,
    `@@ -1,${old.length} +1,${old.length} @@`,
    ...body,
    '-- ',
    '2.39.5',
    '',
    '',
  ].join('\n');
}

export function sourceFile(name: string): string {
  return [
    `// ${name}`,
    `int ${name}_first(void);`,
    `int ${name}_second(void);`,
    `int ${name}_third(void);`,
    '',
  ].join('\n');
}

/** A bzImage by its header, with a payload in a format that nobody knows: it is booted as it is. */
function fakeBzImage(): Buffer {
  const image = Buffer.alloc(4096);
  image.writeUInt8(1, 0x1f1);
  image.write('HdrS', 0x202, 'latin1');
  image.writeUInt16LE(0x020f, 0x206);
  image.writeUInt32LE(64, 0x248);
  image.writeUInt32LE(256, 0x24c);
  return image;
}

const NEEDED =
  'BLK_DEV_INITRD RD_ZSTD BINFMT_ELF BINFMT_SCRIPT DEVTMPFS PROC_FS SYSFS TMPFS SERIAL_8250_CONSOLE UNIX98_PTYS ACPI PCI VIRTIO_PCI VIRTIO_NET INET CXL_BUS MODULES';

const KCONFIG = `${NEEDED.split(' ')
  .map((name) => `config ${name}\n\tbool "${name}"\n`)
  .join('\n')}
config DEV_DAX
	bool "DAX"

config DEV_DAX_HMEM
	bool "HMEM"
	depends on EFI_SOFT_RESERVE

config EFI_SOFT_RESERVE
	bool "soft reserve"
`;

function makefile(release: string): string {
  return `
srctree := $(CURDIR)
sources := $(patsubst $(srctree)/%,%,$(wildcard $(srctree)/drivers/*/*.c))
objects := $(addprefix $(O)/,$(sources:.c=.o))
KCONFIG_CONFIG ?= $(O)/.config
modules_dir := $(INSTALL_MOD_PATH)/lib/modules/${release}

tinyconfig:
	@sh scripts/conf.sh tiny $(KCONFIG_CONFIG)
olddefconfig:
	@sh scripts/conf.sh old $(KCONFIG_CONFIG)
prepare:
	@mkdir -p $(O)/include/config $(O)/arch/x86/boot
	@echo ${release} > $(O)/include/config/kernel.release
bzImage: prepare $(objects)
	@echo '  LD      bzImage'; cat scripts/bzImage $(objects) > $(O)/arch/x86/boot/bzImage
$(O)/%.o: %.c
	@mkdir -p $(@D); echo '  CC      $*.o'; sh scripts/cc.sh $(srctree)/$< $@
modules: bzImage
modules_install:
	@mkdir -p $(modules_dir); touch $(modules_dir)/modules.order $(modules_dir)/modules.builtin; ln -s nowhere $(modules_dir)/build
.PHONY: tinyconfig olddefconfig prepare bzImage modules modules_install
.DELETE_ON_ERROR:
`;
}

const COMPILER = `#!/bin/sh
if grep -q '#wait' "$1"; then
  touch "\${2%.o}.waits"
  while [ -e "\${2%.o}.waits" ] && ! [ -e "\${2%.o}.go" ]; do sleep 0.1; done
fi
if line=$(grep -n '#error' "$1"); then
  echo "$1:\${line%%:*}:2: error: \${line#*#error }" >&2
  echo "    \${line%%:*} | #error" >&2
  exit 1
fi
cp "$1" "$2"
`;

/** Knows of dependencies only that DEV_DAX_HMEM needs EFI_SOFT_RESERVE. */
const CONF = `#!/bin/sh
if [ "$1" = tiny ]; then
  for option in ${NEEDED}; do echo "CONFIG_$option=y"; done > "$2"
  exit
fi
cp "$2" "$2.work"
while read -r line; do
  name=\${line#\\# }; name=\${name#CONFIG_}; name=\${name%%[= ]*}
  grep -q "^config $name$" drivers/Kconfig || continue
  [ "$name" = DEV_DAX_HMEM ] && ! grep -q '^CONFIG_EFI_SOFT_RESERVE=y' "$2.work" && continue
  echo "$line"
done < "$2.work" > "$2"
rm "$2.work"
`;
