import { isMap } from '../../base/plain.js';
import { quote } from '../../base/sh-quote.js';
import type { Check } from '../../scenario/clauses/definition.js';
import { clauseOf, clauses, type ClauseKey } from '../../scenario/clauses/index.js';
import type { MachinePlan } from '../../topology/plan.js';

/** Begins a comment that stands in the place of a check that sh can't make. */
export const NOT_CHECKED = '# not checked here:';

/**
 * What an \`expect\` step says, as lines of shell that check it with the functions of the prelude. What has no such line
 * is told in a comment.
 */
export function expectationLines(body: unknown, machine: MachinePlan): string[] {
  if (!isMap(body)) return [];
  const { within, 'stays-for': staysFor, ...asked } = body;
  const seconds = Math.max(1, Math.ceil(durationSeconds(within) ?? 10));
  const checks = Object.entries(asked).flatMap(([kind, value]) =>
    [value].flat().flatMap((clause): Check[] => {
      const found =
        isClause(kind) && isMap(clause) && !hasReference(clause)
          ? (clauseOf(kind).checks?.(clause, machine) ?? [])
          : [];
      return found.length > 0 ? found : [unchecked(kind, clause)];
    }),
  );
  const stays = durationSeconds(staysFor);
  return [
    ...checks.map((check) => line(check, seconds)),
    ...(stays === undefined
      ? []
      : [`sleep ${stays}`, ...checks.filter(({ command }) => command !== '').map((check) => line(check, 0))]),
  ];
}

function line({ what, want, command }: Check, seconds: number): string {
  if (command === '') return `${NOT_CHECKED} ${what.replace(/\s+/g, ' ')}`;
  return `within ${seconds} ${quote(what)} ${quote(want)} ${quote(command)}`;
}

function unchecked(kind: string, clause: unknown): Check {
  return { what: `${kind} ${JSON.stringify(clause)}`, want: '', command: '' };
}

function isClause(kind: string): kind is ClauseKey {
  return Object.hasOwn(clauses, kind);
}

function hasReference(clause: unknown): boolean {
  return JSON.stringify(clause).includes('${');
}

function durationSeconds(value: unknown): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(typeof value === 'string' ? value : '');
  if (!match) return undefined;
  return Number(match[1]) * ({ ms: 0.001, s: 1, m: 60 }[match[2] ?? ''] ?? 1);
}
