import { deniedModulesGlob, memoryBlocks } from './lines.js';

const DECODER = 'start size interleave_ways interleave_granularity';
/** Below the region, or below its dax region. */
const EXTENTS = 'extent*/offset extent*/length extent*/tag extent*/dax';
const DAX = 'size align target_node numa_node resource state hotplug';

/**
 * Attributes that are read of a device, by pattern on `its path on the bus=its real path`. The first that fits is
 * taken. Nothing here has a side effect when it is read; `*` within a name is the shell's.
 */
const ATTRIBUTES: readonly (readonly [device: string, attributes: string])[] = [
  ['*/cxl/devices/mem*', 'serial numa_node ram/size pmem/size dc/size dynamic_ram_1/size'],
  ['*/cxl/devices/decoder*/endpoint*', `${DECODER} region mode dpa_resource dpa_size`],
  ['*/cxl/devices/decoder*', `${DECODER} region target_list`],
  [
    '*/cxl/devices/region*',
    `mode uuid resource size interleave_ways interleave_granularity commit target[0-9]* */hotplug ${EXTENTS}`,
  ],
  ['*/dax/devices/*', DAX],
  ['*/nd/devices/namespace*', 'mode size uuid holder'],
  ['*/nd/devices/region*', 'resource size'],
];

const nodes = 'devices/system/node';
const blocks = memoryBlocks.replace('/sys/', '');

const OTHER_FILES = [
  `${blocks}/auto_online_blocks`,
  `${blocks}/block_size_bytes`,
  `${nodes}/online`,
  `${nodes}/has_memory`,
  `${nodes}/has_cpu`,
  '/proc/iomem',
  '/proc/modules',
];

/** What the shell itself finds by its globs. */
const NAMES = [
  'bus/cxl/drivers/*',
  'bus/dax/drivers/*',
  'bus/nd/drivers/*',
  'bus/nd/devices/*/block/*',
  '/dev/dax*',
  '/dev/pmem*',
  deniedModulesGlob,
];

/**
 * sh that prints the whole state; see `parseState` for its form. Paths that begin without a slash are below /sys. What
 * vanishes while it is read, or refuses to be read, is left out.
 *
 * Under TCG a process costs 10 ms and more, a glob over a bus 1 ms, and each write to the connection is encrypted by
 * itself: links are followed by the shell's own `cd -P`, the bus is walked once, what is found is said at once, and one
 * grep reads all files (`-F`: else it would run a regular expression on each line).
 */
export function stateScript(): string {
  const cases = ATTRIBUTES.map(([device, attributes]) => {
    const files = attributes.split(' ').map((attribute) => `$_d/${attribute}`);
    return `    ${device}) _f="$_f ${files.join(' ')}";;`;
  });
  return [
    '{',
    '_f=; _o=; _n="',
    '"',
    'cd /sys',
    'for _d in bus/cxl/devices/* bus/dax/devices/* bus/nd/devices/*; do',
    '  cd -P "/sys/$_d" && _p=$PWD || continue',
    '  _o="${_o}device $_d $_p$_n"',
    '  cd -P driver && _o="${_o}driver $_d ${PWD##*/}$_n"',
    '  case $_d=$_p in',
    '    */root[0-9]*=*|*/port[0-9]*=*|*/endpoint[0-9]*=*)',
    '      cd -P "$_p/uport" && _o="${_o}uport $_d ${PWD##*/}$_n";;',
    ...cases,
    '  esac',
    'done',
    'cd /sys',
    // by the nodes: there are fewer folders of them than of blocks
    `for _d in ${nodes}/node[0-9]*/memory[0-9]*; do`,
    '  [ -e "$_d" ] || continue',
    `  _p=${blocks}/\${_d##*/}; _o="\${_o}name $_d$_n"; _f="$_f $_p/state $_p/valid_zones"`,
    'done',
    // the first line of it is the total
    `for _d in ${nodes}/node[0-9]*; do read -r _p < $_d/meminfo && _o="$_o$_d/meminfo:$_p$_n"; done`,
    `for _d in ${NAMES.join(' ')}; do`,
    '  [ -e "$_d" ] || continue',
    '  _o="${_o}name $_d$_n"',
    'done',
    'echo "$_o"',
    `grep -sHF '' $_f ${OTHER_FILES.join(' ')}`,
    'cd /',
    '} 2>/dev/null',
  ].join('\n');
}
