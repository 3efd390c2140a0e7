import { isMap } from '../../base/plain.js';
import { parseSize } from '../../base/size.js';
import { learn, type Observed, type ObservedRegion } from './observed.js';

/**
 * Reads the JSON of `cxl list`, of any verbosity: a list of anything, a single object, or the anchors that nest
 * buses, ports, endpoints, memdevs, decoders and regions (ndctl, cxl/json.c and cxl/filter.c). Numbers may be written
 * for people (`-u`: "512.00 MiB (536.87 MB)", "0x1").
 */
export function readCxlList(json: unknown, into: Observed): void {
  walk(json, { into });
}

/** What the objects around one say about it. */
interface Around {
  readonly into: Observed;
  /** the root decoder that a region lies in */
  readonly window?: string;
  /** of a memdev: the downstream port that its endpoint hangs below */
  readonly parentDport?: string;
}

type Json = Readonly<Record<string, unknown>>;

function walk(value: unknown, around: Around): void {
  if (Array.isArray(value)) for (const item of value as unknown[]) walk(item, around);
  if (!isMap(value)) return;
  const inside = see(value, around);
  for (const child of Object.values(value)) walk(child, inside);
}

/** Takes one object in. @returns what it says about the objects within it */
function see(value: Json, around: Around): Around {
  const { into } = around;
  if (typeof value['bus'] === 'string') seeDports(value, undefined, into);
  if (typeof value['port'] === 'string') {
    const host = text(value, 'host');
    const parent = text(value, 'parent_dport');
    if (host !== undefined && parent !== undefined) into.parents.set(host, parent);
    seeDports(value, host, into);
  }
  if (typeof value['endpoint'] === 'string') {
    const parentDport = text(value, 'parent_dport');
    return { ...around, ...(parentDport !== undefined && { parentDport }) };
  }
  if (
    typeof value['memdev'] === 'string' &&
    value['decoder'] === undefined &&
    value['position'] === undefined
  )
    seeMemdev(value, around);
  if (typeof value['region'] === 'string' && value['decoder'] === undefined) seeRegion(value, around);
  const decoder = text(value, 'decoder');
  if (decoder?.startsWith('decoder0.')) {
    seeWindow(decoder, value, into);
    return { ...around, window: decoder };
  }
  return around;
}

/** A host bridge has an alias, `ACPI0016:00`, and stands below nothing; the ports of a bridge or switch stand below it. */
function seeDports(value: Json, host: string | undefined, { parents, aliases }: Observed): void {
  for (const dport of objects(value['dports'])) {
    const name = text(dport, 'dport');
    const alias = text(dport, 'alias');
    if (name === undefined) continue;
    if (alias !== undefined) aliases.set(alias, name);
    if (host !== undefined && name !== host) parents.set(name, host);
  }
}

function seeMemdev(value: Json, { into, parentDport }: Around): void {
  const host = text(value, 'host');
  if (host !== undefined && parentDport !== undefined) into.parents.set(host, parentDport);
  const [serial, ram, pmem] = [
    number(value, 'serial'),
    number(value, 'ram_size'),
    number(value, 'pmem_size'),
  ];
  learn(into.memdevs, {
    name: String(value['memdev']),
    ...(serial !== undefined && { serial }),
    ...(ram ? { volatile: ram } : {}),
    ...(pmem ? { persistent: pmem } : {}),
    ...(host !== undefined && { host }),
  });
}

function seeWindow(name: string, value: Json, { windows, aliases, notes }: Observed): void {
  const [size, start] = [number(value, 'size'), number(value, 'resource')];
  const granularity = number(value, 'interleave_granularity');
  for (const target of objects(value['targets'])) {
    const [alias, bridge] = [text(target, 'alias'), text(target, 'target')];
    if (alias !== undefined && bridge !== undefined) aliases.set(alias, bridge);
  }
  const arithmetic = text(value, 'interleave_arithmetic');
  if (arithmetic !== undefined && arithmetic.toLowerCase() !== 'modulo')
    notes.push(`${name} interleaves by ${arithmetic} arithmetic: QEMU's windows interleave by modulo only`);
  const missing = ['pmem_capable', 'volatile_capable'].filter((key) => value[key] === undefined);
  if (value['targets'] !== undefined && missing.length === 1)
    notes.push(
      `${name} is not ${String(missing[0]).replace('_', ' ')}: QEMU's windows take every kind of memory`,
    );
  if (size === undefined) return;
  learn(windows, {
    name,
    size,
    targets: byPosition(value['targets'], 'target'),
    ...(start !== undefined && { start }),
    ...(granularity !== undefined && { granularity }),
  });
}

function seeRegion(value: Json, { into, window }: Around): void {
  const [size, start] = [number(value, 'size'), number(value, 'resource')];
  const [ways, granularity] = [number(value, 'interleave_ways'), number(value, 'interleave_granularity')];
  const type = text(value, 'type');
  if (type !== undefined && type !== 'ram' && type !== 'pmem') {
    into.notes.push(`${String(value['region'])} is of type ${type}: left out`);
    return;
  }
  const region: ObservedRegion = {
    name: String(value['region']),
    mode: type ?? 'ram',
    targets: byPosition(value['mappings'], 'memdev'),
    committed: (text(value, 'decode_state') ?? 'commit') === 'commit',
    enabled: text(value, 'state') !== 'disabled',
    ...(size ? { size } : {}),
    ...(start !== undefined && { start }),
    ...(ways !== undefined && { ways }),
    ...(granularity !== undefined && { granularity }),
    ...(window !== undefined && { window }),
  };
  learn(into.regions, region);
}

function byPosition(list: unknown, key: string): string[] {
  return objects(list)
    .map((item) => ({ position: number(item, 'position') ?? 0, name: text(item, key) }))
    .filter((item): item is { position: number; name: string } => item.name !== undefined)
    .sort((a, b) => a.position - b.position)
    .map(({ name }) => name);
}

function text(value: Json, key: string): string | undefined {
  const found = value[key];
  return typeof found === 'string' ? found : undefined;
}

/** "0x1", "512.00 MiB (536.87 MB)" and plain numbers; the size for people is rounded, the two digits suffice for ours. */
function number(value: Json, key: string): number | undefined {
  const found = value[key];
  if (typeof found === 'number') return found;
  if (typeof found !== 'string') return undefined;
  const forPeople = /^([\d.]+) ([KMGTP])iB/.exec(found);
  if (!forPeople) return parseSize(found);
  const unit = 2 ** (10 * ('KMGTP'.indexOf(forPeople[2] ?? '') + 1));
  return Math.round(Number(forPeople[1]) * unit);
}

function objects(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isMap) : [];
}
