import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withNamesOfKernel, type State } from '../../abi/index.js';
import { quote } from '../../base/sh-quote.js';
import type { GuestShell } from '../../guest/guest.js';
import type { ResolvedKernel } from '../../kernel/resolved.js';
import type { ScenarioCase } from '../case.js';
import type { Requirement } from '../language/language.js';
import { satisfies } from '../language/versions.js';

/**
 * Why a case can't be asked of a kernel, from what is known without a guest: versions, modules, configuration.
 * @returns undefined when nothing is in the way
 */
export async function unmetByKernel(
  { requires }: ScenarioCase,
  kernel: ResolvedKernel,
  qemuVersion: string,
): Promise<string | undefined> {
  for (const requirement of requires) {
    const lack = await lackOfKernel(requirement, kernel, qemuVersion);
    if (lack !== undefined) return requirement.reason ?? lack;
  }
  return undefined;
}

/**
 * Why a case can't be asked of a booted guest: drivers, attributes and words of its tools that are not there.
 * @param abi the profile's names of drivers
 * @returns undefined when nothing is in the way
 * @throws GuestTimeout, GuestDied
 */
export async function unmetByGuest(
  { requires }: ScenarioCase,
  guest: GuestShell,
  state: State,
  abi: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  for (const requirement of requires) {
    const lack =
      (await lackOfDriver(requirement, guest, state, abi)) ??
      (await lackOfAttribute(requirement, guest, abi)) ??
      (await lackOfTool(requirement, guest));
    if (lack !== undefined) return requirement.reason ?? lack;
  }
  return undefined;
}

async function lackOfKernel(
  requirement: Requirement,
  kernel: ResolvedKernel,
  qemuVersion: string,
): Promise<string | undefined> {
  const { kernel: range, qemu, module, config } = requirement;
  if (range !== undefined && satisfies(kernel.release, range) === false) {
    return `needs a kernel ${range}, this is ${kernel.release}`;
  }
  if (qemu !== undefined && satisfies(qemuVersion, qemu) === false) {
    return `needs QEMU ${qemu}, this is ${qemuVersion}`;
  }
  if (module !== undefined && !(await hasModule(module, kernel))) {
    return `kernel ${kernel.release} has no module ${module}`;
  }
  if (config !== undefined && !(await hasConfig(config, kernel))) {
    return `kernel ${kernel.release} was built without ${config}`;
  }
  return undefined;
}

/** As a module of its own or built in. */
async function hasModule(module: string, { modulesDir }: ResolvedKernel): Promise<boolean> {
  const lists = await Promise.all(
    ['modules.dep', 'modules.builtin'].map((file) =>
      readFile(join(modulesDir, file), 'utf8').catch(() => ''),
    ),
  );
  const wanted = module.replaceAll('-', '_');
  return lists
    .flatMap((list) => list.split('\n'))
    .some((line) => {
      const file = line.split(':')[0]?.split('/').at(-1) ?? '';
      return file.replace(/\.ko(\.\w+)?$/, '').replaceAll('-', '_') === wanted;
    });
}

/** `CONFIG_X=y` is a line of it; `CONFIG_X` alone is set to anything; `CONFIG_X=n` is not set. */
async function hasConfig(wanted: string, { config }: ResolvedKernel): Promise<boolean> {
  const lines = (await readFile(config, 'utf8')).split('\n');
  const [option = '', value] = wanted.split('=', 2);
  const isSet = lines.some((line) => line.startsWith(`${option}=`));
  if (value === undefined) return isSet;
  return value === 'n' ? !isSet : lines.includes(wanted);
}

async function lackOfDriver(
  { driver }: Requirement,
  guest: GuestShell,
  state: State,
  abi: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  if (driver === undefined) return undefined;
  const name = abi[driver.name] ?? driver.name;
  const bus = (['cxl', 'dax', 'nd'] as const).find((one) => one === driver.bus);
  const exists = bus
    ? state.drivers[bus].includes(name)
    : await test(guest, `[ -e ${quote(`/sys/bus/${driver.bus}/drivers/${name}`)} ]`);
  return exists ? undefined : `no driver ${name} on the ${driver.bus} bus`;
}

async function lackOfAttribute(
  { attribute: written }: Requirement,
  guest: GuestShell,
  abi: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  if (written === undefined) return undefined;
  const attribute = withNamesOfKernel(abi, written);
  // everything but the wildcards is quoted, so that the shell expands these and nothing else
  const glob = attribute
    .split(/([*?]|\[[^\]]*\])/)
    .map((part, index) => (index % 2 === 1 ? part : part && quote(part)));
  const exists = await test(guest, `(for f in ${glob.join('')}; do [ -e "$f" ] && exit 0; done; exit 1)`);
  return exists ? undefined : `no attribute ${attribute}`;
}

/** The tools of ndctl say what they know: `cxl --list-cmds`, `cxl create-region --list-opts`. */
async function lackOfTool({ tool }: Requirement, guest: GuestShell): Promise<string | undefined> {
  if (tool === undefined) return undefined;
  const { name, command, option } = tool;
  const has = (list: string, word: string): Promise<boolean> =>
    test(guest, `${name} ${list} 2>&1 | tr ' ' '\n' | grep -qxE -- ${quote(word)}`);
  if (!(await has('--list-cmds', command))) return `this ${name} has no ${command}`;
  if (option === undefined || (await has(`${command} --list-opts`, `--${option}=?`))) return undefined;
  return `this ${name} has no ${command} --${option}`;
}

async function test(guest: GuestShell, line: string): Promise<boolean> {
  return (await guest.type(line, { timeoutMs: 15_000 })).code === 0;
}
