import { cxlDevices, driverLine, readLine, writeLine, type ShLine } from './lines.js';

/** How a region is to be programmed. Sizes in bytes. */
export interface RegionProgram {
  readonly mode: string;
  readonly rootDecoder: string;
  /** pmem regions have one, ram regions none */
  readonly uuid?: string;
  readonly granularity: number;
  readonly ways: number;
  readonly size: number;
  /** endpoint decoders in interleave order, with the DPA that each gives */
  readonly targets: readonly { readonly decoder: string; readonly dpaSize: number }[];
}

/** The stages of creating a region, in order; a program may stop after any. */
export const regionStages = ['create', 'uuid', 'interleave', 'dpa', 'size', 'targets', 'commit'] as const;
export type RegionStage = (typeof regionStages)[number];

/** Reads the name that the next region will have. */
export function nextRegionLine(rootDecoder: string, mode: string): ShLine {
  return readLine(createFile(rootDecoder, mode));
}

/**
 * The writes that make, program and commit a region, up to and with a stage.
 * Source of the order: Documentation/ABI/testing/sysfs-bus-cxl, and cxl-cli's cxl/region.c:create_region().
 * @param name what `nextRegionLine` read: the kernel takes no other
 */
export function createRegionLines(
  name: string,
  program: RegionProgram,
  last: RegionStage = 'commit',
): ShLine[] {
  const region = `${cxlDevices}/${name}`;
  const byStage: Readonly<Record<RegionStage, readonly ShLine[]>> = {
    create: [writeLine(createFile(program.rootDecoder, program.mode), name)],
    uuid: program.uuid === undefined ? [] : [writeLine(`${region}/uuid`, program.uuid)],
    interleave: [
      writeLine(`${region}/interleave_granularity`, `${program.granularity}`),
      writeLine(`${region}/interleave_ways`, `${program.ways}`),
    ],
    dpa: program.targets.flatMap(({ decoder, dpaSize }) => [
      writeLine(`${cxlDevices}/${decoder}/mode`, program.mode),
      writeLine(`${cxlDevices}/${decoder}/dpa_size`, hex(dpaSize)),
    ]),
    size: [writeLine(`${region}/size`, hex(program.size))],
    targets: program.targets.map(({ decoder }, index) => writeLine(`${region}/target${index}`, decoder)),
    commit: [writeLine(`${region}/commit`, '1')],
  };
  return regionStages.slice(0, regionStages.indexOf(last) + 1).flatMap((stage) => byStage[stage]);
}

/** What is left of a region to be taken down. */
export interface StandingRegion {
  /** undefined: the device is gone, only DPA may still be held */
  readonly region?: {
    readonly name: string;
    readonly rootDecoder: string;
    readonly driver: string | null;
    readonly committed: boolean;
  };
  /** endpoint decoders that hold DPA for it, in the order in which they took it */
  readonly decoders: readonly string[];
}

/**
 * The writes that take a region down. DPA is freed in reverse order of its allocation: the kernel refuses any other
 * (drivers/cxl/core/hdm.c:cxl_dpa_free()).
 */
export function destroyRegionLines({ region, decoders }: StandingRegion): ShLine[] {
  const lines: ShLine[] = [];
  if (region) {
    if (region.driver !== null) lines.push(driverLine('cxl', region.driver, 'unbind', region.name));
    if (region.committed) lines.push(writeLine(`${cxlDevices}/${region.name}/commit`, '0'));
    lines.push(writeLine(`${cxlDevices}/${region.rootDecoder}/delete_region`, region.name));
  }
  for (const decoder of [...decoders].reverse())
    lines.push(writeLine(`${cxlDevices}/${decoder}/dpa_size`, '0'));
  return lines;
}

function createFile(rootDecoder: string, mode: string): string {
  return `${cxlDevices}/${rootDecoder}/create_${mode}_region`;
}

function hex(bytes: number): string {
  return `0x${bytes.toString(16)}`;
}
