import type { GuestShell } from '../../guest/guest.js';
import { tracing } from './trace-events.js';

/**
 * What a kernel can tell beside its log while a case runs once more: debug messages of the subsystems that cases are
 * about (Documentation/admin-guide/dynamic-debug-howto.rst), and which of their functions each write called
 * (Documentation/trace/ftrace.rst, the function graph tracer).
 */

/** Modules, also where they are built in. */
const MODULES = [
  'cxl_core',
  'cxl_acpi',
  'cxl_pci',
  'cxl_port',
  'cxl_mem',
  'cxl_pmem',
  'dax',
  'dax_cxl',
  'dax_hmem',
  'device_dax',
  'fsdev_dax',
  'kmem',
  'libnvdimm',
  'nd_pmem',
];
const FILES = ['mm/memory_hotplug.c', 'drivers/base/memory.c'];

/** Where a write to an attribute begins. */
const WRITE = 'kernfs_fop_write_iter';

const FUNCTIONS = [
  WRITE,
  '*_store',
  'cxl*',
  '*_cxl*',
  '*cxlr*',
  '*dax*',
  'memregion*',
  'nd_*',
  'nvdimm*',
  '*namespace*',
  '*_dpa*',
  'add_memory*',
  '*memory_block*',
  'offline_pages',
  'online_pages',
  'remove_memory*',
];
/** Of the same names, and called all the time. */
const OTHERS = [
  'nd_jump*',
  'vprintk_store',
  '*_visible',
  '*dentry*',
  '*mnt_namespace*',
  'to_cxl*',
  'is_cxl*',
  'cxl_bus_match',
  'cxl_device_id',
];

/** sh that begins it; a kernel that lacks one of the two tells the other alone. */
const BEGIN = `
control=/proc/dynamic_debug/control
if [ -w $control ]; then
	for module in ${MODULES.join(' ')}; do echo "module $module +p"; done > $control
	for file in ${FILES.join(' ')}; do echo "file $file +p"; done > $control
fi
cd ${tracing} && grep -q function_graph available_tracers || exit 0
for name in ${FUNCTIONS.map((name) => `'${name}'`).join(' ')}; do echo "$name" >> set_ftrace_filter; done
for name in ${OTHERS.map((name) => `'${name}'`).join(' ')}; do echo "$name" >> set_ftrace_notrace; done
echo ${WRITE} > set_graph_function
for option in funcgraph-cpu funcgraph-duration funcgraph-overhead; do echo 0 > options/$option; done
[ -e options/funcgraph-retval ] && echo 1 > options/funcgraph-retval && echo 1 > options/funcgraph-tail
echo function_graph > current_tracer
`;

export async function beginRecordingCalls(guest: GuestShell, timeoutMs: number): Promise<void> {
  await guest.exec(`{ ${BEGIN} } 2> /dev/null`, { timeoutMs });
}

/** What was called since it was asked for last, empty when nothing was, or when it can't be told. */
export async function takeCalls(guest: GuestShell, timeoutMs: number): Promise<string> {
  const { stdout } = await guest.type(`{ cat ${tracing}/trace && echo > ${tracing}/trace; } 2> /dev/null`, {
    timeoutMs,
  });
  return readableCalls(stdout.toString('utf8'));
}

const MOST_CHARACTERS = 32_000;

/** The trace without its head, and with what is called several times in a row once. */
export function readableCalls(trace: string): string {
  const lines = trace
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#') && !/^ *-+$/.test(line));
  const shown: { line: string; times: number }[] = [];
  for (const line of lines) {
    const last = shown.at(-1);
    if (last?.line === line && line.trimEnd().endsWith(';')) last.times += 1;
    else shown.push({ line, times: 1 });
  }
  const text = shown
    .map(({ line, times }) => (times === 1 ? line : `${line} /* ${times} times */`))
    .join('\n');
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}\n...` : text;
}
