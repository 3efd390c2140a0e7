import { errnoOf } from '../errno.js';
import { byName } from '../readings.js';
import { patternOf } from './pattern.js';

/** An attribute of a kernel's sysfs ABI, as it was seen in a guest. */
export interface Attribute {
  /** with the kernel's numbers as letters: `/sys/bus/cxl/devices/decoderX.Y/mode` */
  readonly path: string;
  /** permissions in octal (`644`), or `link`; several where devices of one name differ */
  readonly modes: readonly string[];
  /** types of the devices that have it, where their bus has types: `cxl_decoder_root` */
  readonly on: readonly string[];
  readonly example: {
    /** a real path */
    readonly path: string;
    /** first line of what was read there */
    readonly value?: string;
    /** why it could not be read; absent with the value: it is not to be read, or not worth it */
    readonly errno?: string;
  };
  /** other paths of the example: documentation may use any of them */
  readonly aliases: readonly string[];
}

interface Device {
  /** `/sys/bus/cxl/devices/decoder0.0` */
  readonly path: string;
  /** where the links lead */
  readonly real: string;
}

interface Found {
  mode: string;
  value?: string;
  errno?: string;
}

/**
 * What `inventoryScript` printed, line by line: `device PATH REALPATH`, `link PATH`, `mode PATH OCTAL`,
 * `value PATH TEXT` and `error PATH COMPLAINT`; paths of the first four begin below /sys.
 */
export function parseInventory(text: string): Attribute[] {
  const devices: Device[] = [];
  const found = new Map<string, Found>();
  for (const line of text.split('\n')) {
    const [, kind, written = '', rest = ''] = /^(device|link|mode|value|error) (\S+) ?(.*)$/.exec(line) ?? [];
    const path = `/sys/${written}`;
    if (OF_EVERY_DEVICE.test(path)) continue;
    const entry = found.get(path);
    if (kind === 'device') devices.push({ path, real: rest });
    else if (kind === 'link') found.set(path, { mode: 'link' });
    else if (kind === 'mode') found.set(path, { mode: rest });
    else if (kind === 'value' && entry) entry.value = rest;
    else if (kind === 'error' && entry) entry.errno = errnoOf(rest) ?? rest;
  }
  return mergeAttributes([...found].map(([path, one]) => attributeOf(path, one, devices, found)));
}

/** What the driver core gives every device and driver of every bus. */
const OF_EVERY_DEVICE =
  /\/(?:uevent|subsystem|driver|firmware_node|waiting_for_supplier|(?:supplier|consumer):[^/]*|drivers\/[^/]+\/module)$/;

/** One list of several: what was seen at different times. The first example with a value is kept. */
export function mergeAttributes(attributes: readonly Attribute[]): Attribute[] {
  const merged = new Map<string, Attribute>();
  for (const attribute of attributes) {
    const known = merged.get(attribute.path);
    merged.set(attribute.path, known ? joined(known, attribute) : attribute);
  }
  return [...merged.values()].sort((a, b) => byName(a.path, b.path));
}

function joined(one: Attribute, other: Attribute): Attribute {
  const better = told(other) > told(one) ? other : one;
  return {
    ...better,
    modes: union(one.modes, other.modes),
    on: union(one.on, other.on),
  };
}

/** An empty value tells less than any other. */
function told({ example: { value, errno } }: Attribute): number {
  if (value !== undefined && value !== '') return 3;
  return value === undefined ? (errno === undefined ? 0 : 1) : 2;
}

function union(some: readonly string[], others: readonly string[]): string[] {
  return [...new Set([...some, ...others])].sort(byName);
}

function attributeOf(
  path: string,
  { mode, value, errno }: Found,
  devices: readonly Device[],
  found: ReadonlyMap<string, Found>,
): Attribute {
  const owner = devices.find((device) => path.startsWith(`${device.path}/`));
  const type = owner && found.get(`${owner.path}/devtype`)?.value;
  return {
    path: patternOf(path),
    modes: [mode],
    on: type === undefined ? [] : [type],
    example: { path, ...(value !== undefined && { value }), ...(errno !== undefined && { errno }) },
    aliases: owner ? aliasesOf(path, owner, devices) : [],
  };
}

/**
 * The attribute's real path, and its paths from the devices above it: `nvdimm-bridge0/ndbus0/nmem0/cxl/id`. What lies
 * beside a dax device is documented from there, by `..`.
 */
function aliasesOf(path: string, owner: Device, devices: readonly Device[]): string[] {
  const real = `${owner.real}${path.slice(owner.path.length)}`;
  const from = (root: string, name: string): string[] =>
    real.startsWith(`${root}/`) ? [`${name}${real.slice(root.length)}`] : [];
  return [
    real,
    ...devices
      .filter((device) => device !== owner)
      .flatMap((device) => [
        ...from(device.real, device.path),
        ...(device.path.startsWith('/sys/bus/dax/')
          ? from(device.real.replace(/\/[^/]+$/, ''), `${device.path}/..`)
          : []),
      ]),
  ];
}
