import { deniedModulesGlob, memoryBlocks } from './lines.js';

/** Attributes that are read of the devices of a bus, by name pattern of the device. Nothing here has a side effect. */
const ATTRIBUTES: readonly (readonly [devices: string, attributes: string])[] = [
  ['cxl/devices/mem*', 'serial numa_node ram/size pmem/size'],
  [
    'cxl/devices/decoder*',
    'devtype start size interleave_ways interleave_granularity target_list region mode dpa_resource dpa_size locked',
  ],
  [
    'cxl/devices/region*',
    'mode uuid resource size interleave_ways interleave_granularity commit target[0-9]* */hotplug',
  ],
  ['dax/devices/*', 'size align target_node numa_node resource state hotplug'],
  ['nd/devices/namespace*', 'mode size uuid holder'],
  ['nd/devices/region*', 'resource size'],
  ['nd/devices/nmem*', 'cxl/id'],
];

const OTHER_FILES = [
  `${memoryBlocks}/memory[0-9]*/state`,
  `${memoryBlocks}/memory[0-9]*/valid_zones`,
  `${memoryBlocks}/auto_online_blocks`,
  `${memoryBlocks}/block_size_bytes`,
  '/sys/devices/system/node/online',
  '/sys/devices/system/node/has_memory',
  '/sys/devices/system/node/has_cpu',
  '/sys/devices/system/node/node[0-9]*/meminfo',
  '/proc/iomem',
  '/proc/modules',
];

/** What the shell itself can find by its globs. */
const NAMES = [
  '/sys/bus/cxl/drivers/*',
  '/sys/bus/dax/drivers/*',
  '/sys/bus/nd/drivers/*',
  '/sys/bus/nd/devices/*/block/*',
  '/dev/dax*',
  '/dev/pmem*',
  `${memoryBlocks}/memory[0-9]*/node[0-9]*`,
  deniedModulesGlob,
];

/**
 * sh that prints the whole state; see `parseState` for its form. Links are followed by the shell's own `cd -P`, all
 * files are read by one grep: a single process is started, as each costs 20 ms and more under TCG. What vanishes
 * while it is read, or refuses to be read, is left out.
 */
export function stateScript(): string {
  const files = ATTRIBUTES.flatMap(([devices, attributes]) =>
    attributes.split(' ').map((attribute) => `/sys/bus/${devices}/${attribute}`),
  );
  return [
    '{',
    'for _d in /sys/bus/cxl/devices/* /sys/bus/dax/devices/* /sys/bus/nd/devices/*; do',
    '  cd -P "$_d" && echo "device $_d $PWD" || continue',
    '  cd -P driver && echo "driver $_d ${PWD##*/}"',
    '  case $_d in */root*|*/port*|*/endpoint*) cd -P "$_d/uport" && echo "uport $_d ${PWD##*/}";; esac',
    'done',
    'cd /',
    `for _d in ${NAMES.join(' ')}; do [ -e "$_d" ] && echo "name $_d"; done`,
    `grep -sH '' ${[...files, ...OTHER_FILES].join(' ')}`,
    '} 2>/dev/null',
  ].join('\n');
}
