import { isMap } from '../base/plain.js';
import { kernelNames } from './normal-names.js';
import type { State, StateChange } from './state.js';

/** What a step changed, as its trace has it. */
export interface ChangesOfStep {
  readonly id: string;
  readonly changes: readonly StateChange[];
}

/**
 * What a case left behind, in a reader's words, one sentence a thing: `memory block 32: online -> offline, by step 1`.
 * @param leftovers as `leftoversOf` finds them, under names that do not depend on numbering
 */
export function leftoverWords(
  leftovers: readonly StateChange[],
  before: State,
  after: State,
  steps: readonly ChangesOfStep[],
): string[] {
  const nameBefore = kernelNames(before);
  const nameAfter = kernelNames(after);
  const things = new Map<string, Leftover[]>();
  for (const { keys, before: was, after: is } of leftovers) {
    // what is there now goes by its name of now
    const nameOf = is === undefined ? nameBefore : nameAfter;
    const [collection = '', ...path] = keys.map(nameOf);
    const [thing = '', ...attribute] = WITHIN.has(collection) ? path.slice(1) : path;
    const bus = WITHIN.has(collection) ? path[0] : undefined;
    const leftover = {
      keys: keys.map(nameOf),
      attribute: attribute.join('.'),
      was: typeof was === 'string' ? nameBefore(was) : was,
      is: typeof is === 'string' ? nameAfter(is) : is,
    };
    const words = nameOfThing(collection, thing, bus);
    things.set(words, [...(things.get(words) ?? []), leftover]);
  }
  const told = [...things].map(([words, changes]) => {
    const by = stepOf(changes, steps);
    return `${words}${changesOf(changes)}${by === undefined ? '' : `, by step ${by}`}`;
  });
  return hasMemoryThatStays(before, after) ? [MEMORY_THAT_STAYS, ...told] : told;
}

/** What the kernel keeps in memory of other zones than Movable can't be moved out of it. */
const MEMORY_THAT_STAYS =
  'memory that came online in zone Normal, and may never go (`set` auto_online_blocks to online_movable or offline before, or say `leaves-no-trace: false`)';

function hasMemoryThatStays(before: State, after: State): boolean {
  return Object.entries(after.memoryBlocks).some(
    ([number, { state, zones }]) =>
      !(number in before.memoryBlocks) && state === 'online' && zones[0] === 'Normal',
  );
}

interface Leftover {
  readonly keys: readonly string[];
  /** empty: the thing itself came or went */
  readonly attribute: string;
  readonly was: unknown;
  readonly is: unknown;
}

/** Collections that are kept by bus. */
const WITHIN: ReadonlySet<string> = new Set(['bindings', 'drivers']);

function nameOfThing(collection: string, name: string, bus: string | undefined): string {
  switch (collection) {
    case 'memoryBlocks':
      return `memory block ${name}`;
    case 'nodes':
      return `node ${name}`;
    case 'iomem':
      return `/proc/iomem ${name}`;
    case 'modules':
      return `module ${name}`;
    case 'deniedModules':
      return `modprobe denies ${name}`;
    case 'deviceNodes':
      return `/dev/${name}`;
    case 'drivers':
      return `driver ${name} on the ${bus ?? ''} bus`;
    case 'bindings':
      return `driver of ${name}`;
    case 'ndRegions':
      return `libnvdimm's ${name}`;
    case 'autoOnlineBlocks':
      return 'auto_online_blocks';
    default:
      return name === '' ? asAttribute(collection) : name;
  }
}

/** Attributes that say all there is to say of their thing. */
const PLAIN = new Set(['', 'state']);
const MOST_ATTRIBUTES = 3;

function changesOf(changes: readonly Leftover[]): string {
  const whole = changes.find(({ attribute }) => attribute === '');
  if (whole && isThing(whole)) return whole.is === undefined ? ' is gone' : ' is there';
  const [state] = changes.filter(({ attribute }) => PLAIN.has(attribute));
  const told = state ? [state] : changes.slice(0, MOST_ATTRIBUTES);
  const more = state ? 0 : changes.length - told.length;
  const texts = told.map(({ attribute, was, is }) => {
    const name = PLAIN.has(attribute) ? '' : `${asAttribute(attribute)} `;
    return `${name}${valueOf(was)} -> ${valueOf(is)}`;
  });
  return `: ${texts.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** It came or went as a whole; a name in a list has nothing else to say. */
function isThing({ was, is }: Leftover): boolean {
  return (
    [was, is].some((value) => value === undefined) &&
    [was, is].some((value) => value === true || isMap(value) || Array.isArray(value))
  );
}

/** The last step that changed it: what it was made by then is what is there. */
function stepOf(leftovers: readonly Leftover[], steps: readonly ChangesOfStep[]): string | undefined {
  return steps.findLast(({ changes }) =>
    changes.some(({ keys }) =>
      leftovers.some((leftover) => isPrefix(keys, leftover.keys) || isPrefix(leftover.keys, keys)),
    ),
  )?.id;
}

function isPrefix(some: readonly string[], all: readonly string[]): boolean {
  return some.every((key, index) => key === all[index]);
}

/** As the kernel names it: dpaSize -> dpa_size. */
function asAttribute(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function valueOf(value: unknown): string {
  if (value === undefined || value === null) return 'none';
  if (typeof value === 'number') return value > 0xffff ? `0x${value.toString(16)}` : `${value}`;
  if (Array.isArray(value)) return value.map(valueOf).join(' ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
