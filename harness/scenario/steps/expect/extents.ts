import { number, type ClauseOf, compare, present, type Miss, type World } from './clause.js';
import { bytes } from './cxl.js';

/** Extents are selected by region, by device, by place; what is asked of them must hold of each. */
export function extents(clause: ClauseOf<'extents'>, world: World): Miss[] {
  const { state } = world;
  const memdev = clause.device === undefined ? undefined : world.memdevOf(clause.device);
  const isOnDevice = (region: string): boolean =>
    memdev !== undefined &&
    (state.regions[region]?.targets ?? []).some(
      (target) => target !== null && state.decoders[target]?.memdev === memdev,
    );
  const selected = Object.entries(state.extents ?? {}).filter(
    ([, extent]) =>
      (clause.of === undefined || extent.region === clause.of) &&
      (clause.device === undefined || isOnDevice(extent.region)) &&
      (clause.offset === undefined || extent.offset === bytes(clause.offset)),
  );
  const subject = [
    'extents',
    clause.of === undefined ? '' : ` of ${clause.of}`,
    clause.device === undefined ? '' : ` of ${clause.device}`,
    clause.offset === undefined ? '' : ` at ${clause.offset}`,
  ].join('');
  const together = selected.reduce((sum, [, { length }]) => sum + length, 0);
  const misses = present([
    compare('count', subject, number(clause.count), selected.length),
    compare('bytes', subject, bytes(clause.bytes), together),
  ]);
  const asksOfEach = [clause.length, clause.tag, clause.dax].some((value) => value !== undefined);
  if (misses.length === 0 && asksOfEach && selected.length === 0 && clause.count === undefined) {
    return [{ message: `there are no ${subject}`, path: [], subject, expected: 'extents', received: 'none' }];
  }
  return [
    ...misses,
    ...selected.flatMap(([name, extent]) => {
      const path = `/sys/bus/cxl/devices/${extent.region}/${name}`;
      return present([
        compare('length', path, bytes(clause.length), extent.length),
        compare('tag', path, clause.tag, extent.tag ?? null),
        compare('dax', path, clause.dax, extent.dax ?? null),
      ]);
    }),
  ];
}
