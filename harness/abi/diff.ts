import { isMap } from '../base/plain.js';
import { walkIomem } from './iomem.js';
import { byName } from './readings.js';
import type { State, StateChange } from './state.js';

/**
 * What leads from one state to a later one, exactly: see `StateChange`. A thing that came or went is one change with
 * the whole of it.
 */
export function diffStates(before: State, after: State): StateChange[] {
  return changesBetween(before, after, []);
}

/**
 * What differs between two states for whoever compares them, by path: `regions.region0.driver`,
 * `memoryBlocks.186.state`, `iomem.CXL Window 0/region0`, `modules.kmem`.
 * @param ignoring globs on paths: `*` within a component, `**` over components; what lies below is ignored too
 */
export function differencesOf(before: State, after: State, ignoring: readonly string[] = []): StateChange[] {
  const ignored = ignoring.map(globPattern);
  return changesBetween(comparable(before), comparable(after), []).filter(
    ({ path }) => !ignored.some((pattern) => pattern.test(path)),
  );
}

/** The state with lists of names as sets, and iomem by name, so that each difference is one of its own. */
function comparable(state: State): Record<string, unknown> {
  const iomem: Record<string, string[]> = {};
  for (const { path, resource } of walkIomem(state.iomem)) {
    (iomem[path.join('/')] ??= []).push(`${resource.start.toString(16)}-${resource.end.toString(16)}`);
  }
  return {
    ...state,
    iomem,
    deviceNodes: present(state.deviceNodes),
    modules: present(state.modules),
    deniedModules: present(state.deniedModules),
    drivers: Object.fromEntries(Object.entries(state.drivers).map(([bus, names]) => [bus, present(names)])),
  };
}

function present(names: readonly string[]): Record<string, true> {
  return Object.fromEntries(names.map((name) => [name, true as const]));
}

function changesBetween(before: unknown, after: unknown, keys: readonly string[]): StateChange[] {
  if (isMap(before) && isMap(after)) {
    const both = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...both].sort(byName).flatMap((key) => changesBetween(before[key], after[key], [...keys, key]));
  }
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  return [
    {
      path: keys.join('.'),
      keys,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
    },
  ];
}

function globPattern(glob: string): RegExp {
  const source = glob
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replace(/\*\*?/g, (stars) => (stars === '**' ? '.*' : '[^.]*'));
  return new RegExp(`^${source}(?:\\..*)?$`);
}
