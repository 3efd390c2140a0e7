import { formatSize, parseSize } from '../base/size.js';
import { DYNAMIC_BLOCK, EVENT_RECORDS } from '../topology/emulator-limits.js';
import { unknownDevice, type CaseKnowledge, type Fault } from './case-knowledge.js';
import type { StepBody } from './language.js';

/** What is certainly wrong with a step that adds or releases dynamic capacity, and what QEMU can't do. */
export function faultsOfCapacity(
  body: StepBody<'add-capacity'> & { readonly forced?: boolean },
  known: CaseKnowledge,
): Fault[] {
  const { device, extents, region, tag, forced } = body;
  const cannot: Fault[] = [
    ...(tag === undefined
      ? []
      : [fault(['tag'], 'QEMU gives every extent the null tag, whatever it is asked for')]),
    ...(forced === true
      ? [fault(['forced'], 'QEMU has no forced release: it asks, and the guest answers')]
      : []),
    ...(extents.length <= EVENT_RECORDS
      ? []
      : [
          fault(
            ['extents', EVENT_RECORDS],
            `the event log of QEMU's device holds ${EVENT_RECORDS} records, an extent each: the rest would be lost`,
            'split it into several steps; to have the log overflow, say it by `qmp`',
          ),
        ]),
  ];
  const unknown = unknownDevice(device, ['device'], known);
  const planned = known.plan?.devices.find(({ id }) => id === device);
  if (unknown.length > 0 || !known.plan || !planned) return [...unknown, ...cannot];
  const { dynamic } = planned;
  if (!dynamic) {
    const others = known.plan.devices.filter((one) => one.dynamic).map(({ id }) => id);
    return [
      ...cannot,
      fault(
        ['device'],
        `${device} of the topology ${known.plan.name} has no dynamic capacity`,
        others.length > 0
          ? `${others.join(', ')} has`
          : 'the topology dynamic-capacity has a device with some',
      ),
    ];
  }
  if (region >= dynamic.regions)
    return [
      ...cannot,
      fault(['region'], `${device} has ${dynamic.regions} regions of dynamic capacity, from 0`),
    ];
  const bytes = dynamic.bytes / dynamic.regions;
  return [...cannot, ...extents.flatMap((extent, index) => faultsOfExtent(extent, index, bytes))];
}

function faultsOfExtent(
  extent: StepBody<'add-capacity'>['extents'][number],
  index: number,
  bytes: number,
): Fault[] {
  const [offset, length] = [extent.offset, extent.length].map((size) =>
    typeof size === 'string' ? parseSize(size) : size,
  );
  // a size that is a capture is known only later
  if (offset === undefined || length === undefined) return [];
  const uneven = (['offset', 'length'] as const).find(
    (key) => (key === 'offset' ? offset : length) % DYNAMIC_BLOCK !== 0,
  );
  if (uneven !== undefined || length === 0) {
    return [
      fault(
        ['extents', index, uneven ?? 'length'],
        `extents are made of whole blocks of ${formatSize(DYNAMIC_BLOCK)}`,
      ),
    ];
  }
  if (offset + length <= bytes) return [];
  return [fault(['extents', index], `the device's region of dynamic capacity ends at ${formatSize(bytes)}`)];
}

function fault(path: readonly (string | number)[], message: string, hint?: string): Fault {
  return { path, message, ...(hint === undefined ? {} : { hint }) };
}
