import { quote } from '../../base/sh-quote.js';
import { parseSize } from '../../base/size.js';
import type { MachinePlan } from '../../topology/plan.js';
import type { Check, Written } from './definition.js';

/** Parts of the shell forms of clauses. Their functions are those of the prelude (report/repro/prelude.ts). */

export function check(what: string, want: string, command: string): Check {
  return { what, want, command };
}

/** The check of a key, where the clause has it. */
export function when(clause: Written, key: string, make: (want: unknown) => Check): Check[] {
  return clause[key] === undefined ? [] : [make(clause[key])];
}

/** Whether there is the path, by the key `exists`. */
export function pathCheck(clause: Written, path: string, what: string): Check[] {
  return [check(`${what} is there`, clause['exists'] === false ? 'no' : 'yes', `exists ${path}`)];
}

/** Whether anything is selected, by the keys `count` and `exists`. */
export function presenceCheck(clause: Written, what: string, list: string): Check {
  if (clause['count'] !== undefined)
    return check(`number of ${what}`, text(clause['count']), `${list} | wc -l`);
  const want = clause['exists'] === false ? 'none' : 'some';
  return check(what, want, `[ -n "$(${list})" ] && echo some || echo none`);
}

/** With nothing selected, which a count of 0 allows, nothing is said of each. */
export function orNothing(clause: Written, want: string): string {
  return clause['count'] === undefined ? want : `${want}|`;
}

export function serialOf(id: unknown, { devices }: MachinePlan): string {
  const device = devices.find((one) => one.id === id);
  return device ? `${device.serial}` : text(id);
}

export function size(value: unknown): string {
  return `${typeof value === 'string' ? (parseSize(value) ?? value) : text(value)}`;
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function yesOrNo(value: unknown): string {
  return value === true ? 'yes' : 'no';
}

/** A regular expression of RE2 in the words of grep -E, as far as scenarios use them. */
export function posixPattern(pattern: string): string {
  return pattern
    .replaceAll('\\d', '[0-9]')
    .replaceAll('\\w', '[[:alnum:]_]')
    .replaceAll('\\s', '[[:space:]]')
    .replaceAll('\\S', '[^[:space:]]')
    .replaceAll('(?:', '(');
}

/** Only those of the listed names that are this one. */
export function only(list: string, name: unknown): string {
  return `${list} | grep -xF ${quote(text(name))}`;
}
