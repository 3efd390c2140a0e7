/** Buses whose devices are read. */
export type Bus = 'cxl' | 'dax' | 'nd';

/** What was read, by where it stands in the guest. */
export interface Readings {
  file(path: string): string | undefined;
  /** names below a folder that the script looked for by glob */
  names(folder: string): string[];
  devices(bus: Bus): string[];
  attribute(bus: Bus, device: string, name: string): string | undefined;
  /** names of attributes of a device that were read */
  attributes(bus: Bus, device: string): string[];
  driver(bus: Bus, device: string): string | null;
  realPath(bus: Bus, device: string): string;
  uport(bus: Bus, device: string): string | undefined;
}

/** Sorts what `stateScript` printed; see `parseState` for its form. */
export function readingsOf(text: string): Readings {
  const files = new Map<string, string>();
  const said = {
    device: new Map<string, string>(),
    driver: new Map<string, string>(),
    uport: new Map<string, string>(),
  };
  const names: string[] = [];
  const attributes = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const words = /^(device|driver|uport|name) (\S+) ?(.*)$/.exec(line);
    if (words) {
      const [, kind, written = '', value = ''] = words;
      const path = absolute(written);
      if (kind === 'name') names.push(path);
      else said[kind as keyof typeof said].set(path, value);
      continue;
    }
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const path = absolute(line.slice(0, colon));
    const before = files.get(path);
    files.set(path, before === undefined ? line.slice(colon + 1) : `${before}\n${line.slice(colon + 1)}`);
    const device = /^(\/sys\/bus\/\w+\/devices\/[^/]+)\/(.*)$/.exec(path);
    if (device && before === undefined) {
      const [, owner = '', name = ''] = device;
      attributes.set(owner, [...(attributes.get(owner) ?? []), name]);
    }
  }
  const pathOf = (bus: Bus, device: string): string => `/sys/bus/${bus}/devices/${device}`;
  return {
    file: (path) => files.get(path),
    names: (folder) => names.flatMap((path) => (path.startsWith(folder) ? [path.slice(folder.length)] : [])),
    devices: (bus) =>
      [...said.device.keys()]
        .flatMap((path) => (path.startsWith(pathOf(bus, '')) ? [path.slice(pathOf(bus, '').length)] : []))
        .sort(byName),
    attribute: (bus, device, name) => files.get(`${pathOf(bus, device)}/${name}`),
    attributes: (bus, device) => attributes.get(pathOf(bus, device)) ?? [],
    driver: (bus, device) => said.driver.get(pathOf(bus, device)) ?? null,
    realPath: (bus, device) => said.device.get(pathOf(bus, device)) ?? '',
    uport: (bus, device) => said.uport.get(pathOf(bus, device)),
  };
}

function absolute(path: string): string {
  return path.startsWith('/') ? path : `/sys/${path}`;
}

const { compare } = new Intl.Collator('en', { numeric: true });

/** region2 before region10 */
export const byName = (a: string, b: string): number => compare(a, b);
