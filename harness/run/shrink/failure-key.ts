import { apartFromWaiting } from '../../report/apart-from-waiting.js';
import type { CaseTrace, StepFailure } from '../../trace/trace.js';

/**
 * What a case fails of, apart from when, where in the file and by which numbers of devices: two cases of one key fail of
 * the same. undefined when it does not fail, or when nothing was learnt.
 */
export function failureKey({ verdict, splats, failure, reason, steps }: CaseTrace): string | undefined {
  if (verdict !== 'fail' && verdict !== 'known-bug') return undefined;
  const splat = splats.find(({ allowed }) => !allowed);
  if (splat) return `splat ${splat.fingerprint}`;
  if (!failure) return `case ${general(reason ?? '')}`;
  const kind = steps.find(({ id }) => id === failure.step)?.kind ?? '';
  return [kind, said(failure), value(failure.expected), value(failure.received)].join(' | ');
}

/** A refusal is told by its errno, an expectation by what it is of. */
function said({ message }: StepFailure): string {
  return general(apartFromWaiting(message));
}

function value(of: unknown): string {
  return of === undefined ? '' : general(JSON.stringify(of));
}

/** Numbers of devices, regions and turns change with what comes before. */
function general(text: string): string {
  return text
    .replace(/ \(turn \d+.*\)$/s, '')
    .replace(/\b(region|mem|decoder|endpoint|port|dax|root|namespace|memory)[\d.]+/g, '$1N');
}
