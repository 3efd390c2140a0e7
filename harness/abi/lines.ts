import { quote } from '../base/sh-quote.js';

/** A line that a person could type, and what it is about. */
export interface ShLine {
  /** POSIX sh */
  readonly text: string;
  /**
   * The file that it writes or reads. sysfs answers EACCES to a write to a file that is not there, as to one that may
   * not be written: with the subject known, the two are told apart.
   */
  readonly subject?: string;
}

export const cxlDevices = '/sys/bus/cxl/devices';
export const memoryBlocks = '/sys/devices/system/memory';

/** One write() of the value and a newline. */
export function writeLine(path: string, value: string): ShLine {
  // echo would take these as its own: its options, and in some shells backslash sequences
  const isPlain = !/^-[neE]+$|\\/.test(value);
  const typed = isPlain ? `echo ${value === '' ? "''" : quote(value)}` : `printf '%s\\n' ${quote(value)}`;
  return { text: `${typed} > ${quote(path)}`, subject: path };
}

export function readLine(path: string): ShLine {
  return { text: `cat ${quote(path)}`, subject: path };
}

export type DriverFile = 'bind' | 'unbind' | 'new_id' | 'remove_id';

/** Writes a device's name to an attribute of a driver. */
export function driverLine(bus: string, driver: string, file: DriverFile, device: string): ShLine {
  return writeLine(`/sys/bus/${bus}/drivers/${driver}/${file}`, device);
}

/** @param state offline, online, online_kernel, online_movable */
export function memoryBlockLine(block: number, state: string): ShLine {
  return writeLine(`${memoryBlocks}/memory${block}/state`, state);
}

export function loadModuleLine(module: string, params: readonly string[] = []): ShLine {
  return { text: ['modprobe', module, ...params].map(quote).join(' ') };
}

/** rmmod, not `modprobe -r`: that one also removes modules which it finds unused by then. */
export function unloadModuleLine(module: string): ShLine {
  return { text: `rmmod ${quote(module)}` };
}

/** Where `deny` puts its word to modprobe; the state lists these. */
export const deniedModulesGlob = '/etc/modprobe.d/deny-*.conf';

const denialOf = (module: string): string => `/etc/modprobe.d/deny-${module}.conf`;

/** Keeps modprobe, and so the kernel's own request_module(), from loading it. */
export function denyModuleLines(module: string): ShLine[] {
  return [
    { text: 'mkdir -p /etc/modprobe.d' },
    { text: `echo ${quote(`install ${module} /bin/false`)} > ${quote(denialOf(module))}` },
  ];
}

export function allowModuleLine(module: string): ShLine {
  return { text: `rm -f ${quote(denialOf(module))}` };
}

/** A tool with its arguments: a text is for the shell to parse, a list is taken as it is. */
export function toolLine(tool: string, args: string | readonly string[]): ShLine {
  const rest = typeof args === 'string' ? args : args.map(quote).join(' ');
  return { text: rest === '' ? tool : `${tool} ${rest}` };
}
