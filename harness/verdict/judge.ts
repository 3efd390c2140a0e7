/** The six verdicts; what each means for a run stands in `exitCode`. */
export type Verdict = 'pass' | 'fail' | 'skip' | 'known-bug' | 'fixed' | 'infra';

/** What is known of a case when it is over. */
export interface CaseFacts {
  /** why its requirements are not met: it was not run */
  readonly unmet?: string | undefined;
  /** the first step (or cleanup) that failed */
  readonly failure?: { readonly message: string; readonly blame: 'kernel' | 'rig' } | undefined;
  readonly splats: readonly { readonly title: string; readonly allowed: boolean }[];
  /** how the guest ended before it was told to */
  readonly death?:
    | {
        readonly kind: 'panic' | 'shutdown' | 'stopped' | 'qemu' | 'ssh';
        readonly message: string;
      }
    | undefined;
  /** what differs from the state before the case, where it must not */
  readonly leftovers: readonly { readonly path: string }[];
  /** a declared bug that applies to this case on this kernel */
  readonly knownBug?: { readonly because: string } | undefined;
}

export interface Judgement {
  readonly verdict: Verdict;
  /** a sentence, for every verdict but pass */
  readonly reason?: string;
}

/**
 * The verdict on a case.
 *
 * The kernel's own confession (a panic, a splat, a shutdown that nobody asked for) goes before the rig's excuses: a
 * connection that is lost because the kernel crashed is no infrastructure failure. The rig's failure goes before what a
 * step expected in vain, which it may have caused.
 */
export function judge(facts: CaseFacts): Judgement {
  if (facts.unmet !== undefined) return { verdict: 'skip', reason: facts.unmet };
  const confessed = confession(facts);
  const rigFault = confessed === undefined ? rigFaultOf(facts) : undefined;
  if (rigFault !== undefined) return { verdict: 'infra', reason: rigFault };
  const wrong = confessed ?? disappointment(facts);
  const { knownBug } = facts;
  if (wrong === undefined) {
    if (!knownBug) return { verdict: 'pass' };
    return { verdict: 'fixed', reason: `declared as known bug (${knownBug.because}), but it passed` };
  }
  if (!knownBug) return { verdict: 'fail', reason: wrong };
  return { verdict: 'known-bug', reason: `${knownBug.because}: ${wrong}` };
}

function confession({ death, splats }: CaseFacts): string | undefined {
  if (death?.kind === 'panic') return death.message;
  const unexpected = splats.filter(({ allowed }) => !allowed);
  const [first] = unexpected;
  if (first)
    return unexpected.length === 1 ? first.title : `${first.title} (and ${unexpected.length - 1} more)`;
  return death?.kind === 'shutdown' ? death.message : undefined;
}

function rigFaultOf({ death, failure }: CaseFacts): string | undefined {
  if (failure?.blame === 'rig') return failure.message;
  return death && death.kind !== 'panic' && death.kind !== 'shutdown' ? death.message : undefined;
}

function disappointment({ failure, leftovers }: CaseFacts): string | undefined {
  if (failure) return failure.message;
  if (leftovers.length === 0) return undefined;
  const paths = leftovers.map(({ path }) => path);
  const shown = paths.slice(0, 3).join(', ');
  return `left behind: ${shown}${paths.length > 3 ? ` and ${paths.length - 3} more` : ''}`;
}

/**
 * The exit code of a run: 130 interrupted, 1 a fail, 3 an infrastructure failure and no fail, 0 otherwise. A bug that
 * was declared and passed does not fail the run: it is news, told in the reports.
 */
export function exitCode(counts: Readonly<Record<Verdict, number>>, interrupted: boolean): number {
  if (interrupted) return 130;
  if (counts.fail > 0) return 1;
  return counts.infra > 0 ? 3 : 0;
}
