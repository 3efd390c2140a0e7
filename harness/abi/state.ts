/**
 * The state of a guest's CXL, DAX and memory hotplug side as a plain value, read in one round trip.
 * Keys are the kernel's own names; attributes keep the kernel's names. Sizes and addresses are bytes.
 * Reading absent attributes gives undefined: a kernel that lacks one is not an error.
 */
export interface State {
  readonly memdevs: Readonly<Record<string, Memdev>>;
  /** root, host bridge, switch and endpoint ports */
  readonly ports: Readonly<Record<string, Port>>;
  readonly decoders: Readonly<Record<string, Decoder>>;
  readonly regions: Readonly<Record<string, Region>>;
  readonly daxDevices: Readonly<Record<string, DaxDevice>>;
  /** dynamic capacity that the host has accepted for a region; absent: none */
  readonly extents?: Readonly<Record<string, Extent>>;
  /** names in /dev that match dax*, pmem* */
  readonly deviceNodes: readonly string[];
  readonly memoryBlocks: Readonly<Record<number, MemoryBlock>>;
  readonly memoryBlockBytes: number;
  readonly autoOnlineBlocks: string;
  readonly nodes: Readonly<Record<number, NumaNode>>;
  /** /proc/iomem: the outermost resources, by range as it prints them: `5d0000000-6cfffffff` */
  readonly iomem: Readonly<Record<string, IomemResource>>;
  /** regions of libnvdimm, which are named like the CXL ones and are others */
  readonly ndRegions: Readonly<Record<string, NdRegion>>;
  readonly namespaces: Readonly<Record<string, Namespace>>;
  /** bus -> device -> driver, for every device of the cxl, dax and nd buses; null: no driver */
  readonly bindings: Readonly<Record<'cxl' | 'dax' | 'nd', Readonly<Record<string, string | null>>>>;
  /** bus -> names of its drivers */
  readonly drivers: Readonly<Record<'cxl' | 'dax' | 'nd', readonly string[]>>;
  readonly modules: readonly string[];
  /** modules that modprobe has been told not to load (`module: { deny: ... }`) */
  readonly deniedModules: readonly string[];
}

export interface Memdev {
  readonly serial: number;
  readonly ramBytes: number;
  readonly pmemBytes: number;
  /** what it can have of dynamic capacity, where kernel and device know such a thing */
  readonly dcBytes?: number;
  readonly numaNode?: number;
  /** endpointN below it, when its driver made one */
  readonly endpoint?: string;
  /** `0000:0d:00.0` */
  readonly pciAddress?: string;
}

export interface Port {
  /** what it is the CXL side of: `ACPI0017:00`, `pci0000:0c`, a PCI address, or a memdev for an endpoint */
  readonly uport: string;
}

export interface Decoder {
  readonly kind: 'root' | 'switch' | 'endpoint';
  /** the port it belongs to: `root0`, `port1`, `endpoint2` */
  readonly port: string;
  readonly start: number;
  readonly size: number;
  readonly interleaveWays: number;
  readonly interleaveGranularity: number;
  readonly targetList: readonly number[];
  readonly region?: string;
  /** endpoint decoders */
  readonly mode?: string;
  readonly dpaStart?: number;
  readonly dpaSize?: number;
  /** endpoint decoders: the memdev whose decoder it is */
  readonly memdev?: string;
}

export interface Region {
  /** the window it lies in, as its decoder: `decoder0.0` */
  readonly rootDecoder: string;
  readonly mode?: string;
  readonly uuid?: string;
  readonly start: number;
  readonly size: number;
  readonly interleaveWays: number;
  readonly interleaveGranularity: number;
  readonly committed: boolean;
  readonly driver: string | null;
  /** endpoint decoders in interleave order; null: target not set */
  readonly targets: readonly (string | null)[];
  /** policy for its memory, where its driver has one: `regionN/sysram_region/hotplug` */
  readonly hotplug?: string;
}

export interface DaxDevice {
  readonly driver: string | null;
  readonly size: number;
  readonly align?: number;
  readonly targetNode?: number;
  readonly numaNode?: number;
  readonly start?: number;
  readonly state?: string;
  readonly hotplug?: string;
  /** the CXL region it lies in, when it does */
  readonly region?: string;
}

export interface Extent {
  readonly region: string;
  /** bytes, from the start of the region */
  readonly offset: number;
  readonly length: number;
  /** the UUID of its allocation; absent: the device gave none */
  readonly tag?: string;
  /** the dax device that its set became */
  readonly dax?: string;
}

export interface MemoryBlock {
  readonly state: string;
  /** `Normal`, `Movable`, ...; `none` when offline or spanning several. Several zones are what an offline block may become. */
  readonly zones: readonly string[];
  readonly node: number;
  readonly physAddress: number;
}

export interface NumaNode {
  readonly online: boolean;
  readonly hasMemory: boolean;
  readonly hasCpu: boolean;
  /** MemTotal of nodeN/meminfo */
  readonly memoryBytes: number;
}

export interface IomemResource {
  readonly start: number;
  /** inclusive, as /proc/iomem prints it */
  readonly end: number;
  readonly name: string;
  readonly children: Readonly<Record<string, IomemResource>>;
}

export interface NdRegion {
  readonly size: number;
  /** the CXL region that it was made of */
  readonly region?: string;
}

/** A namespace of persistent memory; the kernel's empty seeds (size 0) are none. */
export interface Namespace {
  /** in ndctl's words: fsdax, devdax, sector, raw */
  readonly mode?: string;
  readonly size: number;
  readonly uuid?: string;
  readonly blockDevice?: string;
  /** of the namespace, or of the device that claims it (pfn, dax, btt) */
  readonly driver: string | null;
  readonly ndRegion: string;
  /** the CXL region that backs it */
  readonly region?: string;
}

/**
 * One difference between two states: `path` like `regions.region0.driver`, for people.
 *
 * `keys` is the same place exactly (names have dots in them): setting `after` there, or removing the key when `after`
 * is absent, leads from the earlier state to the later one. Objects on the way that are missing appear as empty ones;
 * what is an array is replaced as a whole.
 */
export interface StateChange {
  readonly path: string;
  readonly keys: readonly string[];
  readonly before?: unknown;
  readonly after?: unknown;
}
