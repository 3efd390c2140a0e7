import { walkIomem, type DaxDevice, type MemoryBlock } from '../../../abi/index.js';
import { allBlocks, blocksWithin } from '../select.js';
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
import { bytes, driver } from './cxl.js';

export function dax(clause: ClauseOf<'dax'>, world: World): Miss[] {
  const selected = Object.entries(world.state.daxDevices).filter(
    ([name, one]) =>
      (clause.name === undefined || name === clause.name) &&
      (clause.of === undefined || one.region === clause.of),
  );
  const subject =
    clause.name === undefined
      ? `dax devices${clause.of === undefined ? '' : ` of ${clause.of}`}`
      : `/sys/bus/dax/devices/${clause.name}`;
  const { misses, goOn } = presence(subject, clause, selected.length);
  if (!goOn) return misses;
  return selected.flatMap(([name, one]) => daxDevice(name, one, clause, world));
}

function daxDevice(name: string, one: DaxDevice, clause: ClauseOf<'dax'>, world: World): Miss[] {
  const subject = `/sys/bus/dax/devices/${name}`;
  return present([
    compare('driver', subject, driver(clause.driver, world), one.driver),
    compare('size', subject, bytes(clause.size), one.size),
    compare('align', subject, bytes(clause.align), one.align),
    compare('target_node', subject, number(clause.target_node), one.targetNode),
    compare('state', `${subject}/state`, clause.state, one.state ?? null),
    compare('hotplug', `${subject}/hotplug`, clause.hotplug, one.hotplug ?? null),
    compare('opens', `/dev/${name}`, clause.opens, world.opens(name)),
  ]);
}

export function memory(clause: ClauseOf<'memory'>, world: World): Miss[] {
  const selected = selectBlocks(clause, world);
  const names = [
    clause.of === undefined ? '' : ` of ${clause.of}`,
    clause.node === undefined ? '' : ` of node ${clause.node}`,
  ].join('');
  const subject =
    clause.block === undefined ? `memory blocks${names}` : `/sys/devices/system/memory/memory${clause.block}`;
  const online = selected.filter(([, { state }]) => state === 'online').length;
  const zones = clause.zone === undefined ? undefined : [clause.zone].flat();
  const speaksOfEach = clause.state !== undefined || zones !== undefined;
  const total = present([
    compare('count', subject, number(clause.count), selected.length),
    compare('online', subject, number(clause.online), online),
    compare('bytes', subject, bytes(clause.bytes), selected.length * world.state.memoryBlockBytes),
  ]);
  if (total.length > 0) return total;
  if (selected.length === 0 && speaksOfEach && clause.count === undefined) {
    return existence(subject, undefined, false).misses;
  }
  return selected.flatMap(([block, one]) => {
    const path = `/sys/devices/system/memory/memory${block}`;
    const isInZone = zones === undefined || (one.zones.length === 1 && zones.includes(one.zones[0] ?? ''));
    return present([
      compare('state', `${path}/state`, clause.state, one.state),
      isInZone
        ? undefined
        : {
            message: `zone of ${path} is ${one.zones.join(' ')}`,
            path: ['zone'],
            subject: `${path}/valid_zones`,
            expected: clause.zone,
            received: one.zones.join(' '),
          },
    ]);
  });
}

function selectBlocks(clause: ClauseOf<'memory'>, { state, session }: World): [number, MemoryBlock][] {
  const range = clause.of === undefined ? undefined : session.ranges.get(clause.of);
  const within = clause.of === undefined ? allBlocks(state) : range ? blocksWithin(range, state) : [];
  return within.filter(
    ([block, one]) =>
      (clause.node === undefined || one.node === number(clause.node)) &&
      (clause.block === undefined || block === number(clause.block)),
  );
}

export function node(clause: ClauseOf<'node'>, world: World): Miss[] {
  const found = world.state.nodes[Number(clause.id)];
  const subject = `/sys/devices/system/node/node${clause.id}`;
  return present([
    compare('online', subject, clause.online, found?.online ?? false),
    compare('memory', subject, clause.memory, found?.hasMemory ?? false),
    compare('bytes', `${subject}/meminfo`, bytes(clause.bytes), found?.memoryBytes ?? 0),
    compare('cpus', subject, clause.cpus, found?.hasCpu ?? false),
  ]);
}

export function iomem(clause: ClauseOf<'iomem'>, world: World): Miss[] {
  const subject = `/proc/iomem: ${clause.path.join(' > ')}`;
  const selected = walkIomem(world.state.iomem).filter(
    ({ path }) =>
      path.length === clause.path.length &&
      clause.path.every((name, index) => name === '*' || name === path[index]),
  );
  if (clause.count !== undefined) {
    return present([compare('count', subject, number(clause.count), selected.length)]);
  }
  const { misses, goOn } = existence(subject, clause.exists, selected.length > 0);
  if (!goOn) return misses;
  const total = selected.reduce((sum, { resource }) => sum + resource.end - resource.start + 1, 0);
  return present([compare('bytes', subject, bytes(clause.bytes), total)]);
}

export function namespace(clause: ClauseOf<'namespace'>, world: World): Miss[] {
  const selected = Object.entries(world.state.namespaces).filter(
    ([name, one]) =>
      (clause.name === undefined || name === clause.name) &&
      (clause.of === undefined || one.region === clause.of),
  );
  const subject =
    clause.name === undefined
      ? `namespaces${clause.of === undefined ? '' : ` of ${clause.of}`}`
      : `/sys/bus/nd/devices/${clause.name}`;
  if (clause.count !== undefined) {
    const miss = compare('count', subject, number(clause.count), selected.length);
    if (miss) return [miss];
  } else if (selected.length === 0) return existence(subject, undefined, false).misses;
  return selected.flatMap(([name, one]) => {
    const path = `/sys/bus/nd/devices/${name}`;
    return present([
      compare('mode', path, clause.mode, one.mode),
      compare('size', path, bytes(clause.size), one.size),
      compare('uuid', path, clause.uuid?.toLowerCase(), one.uuid),
    ]);
  });
}
