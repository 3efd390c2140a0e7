import type { CaseTrace, StepTrace, TypedLine } from '../../trace/trace.js';
import type { Difference } from './comparison.js';

/** Splats that only one of the kernels said; those of allowed kinds too: who compares kernels wants to know. */
export function splatDifferences(base: CaseTrace, head: CaseTrace): Difference[] {
  const only = (on: 'base' | 'head', one: CaseTrace, other: CaseTrace): Difference[] => {
    const known = new Set(other.splats.map(({ fingerprint }) => fingerprint));
    return one.splats.flatMap(({ fingerprint, title, text, allowed }) => {
      if (known.has(fingerprint)) return [];
      known.add(fingerprint);
      return [{ kind: 'splat' as const, on, title, fingerprint, text, allowed }];
    });
  };
  return [...only('head', head, base), ...only('base', base, head)];
}

/**
 * Lines that were typed on both and answered differently, in steps that went well on both. Where the steps took
 * different ways (another number of lines), only the line that both typed in the same place can be compared.
 */
export function answerDifferences(base: CaseTrace, head: CaseTrace): Difference[] {
  return pairedSteps(base, head).flatMap(([one, other]) => {
    if (one.outcome !== 'pass' || other.outcome !== 'pass') return [];
    return one.lines.flatMap((line, index): Difference[] => {
      const same = other.lines[index];
      if (same?.text !== line.text || same.channel !== line.channel) return [];
      const [was, is] = [answer(line), answer(same)];
      if (was === is) return [];
      return [{ kind: 'answer', step: stepName(one), line: line.text.trim(), base: was, head: is }];
    });
  });
}

/** Steps of the same place and kind. */
export function pairedSteps(
  base: CaseTrace,
  head: CaseTrace,
): (readonly [base: StepTrace, head: StepTrace])[] {
  const byId = new Map(head.steps.map((step) => [step.id, step]));
  return base.steps.flatMap((step) => {
    const other = byId.get(step.id);
    return other?.kind === step.kind ? [[step, other] as const] : [];
  });
}

export function stepName({ id, title }: Pick<StepTrace, 'id' | 'title'>): string {
  return `${id} ${title}`;
}

function answer({ errno, code }: TypedLine): string {
  if (errno !== undefined) return errno;
  if (code === undefined) return 'no answer';
  if (code === null) return 'killed';
  return code === 0 ? 'ok' : `exit ${code}`;
}
