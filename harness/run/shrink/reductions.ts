import { isMap } from '../../base/plain.js';
import { parseSize } from '../../base/size.js';
import { valueAt } from '../../scenario/load/expand.js';
import type { Edit, Path, Plain } from './edits.js';

/** A way to make a scenario smaller. */
export interface Reduction {
  /** `step 3`, `device mem1` */
  readonly words: string;
  readonly edits: readonly Edit[];
}

/**
 * What can be taken from a scenario, most telling first; a list is tried together, then one by one. Those that the
 * language refuses are for the caller to leave out.
 */
export const passes: readonly ((document: Plain) => Reduction[])[] = [
  withoutSteps,
  withoutParts,
  withoutSettings,
  withSmallerMachine,
  withSmallerSizes,
];

// ---------------------------------------------------------------- steps

/** Each step of the scenario with those that use what it names. */
function withoutSteps(document: Plain): Reduction[] {
  const places = ['steps', 'cleanup'].flatMap((list) =>
    listOf(document[list]).map((step, index) => ({ path: [list, index] as Path, step })),
  );
  return places.map((first) => {
    const gone = new Set([first]);
    for (const one of gone) {
      for (const name of namesMadeBy(one.step))
        for (const other of places) if (!gone.has(other) && uses(other.step, name)) gone.add(other);
    }
    return {
      words: `step ${stepNumber(first.path)}`,
      edits: [...gone].map(({ path }) => ({ path })),
    };
  });
}

/** Captures, snapshots and devices plugged in, also by the steps within. */
function namesMadeBy(step: unknown): string[] {
  if (Array.isArray(step)) return step.flatMap(namesMadeBy);
  if (!isMap(step)) return [];
  const { as } = step;
  const own = typeof as === 'string' ? [as] : [];
  const hotAdd = step['hot-add'];
  const plugged = isMap(hotAdd) && typeof hotAdd['id'] === 'string' ? [hotAdd['id']] : [];
  return [...own, ...plugged, ...Object.values(step).flatMap(namesMadeBy)];
}

function uses(step: unknown, name: string): boolean {
  if (typeof step === 'string')
    return step === name || step.includes(`\${${name}}`) || step.includes(`\${${name}.`);
  return isMap(step) || Array.isArray(step) ? Object.values(step).some((part) => uses(part, name)) : false;
}

function stepNumber([list, index]: Path): string {
  return `${list === 'cleanup' ? 'cleanup.' : ''}${Number(index) + 1}`;
}

/** Steps within steps, clauses of expectations, and all that stands in or beside a step and need not. */
function withoutParts(document: Plain): Reduction[] {
  const found: Reduction[] = [];
  const add = (path: Path, step: string, to?: number): void => {
    const words = `${path.slice(2).join('.') || 'all'} of step ${step}${to === undefined ? '' : `: ${to}`}`;
    found.push({ words, edits: [to === undefined ? { path } : { path, to }] });
  };
  const walk = (value: unknown, path: Path, step: string): void => {
    if (Array.isArray(value)) {
      for (const [index, entry] of value.entries()) {
        if (value.length > 1) add([...path, index], step);
        walk(entry, [...path, index], step);
      }
      return;
    }
    if (!isMap(value)) return;
    for (const [key, part] of Object.entries(value)) {
      const place = [...path, key];
      // without it a failing expectation waits longer
      if (key === 'within') continue;
      add(place, step);
      if (key === 'times' && typeof part === 'number' && part > 1) {
        add(place, step, Math.floor(part / 2));
        add(place, step, 1);
      }
      walk(part, place, step);
    }
  };
  for (const list of ['steps', 'cleanup'])
    for (const [index, step] of listOf(document[list]).entries())
      walk(step, [list, index], stepNumber([list, index]));
  return found;
}

// ---------------------------------------------------------------- the document

function withoutSettings(document: Plain): Reduction[] {
  const keys = ['boot', 'timeout', 'allow-splats', 'kernel'].filter((key) => key in document);
  const options = listOf(valueAt(document, ['kernel', 'cmdline']));
  return [
    ...keys.map((key) => ({ words: key, edits: [{ path: [key] }] })),
    ...(options.length > 1
      ? options.map((option, index) => ({
          words: `kernel option ${String(option)}`,
          edits: [{ path: ['kernel', 'cmdline', index] }],
        }))
      : []),
  ];
}

// ---------------------------------------------------------------- the machine

/** Parts of a topology that stands in the scenario, each with what is plugged into it. */
function withSmallerMachine(document: Plain): Reduction[] {
  const { topology } = document;
  if (!isMap(topology)) return [];
  const parts = (kind: string) =>
    listOf(topology[kind]).flatMap((part, index) =>
      isMap(part) ? [{ part, id: String(part['id']), path: ['topology', kind, index] as Path }] : [],
    );
  const [bridges, switches, devices, windows] = [
    parts('bridges'),
    parts('switches'),
    parts('devices'),
    parts('windows'),
  ];

  const device = ({ id, path }: (typeof devices)[number]): Edit[] => [
    { path },
    ...targetsNamed(id, document['steps'], ['steps']),
    ...targetsNamed(id, document['cleanup'], ['cleanup']),
  ];
  const on = (ports: readonly string[]): Edit[] => [
    ...devices.filter(({ part }) => ports.includes(String(part['port']))).flatMap(device),
    ...switches
      .filter(({ part }) => ports.includes(String(part['port'])))
      .flatMap(({ part, path }) => [{ path }, ...on(listOf(part['ports']).map(String))]),
  ];
  const ports = [...bridges, ...switches].flatMap(({ part, path }) => {
    const ids = listOf(part['ports']).map(String);
    if (ids.length === 1) return [];
    return ids.map((id, index) => ({
      words: `port ${id}`,
      edits: [{ path: [...path, 'ports', index] }, ...on([id])],
    }));
  });
  const bridge = ({ part, id, path }: (typeof bridges)[number]): Edit[] => [
    { path },
    ...on(listOf(part['ports']).map(String)),
    ...windows.flatMap((window) => {
      const targets = listOf(window.part['targets']).map(String);
      const index = targets.indexOf(id);
      if (index < 0) return [];
      return [{ path: targets.length === 1 ? window.path : [...window.path, 'targets', index] }];
    }),
  ];
  const named = (kind: string, list: typeof devices, editsOf: (one: (typeof devices)[number]) => Edit[]) =>
    list.map((one) => ({ words: `${kind} ${one.id}`, edits: editsOf(one) }));
  return [
    ...named('bridge', bridges, bridge),
    ...named('switch', switches, ({ part, path }) => [{ path }, ...on(listOf(part['ports']).map(String))]),
    ...named('device', devices, device),
    ...named('window', windows, ({ path }) => [{ path }]),
    ...named('mock', parts('mocks'), ({ path }) => [{ path }]),
    ...ports,
    ...['hmat', 'nodes', 'cpus', 'memory'].flatMap((key) =>
      key in topology ? [{ words: key, edits: [{ path: ['topology', key] }] }] : [],
    ),
    ...[...bridges, ...devices].flatMap(({ part, id, path }) =>
      ['hdm-for-passthrough', 'serial', 'volatile', 'persistent', 'labels', 'dynamic'].flatMap((key) =>
        key in part ? [{ words: `${key} of ${id}`, edits: [{ path: [...path, key] }] }] : [],
      ),
    ),
  ];
}

/** Where a device is one of several targets of a region, or of an expectation of one. */
function targetsNamed(id: string, value: unknown, path: Path): Edit[] {
  if (!isMap(value) && !Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([name, part]) => {
    const place = [...path, Array.isArray(value) ? Number(name) : name];
    if (name === 'targets' && Array.isArray(part))
      return part.flatMap((target, index) => (target === id ? [{ path: [...place, index] }] : []));
    return targetsNamed(id, part, place);
  });
}

// ---------------------------------------------------------------- sizes

/** What devices and windows come in. */
const LEAST = 256 * 2 ** 20;

function withSmallerSizes(document: Plain): Reduction[] {
  const found: Reduction[] = [];
  const walk = (value: unknown, path: Path): void => {
    if (!isMap(value) && !Array.isArray(value)) return;
    for (const [name, part] of Object.entries(value) as [string, unknown][]) {
      const place = [...path, Array.isArray(value) ? Number(name) : name];
      const bytes = SIZES.includes(name) ? parseSize(String(part)) : undefined;
      if (bytes !== undefined && bytes > LEAST)
        found.push({ words: `${place.join('.')}: 256M`, edits: [{ path: place, to: '256M' }] });
      walk(part, place);
    }
  };
  for (const key of ['topology', 'steps', 'cleanup']) walk(document[key], [key]);
  return found;
}

const SIZES = ['size', 'volatile', 'persistent'];

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}
