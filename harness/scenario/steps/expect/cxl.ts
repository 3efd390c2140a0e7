import { parseSize } from '../../../base/size.js';
import {
  number,
  type ClauseOf,
  compare,
  existence,
  presence,
  present,
  type Miss,
  type World,
} from './clause.js';

const devices = '/sys/bus/cxl/devices';

export function region(clause: ClauseOf<'region'>, world: World): Miss[] {
  const subject = `${devices}/${clause.name}`;
  const found = world.state.regions[clause.name];
  const { misses, goOn } = existence(subject, clause.exists, found !== undefined);
  if (!goOn || !found) return misses;
  const serials = found.targets.map((target) => {
    const memdev = target === null ? undefined : world.state.decoders[target]?.memdev;
    return memdev === undefined ? null : (world.state.memdevs[memdev]?.serial ?? null);
  });
  const ids = (serial: number | null): string | null =>
    serial === null ? null : (world.idOf(serial) ?? `a device with serial ${serial}`);
  return present([
    compare('mode', subject, driver(clause.mode, world), found.mode),
    compare('size', subject, bytes(clause.size), found.size),
    compare('interleave_ways', subject, number(clause.interleave_ways), found.interleaveWays),
    compare(
      'interleave_granularity',
      subject,
      number(clause.interleave_granularity),
      found.interleaveGranularity,
    ),
    compare('committed', subject, clause.committed, found.committed),
    compare('driver', subject, driver(clause.driver, world), found.driver),
    compare('targets', subject, clause.targets, serials.map(ids)),
    compare('uuid', subject, clause.uuid?.toLowerCase(), found.uuid),
  ]);
}

export function decoder(clause: ClauseOf<'decoder'>, world: World): Miss[] {
  const memdev = clause['endpoint-of'] === undefined ? undefined : world.memdevOf(clause['endpoint-of']);
  const selected = Object.entries(world.state.decoders).filter(
    ([name, one]) =>
      (clause.name === undefined || name === clause.name) &&
      (clause['endpoint-of'] === undefined || (memdev !== undefined && one.memdev === memdev)) &&
      (clause.region === undefined || one.region === clause.region),
  );
  const where = [
    clause['endpoint-of'] === undefined ? '' : ` of ${clause['endpoint-of']}`,
    clause.region === undefined ? '' : ` in ${clause.region}`,
  ].join('');
  const subject = clause.name === undefined ? `decoders${where}` : `${devices}/${clause.name}`;
  const { misses, goOn } = presence(subject, clause, selected.length);
  if (!goOn) return misses;
  return selected.flatMap(([name, one]) => {
    const path = `${devices}/${name}`;
    return present([
      compare('mode', path, clause.mode, one.mode),
      compare('dpa_size', path, bytes(clause.dpa_size), one.dpaSize),
      compare('size', path, bytes(clause.size), one.size),
      compare('interleave_ways', path, number(clause.interleave_ways), one.interleaveWays),
      compare(
        'interleave_granularity',
        path,
        number(clause.interleave_granularity),
        one.interleaveGranularity,
      ),
    ]);
  });
}

export function memdev(clause: ClauseOf<'memdev'>, world: World): Miss[] {
  const name = world.memdevOf(clause.device);
  const found = name === undefined ? undefined : world.state.memdevs[name];
  const subject = name === undefined ? `memdev of ${clause.device}` : `${devices}/${name}`;
  const { misses, goOn } = existence(subject, clause.exists, found !== undefined);
  if (!goOn || !found || name === undefined) return misses;
  return present([
    compare('driver', subject, driver(clause.driver, world), world.state.bindings.cxl[name] ?? null),
    compare('ram_size', subject, bytes(clause.ram_size), found.ramBytes),
    compare('pmem_size', subject, bytes(clause.pmem_size), found.pmemBytes),
    compare('dc_size', subject, bytes(clause.dc_size), found.dcBytes),
    compare('numa_node', subject, clause.numa_node, found.numaNode),
  ]);
}

export function driver(expected: string | null | undefined, world: World): string | null | undefined {
  return typeof expected === 'string' ? world.driverName(expected) : expected;
}

/** A size or count that is none stays as it is: it then equals nothing, and is shown. */
export function bytes(value: string | number | undefined): string | number | undefined {
  return typeof value === 'string' ? (parseSize(value) ?? value) : value;
}
