import { memoryBlocks } from '../lines.js';

/** The buses whose attributes are listed. */
export const INVENTORY_BUSES = ['cxl', 'dax', 'nd', 'memory'] as const;

/**
 * Attributes whose value is not read although their mode allows it: reading them waits for probing, or they are
 * binary.
 */
const NOT_READ = ['*/wait_probe', '*/CDAT'];

/**
 * sh that prints every attribute that the buses, their drivers and their devices have; see `parseInventory` for its
 * form. It writes nothing. Groups within a device's folder and children that are on no bus belong to the device;
 * `power/` is left out, for every device of every bus has it.
 *
 * Values are read by the shell itself, for a process costs 10 ms under TCG; only where it could not, cat says why.
 */
export function inventoryScript(): string {
  return [
    '{',
    'cd /sys',
    '_l=',
    '_walk() {',
    '  for _f in "$1"/*; do',
    '    if [ -L "$_f" ]; then echo "link $_f"',
    '    elif [ -d "$_f" ]; then case $_f in */power|*/devices|*/drivers) ;; *) [ -e "$_f/subsystem" ] || _walk "$_f";; esac',
    '    elif [ -f "$_f" ]; then _l="$_l $_f"',
    '    fi',
    '  done',
    '}',
    `for _b in ${INVENTORY_BUSES.join(' ')}; do`,
    '  [ -d bus/$_b ] || continue',
    '  _walk bus/$_b',
    '  for _d in bus/$_b/drivers/*; do for _f in "$_d"/*; do [ -L "$_f" ] || _l="$_l $_f"; done; done',
    '  for _d in bus/$_b/devices/*; do',
    '    [ -e "$_d" ] || continue',
    '    cd -P "$_d"; echo "device $_d $PWD"; cd /sys',
    '    _walk "$_d"',
    '  done',
    'done',
    `for _f in ${memoryBlocks.replace('/sys/', '')}/*; do [ -f "$_f" ] && _l="$_l $_f"; done`,
    "stat -c '%a %n' $_l | while read -r _m _f; do",
    '  echo "mode $_f $_m"',
    '  case $_m in [0-3]*) continue;; esac',
    `  case $_f in ${NOT_READ.join('|')}) continue;; esac`,
    '  _v=',
    '  IFS= read -r _v < "$_f" || [ -n "$_v" ] || {',
    '    _e=$(cat "$_f" 2>&1 >/dev/null) || { echo "error $_f $_e"; continue; }',
    '  }',
    '  echo "value $_f $_v"',
    'done',
    'cd /',
    '} 2>/dev/null',
  ].join('\n');
}
