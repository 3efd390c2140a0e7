import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { optionalIn, readConfig, writeConfig } from './config-file.js';
import { readKconfig, type Kconfig } from './kconfig.js';
import { lostOptions, whyLost } from './survival.js';

// Excerpts of drivers/dax/Kconfig, drivers/firmware/efi/Kconfig and arch/x86/Kconfig of Linux 7.3
const FILES = {
  Kconfig: `mainmenu "Linux/$(ARCH) $(KERNELVERSION) Kernel Configuration"
source "arch/$(SRCARCH)/Kconfig"
source "drivers/dax/Kconfig"
`,
  'arch/x86/Kconfig': `config 64BIT
	def_bool y

config EFI
	bool "EFI runtime service support"
	depends on ACPI
	select UCS2_STRING
	help
	  This enables the kernel to use EFI runtime services.

	  depends on nothing: this line is help text

config ACPI
	bool "ACPI"

config UCS2_STRING
	bool

config EFI_STUB
	bool "EFI stub support"
	depends on EFI

config EFI_SOFT_RESERVE
	bool "Reserve EFI Specific Purpose Memory"
	depends on EFI && EFI_STUB && ACPI_HMAT
	default ACPI_HMAT

config ACPI_HMAT
	bool "ACPI Heterogeneous Memory Attribute Table Support" if EXPERT

choice
	prompt "Compiler optimization level"
	default CC_OPTIMIZE_FOR_PERFORMANCE

config CC_OPTIMIZE_FOR_PERFORMANCE
	bool "Optimize for performance (-O2)"

config CC_OPTIMIZE_FOR_SIZE
	bool "Optimize for size (-Os)"

endchoice
`,
  'drivers/dax/Kconfig': `menuconfig DAX
	tristate "DAX: direct access to differentiated memory"

if DAX

config DEV_DAX
	tristate "Device DAX: direct access mapping device"
	depends on TRANSPARENT_HUGEPAGE

config DEV_DAX_HMEM
	tristate "HMEM DAX: direct access to 'specific purpose' memory"
	depends on EFI_SOFT_RESERVE
	default DEV_DAX
	depends on CXL_ACPI || !CXL_ACPI

endif
`,
};

let tree: string;
let kconfig: Kconfig;

beforeAll(async () => {
  tree = await mkdtemp(join(tmpdir(), 'cxlrig-kconfig-'));
  for (const [path, text] of Object.entries(FILES)) {
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await writeFile(join(tree, path), text);
  }
  kconfig = await readKconfig(tree);
});

afterAll(() => rm(tree, { recursive: true, force: true }));

function reason(requested: string, final: string): string {
  const [option] = lostOptions(readConfig(requested, 'fragment').values(), readConfig(final));
  if (!option) throw new Error('it survived');
  return whyLost(option, kconfig, readConfig(final));
}

describe('a requested option', () => {
  it('survives with the value asked for, or as not set where that was asked for', () => {
    const asked = readConfig('CONFIG_A=y\nCONFIG_B=m\n# CONFIG_C is not set\nCONFIG_D="x"\n');
    const final = readConfig('CONFIG_A=y\nCONFIG_B=y\nCONFIG_D="x"\n');
    expect(lostOptions(asked.values(), final).map(({ request, became }) => [request.symbol, became])).toEqual(
      [['B', 'y']],
    );
  });

  it('is lost to an unmet dependency, which is followed to what is to be turned on', () => {
    expect(reason('CONFIG_DEV_DAX_HMEM=m', 'CONFIG_DAX=y\nCONFIG_ACPI=y\nCONFIG_EFI=y\n')).toBe(
      "it depends on EFI_SOFT_RESERVE=n (which depends on EFI_STUB=n, and on ACPI_HMAT=n (which can't be set by itself))",
    );
  });

  it('that must be built in is lost when what it depends on is a module', () => {
    expect(reason('CONFIG_DEV_DAX=y', 'CONFIG_DAX=m\nCONFIG_TRANSPARENT_HUGEPAGE=y\nCONFIG_DEV_DAX=m')).toBe(
      'it depends on DAX=m',
    );
  });

  it('is lost when the menu around it is off', () => {
    expect(reason('CONFIG_DEV_DAX=m', '')).toContain('it depends on DAX=n');
  });

  it('is lost when no Kconfig file knows it', () => {
    expect(reason('CONFIG_DEV_DAX_HMEN=m', '')).toBe(
      'this kernel has no such option; did you mean CONFIG_DEV_DAX_HMEM?',
    );
  });

  it('is lost when it can be no module', () => {
    expect(reason('CONFIG_EFI=m', 'CONFIG_EFI=y')).toBe('it can be y or n only, there is no module of it');
  });

  it('is lost to the other of its choice', () => {
    expect(reason('CONFIG_CC_OPTIMIZE_FOR_SIZE=y', 'CONFIG_CC_OPTIMIZE_FOR_PERFORMANCE=y')).toBe(
      'it is one of a choice, and CC_OPTIMIZE_FOR_PERFORMANCE is chosen',
    );
  });

  it('stays on against the request when another selects it', () => {
    expect(
      reason('# CONFIG_UCS2_STRING is not set', 'CONFIG_EFI=y\nCONFIG_ACPI=y\nCONFIG_UCS2_STRING=y'),
    ).toBe('it is selected by EFI=y');
  });

  it('can not be had when it has no prompt', () => {
    expect(reason('CONFIG_UCS2_STRING=y', '')).toBe("it can't be set by itself; selected by EFI");
  });
});

describe('a config fragment', () => {
  it('keeps its last word on an option, with the line that said it', () => {
    const options = readConfig('CONFIG_A=y\n# CONFIG_A is not set\n', 'base');
    expect([...options.values()]).toEqual([{ symbol: 'A', value: 'n', from: 'base:2' }]);
    expect(writeConfig(options.values())).toBe('# CONFIG_A is not set\n');
  });

  it('can forgive options that a kernel lacks', () => {
    expect([...optionalIn('# if known: CONFIG_A CONFIG_B\nCONFIG_A=y\n')]).toEqual(['A', 'B']);
  });
});
