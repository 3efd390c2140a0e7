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

export interface PlannedDevice {
  /** the name that scenarios use; also QEMU's qdev id */
  readonly id: string;
  /** the guest finds the memdev by it (`memN/serial`): numbering of memN is not stable */
  readonly serial: number;
  readonly volatileBytes: number;
  readonly persistentBytes: number;
  readonly labelBytes: number;
  /** capacity that can be added at run time, and the number of regions it is split into */
  readonly dynamic?: { readonly bytes: number; readonly regions: number };
  /** id of the root port or switch downstream port it is plugged into */
  readonly port: string;
  readonly hostBridge: string;
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
