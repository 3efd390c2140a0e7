import type { State } from '../../../abi/index.js';
import type { StepBody } from '../../language.js';
import type { StepSession } from '../context.js';
import type { Mismatch } from '../outcome.js';
import type { TraceEvent } from '../trace-events.js';

type Body = StepBody<'expect'>;
export type ClauseKey = Exclude<keyof Body, 'within' | 'stays-for' | 'same-as'>;
type One<T> = T extends readonly (infer Entry)[] ? Entry : T;
/** What a scenario may say in one clause of a kind. */
export type ClauseOf<K extends ClauseKey> = One<NonNullable<Body[K]>>;

/** What clauses are held against. */
export interface World {
  readonly state: State;
  readonly session: StepSession;
  driverName(name: string): string;
  /** the topology device with a serial number */
  idOf(serial: number): string | undefined;
  /** the memdev of a topology device */
  memdevOf(id: string): string | undefined;
  /** undefined: there is no such file */
  file(path: string): string | undefined;
  /** open(2) of the node in /dev succeeds: it is there as long as the device, and without device_dax open is ENXIO */
  opens(node: string): boolean;
  /** driver of a device on a bus that is not in the state; null: none, undefined: no such device */
  driverOn(bus: string, device: string): string | null | undefined;
  readonly trace: readonly TraceEvent[];
  /** the text of an event's `format` file; undefined: there is no such event, or nobody asked */
  traceFormat(event: string): string | undefined;
}

export interface Miss extends Mismatch {
  readonly subject: string;
}

/** Compares one key of a clause; undefined: it holds or was not asked. */
export function compare(
  key: string,
  subject: string,
  expected: unknown,
  received: unknown,
): Miss | undefined {
  if (expected === undefined || JSON.stringify(expected) === JSON.stringify(received)) return undefined;
  const message = `${key} of ${subject} is ${JSON.stringify(received)}, not ${JSON.stringify(expected)}`;
  return { message, path: [key], subject, expected, received };
}

export function existence(
  subject: string,
  expected: boolean | undefined,
  exists: boolean,
): { readonly misses: Miss[]; readonly goOn: boolean } {
  const wanted = expected ?? true;
  if (wanted === exists) return { misses: [], goOn: exists };
  const misses = [
    {
      message: exists ? `${subject} is there` : `there is no ${subject}`,
      path: expected === undefined ? [] : ['exists'],
      subject,
      expected: wanted ? 'it exists' : 'it does not exist',
      received: exists ? 'it exists' : 'it does not exist',
    },
  ];
  return { misses, goOn: false };
}

/** Whether as many as asked for are there; one at least when nothing is said of it. */
export function presence(
  subject: string,
  { count, exists }: { readonly count?: string | number | undefined; readonly exists?: boolean | undefined },
  found: number,
): { readonly misses: Miss[]; readonly goOn: boolean } {
  if (count === undefined) return existence(subject, exists, found > 0);
  const misses = present([compare('count', subject, number(count), found)]);
  return { misses, goOn: misses.length === 0 };
}

export function present(misses: readonly (Miss | undefined)[]): Miss[] {
  return misses.filter((miss) => miss !== undefined);
}

export function number(value: string | number | undefined): string | number | undefined {
  return typeof value === 'string' && /^\d+$/.test(value.trim()) ? Number(value) : value;
}
