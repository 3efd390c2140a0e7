/**
 * What QEMU's emulation of CXL can't do, or does in another way than hardware: the one place where that is known. Rules of
 * topologies, `cxlrig doctor --limits` and the documents take it from here.
 */
export interface EmulatorLimit {
  /** what there is, as a noun phrase with its bound */
  readonly limit: string;
  /** what comes of going beyond it */
  readonly consequence: string;
  /** QEMU's file and function that says so */
  readonly source: string;
  /** who keeps it from being taken for the kernel's doing */
  readonly handling:
    'refused by check' | 'told when it is met' | 'the harness works around it' | 'known, not prevented';
  /** versions in which it was seen, or read in the source */
  readonly seenIn: readonly string[];
  /** the oldest version in which it was seen to be gone */
  readonly goneIn?: string;
}

/** CXL 3.1 8.2.9.9.1.1 counts capacity in these units. */
export const CAPACITY_UNIT = 256 * 2 ** 20;
/** Regions that the dynamic capacity of a device can be split into. */
export const DYNAMIC_REGIONS = 8;
/** Extents of dynamic capacity are made of such blocks. */
export const DYNAMIC_BLOCK = 2 * 2 ** 20;
/** What each event log of a device holds. */
export const EVENT_RECORDS = 8;
/** What the windows may have together: they lie above memory, and TCG's CPUs have 40 address bits. */
export const MAX_WINDOWS = 512 * 2 ** 30;

const BOTH = ['10.0.2', '11.1.3'] as const;

export const emulatorLimits = {
  switchLevels: {
    limit: 'one level of switches below a root port',
    consequence: 'what is written to memory below a second switch is lost without a word, and reads give 0',
    source: 'hw/cxl/cxl-host.c:cxl_cfmws_find_device()',
    handling: 'refused by check',
    seenIn: BOTH,
  },
  capacityUnit: {
    limit: 'volatile and persistent capacity in units of 256M',
    consequence: 'QEMU starts, but the device refuses to identify itself and the guest has no memdev',
    source: 'hw/cxl/cxl-mailbox-utils.c:cmd_identify_memory_device()',
    handling: 'refused by check',
    seenIn: BOTH,
  },
  dynamicRegions: {
    limit:
      'dynamic capacity, volatile only, in at most 8 regions of one size, each a multiple of 256M, in blocks of 2M',
    consequence: 'QEMU does not start',
    source: 'hw/mem/cxl_type3.c:cxl_create_dc_regions(), include/hw/cxl/cxl_device.h:DCD_MAX_NUM_REGION',
    handling: 'refused by check',
    seenIn: BOTH,
  },
  labels: {
    limit: 'persistent capacity only with label storage',
    consequence: 'QEMU does not start',
    source: 'hw/mem/cxl_type3.c:cxl_setup_memory()',
    handling: 'refused by check',
    seenIn: BOTH,
  },
  addressBits: {
    limit: 'windows of 512G together',
    consequence: 'they do not fit into the 40 address bits that a CPU of TCG has',
    source: 'target/i386/cpu.h:TCG_PHYS_ADDR_BITS, hw/i386/pc.c:pc_memory_init()',
    handling: 'refused by check',
    seenIn: BOTH,
  },
  busNumbers: {
    limit: '240 PCI bus numbers, shared evenly by the host bridges; one a port, one a switch inside',
    consequence:
      'the firmware numbers no buses below the last ports, and the guest does not see what is there',
    source: 'SeaBIOS src/fw/pciinit.c:pci_bios_init_bus_rec()',
    handling: 'refused by check',
    seenIn: BOTH,
  },
  decoders: {
    limit: '4 HDM decoders in each host bridge, switch and device',
    consequence: 'the kernel refuses a fifth region on the way to a device',
    source:
      'include/hw/cxl/cxl_component.h:CXL_HDM_DECODER_COUNT, hw/cxl/cxl-component-utils.c:hdm_init_common()',
    handling: 'told when it is met',
    seenIn: BOTH,
  },
  ways: {
    limit: '8 ways below a host bridge or a switch, in powers of 2',
    consequence:
      'the kernel refuses the region (ENXIO, EINVAL); 3, 6 and 12 ways need windows over as many bridges',
    source:
      'hw/pci-bridge/pci_expander_bridge.c:pxb_cxl_dev_reset(), hw/cxl/cxl-component-utils.c:hdm_init_common()',
    handling: 'told when it is met',
    seenIn: BOTH,
  },
  lowerDecoder: {
    limit: 'decoders of a device in use from the lowest on, without a gap',
    consequence:
      'when a region is decommitted, the data of regions on higher decoders of the same device is lost until it is committed again',
    source: 'hw/mem/cxl_type3.c:cxl_type3_dpa(), which ends at the first decoder that is not committed',
    handling: 'known, not prevented',
    seenIn: ['10.0.2'],
    goneIn: '11.1.3',
  },
  ioMemory: {
    limit: 'CXL windows as I/O memory',
    consequence: 'some 10 MB a second; KVM can run no code from them',
    source: 'hw/cxl/cxl-host.c:cfmws_ops',
    handling: 'the harness works around it',
    seenIn: BOTH,
  },
  crossingSave: {
    limit: 'no FXSAVE, XSAVE or the like across a page boundary from RAM into CXL memory',
    consequence:
      'QEMU ends with SIGSEGV: the kernel does this when it writes a signal frame to a stack that has one page in RAM and the next in CXL memory, as after a demotion',
    // it looks for a host address of the first page only; no model of CPU avoids it, all have FXSAVE
    source: 'target/i386/tcg/access.c:access_ptr()',
    handling: 'told when it is met',
    seenIn: ['10.0.2'],
    goneIn: '11.1.3',
  },
  poison: {
    limit: 'poison as a list only',
    consequence: 'a load from poisoned memory gives the data and no machine check',
    source: 'hw/mem/cxl_type3.c:cxl_type3_read()',
    handling: 'known, not prevented',
    seenIn: ['10.0.2'],
  },
  extents: {
    limit: '512 extents a device, no shared ones, no tags, added and released only where the command says',
    consequence:
      'QMP answers "Selection policy not supported", forced removal is refused, and a tag is ignored: every record has the null tag',
    source:
      'hw/cxl/cxl-mailbox-utils.c:CXL_NUM_EXTENTS_SUPPORTED, hw/mem/cxl_type3.c:qmp_cxl_add_dynamic_capacity()',
    handling: 'refused by check',
    seenIn: ['10.0.2'],
  },
  eventRecords: {
    limit: '8 records in each event log of a device',
    consequence:
      'of more extents offered at once the records from the ninth on are lost, and all stay pending',
    source: 'hw/cxl/cxl-events.c:CXL_TEST_EVENT_OVERFLOW',
    handling: 'refused by check',
    seenIn: ['10.0.2'],
  },
  pendingCapacity: {
    limit:
      'extents that wait for an answer survive a reset of the guest, and answers are taken for the oldest offer',
    consequence:
      'after a kernel that cleared the event and never answered, the answers of the next one are taken for the wrong offer',
    source: 'hw/cxl/cxl-mailbox-utils.c:cmd_dcd_add_dyn_cap_rsp(), hw/mem/cxl_type3.c:ct3d_reset()',
    handling: 'known, not prevented',
    seenIn: ['10.0.2'],
  },
  emptyAnswer: {
    limit: 'an answer that accepts nothing only while an offer waits for one',
    consequence: 'QEMU crashes of an empty list (SIGSEGV)',
    source: 'hw/cxl/cxl-mailbox-utils.c:cxl_extent_group_list_delete_front()',
    handling: 'told when it is met',
    seenIn: ['10.0.2'],
  },
  reset: {
    limit: 'a reset that clears HDM decoders but leaves the memory enable bit of the DVSEC',
    consequence:
      'the next kernel refuses the endpoint ("Range register decodes outside platform defined CXL ranges")',
    source: 'hw/mem/cxl_type3.c:ct3d_reset()',
    handling: 'the harness works around it',
    seenIn: ['10.0.2'],
  },
  migration: {
    limit: 'no saved state of host bridges, CXL ports and devices',
    consequence: 'a guest that knew of them finds their registers reset after a resume',
    source: 'hw/mem/cxl_type3.c, hw/pci-bridge/cxl_root_port.c: no vmsd',
    handling: 'the harness works around it',
    seenIn: BOTH,
  },
  unplug: {
    limit: 'devices that are unplugged without DEVICE_DELETED, and whose memory backends are never released',
    consequence: 'ids of backends can be used once',
    source: 'hw/mem/cxl_type3.c:ct3_exit()',
    handling: 'the harness works around it',
    seenIn: ['10.0.2'],
  },
} as const satisfies Readonly<Record<string, EmulatorLimit>>;

/** The limits that a version of QEMU has, as far as is known: of a version between two that were tried, those of the older. */
export function limitsOf(version: string): EmulatorLimit[] {
  return Object.values(emulatorLimits).filter(
    ({ goneIn }: EmulatorLimit) => goneIn === undefined || isOlder(version, goneIn),
  );
}

function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split('.').map(Number));
  const at = (b ?? []).findIndex((part, n) => (a?.[n] ?? 0) !== part);
  return at >= 0 && (a?.[at] ?? 0) < (b?.[at] ?? 0);
}
