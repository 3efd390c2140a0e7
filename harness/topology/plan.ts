/** What a validated topology becomes: everything that the guest and the engine need to know, as plain data. */
export interface MachinePlan {
  /** the topology's name */
  readonly name: string;
  /** content hash of what decides the machine: equal ids mean interchangeable machines */
  readonly id: string;
  /** QEMU arguments for the machine, its memory, its CXL devices and windows; no kernel, console, QMP or network */
  readonly qemuArgs: readonly string[];
  readonly memoryBytes: number;
  readonly cpus: number;
  /** `uid`: its ACPI _UID, by which root decoders list it in target_list and root0 in dport<uid> */
  readonly hostBridges: readonly { readonly id: string; readonly uid: number }[];
  /** `port`: the root port that the switch is plugged into */
  readonly switches: readonly { readonly id: string; readonly port: string }[];
  /** every root port and switch downstream port */
  readonly ports: readonly PlannedPort[];
  readonly devices: readonly PlannedDevice[];
  /** devices that the kernel's own test modules make, not QEMU; none: absent */
  readonly mocks?: readonly PlannedMock[];
  readonly windows: readonly PlannedWindow[];
  /** ports without a device or switch at boot, by id: where hot-add can plug */
  readonly freePorts: readonly string[];
}

export interface PlannedPort {
  readonly id: string;
  readonly hostBridge: string;
  /** the switch it belongs to; absent for a root port */
  readonly switch?: string;
  /** its name in the guest's /sys/bus/pci/slots */
  readonly slot: number;
}

/** What there is to know of a memory device, whoever makes it. */
export interface MemoryDevice {
  /** the name that scenarios use */
  readonly id: string;
  /** the guest finds the memdev by it (`memN/serial`): numbering of memN is not stable */
  readonly serial: number;
  readonly volatileBytes: number;
  readonly persistentBytes: number;
  /** capacity that can be added at run time, and the number of regions it is split into */
  readonly dynamic?: { readonly bytes: number; readonly regions: number };
}

/** A type-3 device of QEMU: its id is that of the qdev. */
export interface PlannedDevice extends MemoryDevice {
  readonly labelBytes: number;
  /** id of the root port or switch downstream port it is plugged into */
  readonly port: string;
  readonly hostBridge: string;
}

/** A device of the kernel's cxl_test. */
export interface PlannedMock extends MemoryDevice {
  /** `cxl_mem.2` on the platform bus */
  readonly platformDevice: string;
}

export interface PlannedWindow {
  readonly id: string;
  /** index in the CEDT: root decoder `decoder0.<index>` in the guest */
  readonly index: number;
  readonly sizeBytes: number;
  readonly granularity: number;
  /** host bridge ids in interleave order */
  readonly targets: readonly string[];
}
