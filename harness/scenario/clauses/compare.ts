import { parseSize } from '../../base/size.js';
import type { Miss, World } from './definition.js';

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

/** A size or count that is none stays as it is: it then equals nothing, and is shown. */
export function bytes(value: string | number | undefined): string | number | undefined {
  return typeof value === 'string' ? (parseSize(value) ?? value) : value;
}

/** A driver, or a mode, by the name that this kernel has for it. */
export function driverName(expected: string | null | undefined, world: World): string | null | undefined {
  return typeof expected === 'string' ? world.driverName(expected) : expected;
}
