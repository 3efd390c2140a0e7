import fc from 'fast-check';
import { CAPACITY_UNIT, INTERLEAVE_WAYS } from '../../topology/index.js';

/** What hangs on a port of a switch, or directly on a root port. */
const device = fc.record(
  {
    volatile: fc.constantFrom(1, 1, 2, 3).map((units) => units * CAPACITY_UNIT),
    persistent: fc.constantFrom(1, 2).map((units) => units * CAPACITY_UNIT),
  },
  { requiredKeys: ['volatile'] },
);
const empty = fc.constant(null);
const below = fc.oneof(
  { weight: 4, arbitrary: device.map((one) => [one]) },
  {
    weight: 2,
    arbitrary: fc.array(fc.oneof({ weight: 4, arbitrary: device }, empty), { minLength: 1, maxLength: 4 }),
  },
  { weight: 1, arbitrary: empty },
);

const bridge = fc.record({
  ports: fc.array(below, { minLength: 1, maxLength: 4 }),
  passthrough: fc.boolean(),
});

const window = fc.record({
  ways: fc.constantFrom(...INTERLEAVE_WAYS),
  first: fc.nat(7),
  units: fc.constantFrom(1, 2, 4, 8),
  granularity: fc.constantFrom(256, 512, 1024, 2048, 4096, 8192, 16384),
});

/** A valid document of the topology language, drawn from all of it that has to do with where data goes. */
export const anyTopology = fc
  .record({
    bridges: fc.array(bridge, { minLength: 1, maxLength: 4 }),
    windows: fc.array(window, { minLength: 1, maxLength: 3 }),
    memory: fc.constantFrom('1G', '1280M', '2G'),
    cpus: fc.constantFrom(1, 2),
  })
  .map(({ bridges, windows, memory, cpus }) => ({
    cxlrig: 1,
    description: 'drawn by chance',
    memory,
    cpus,
    bridges: bridges.map(({ ports, passthrough }, b) => ({
      id: `hb${b}`,
      ports: ports.map((_, p) => `rp${b}-${p}`),
      'hdm-for-passthrough': !passthrough,
    })),
    switches: everyPort(bridges, (parts, id) =>
      parts && parts.length > 1
        ? [{ id: `sw-${id}`, port: id, ports: parts.map((_, n) => `${id}-${n}`) }]
        : [],
    ),
    devices: everyPort(bridges, (parts, id) =>
      (parts ?? []).flatMap((one, n, all) =>
        one
          ? [
              {
                id: `mem-${id}-${n}`,
                port: all.length > 1 ? `${id}-${n}` : id,
                ...one,
                ...(one.persistent !== undefined && { labels: '1M' }),
              },
            ]
          : [],
      ),
    ),
    windows: windows.map(({ ways, first, units, granularity }, n) => {
      const targets = INTERLEAVE_WAYS.filter((one) => one <= Math.min(ways, bridges.length)).at(-1) ?? 1;
      return {
        id: `window${n}`,
        targets: Array.from({ length: targets }, (_, t) => `hb${(first + t) % bridges.length}`),
        size: units * targets * CAPACITY_UNIT,
        granularity,
      };
    }),
  }));

interface Drawn {
  readonly ports: readonly (readonly ({ volatile: number; persistent?: number } | null)[] | null)[];
}

function everyPort<T>(
  bridges: readonly Drawn[],
  of: (parts: Drawn['ports'][number], id: string) => T[],
): T[] {
  return bridges.flatMap(({ ports }, b) => ports.flatMap((parts, p) => of(parts, `rp${b}-${p}`)));
}
