import { nameHint } from '../../base/document/did-you-mean.js';
import { UsageError } from '../../base/errors.js';
import type { SavedRun } from '../saved-run.js';
import type { CaseTrace } from '../../trace/trace.js';
import type { ComparedKernel } from './comparison.js';

/** One of the two kernels of a comparison, with what was seen of it. */
export interface Side {
  readonly kernel: ComparedKernel;
  /** by the id that a case has on any kernel */
  readonly cases: ReadonlyMap<string, CaseTrace>;
}

/**
 * The two sides that saved runs hold: of one run with two kernels the first named is the base and the second the head;
 * of two runs the kernel of each.
 * @param wanted profiles of the kernels, where a run has more of them or in another order
 * @throws UsageError when the runs leave open what is meant
 */
export function sidesOf(
  runs: readonly SavedRun[],
  wanted: { readonly base?: string | undefined; readonly head?: string | undefined },
): { readonly base: Side; readonly head: Side } {
  const [first, second] = runs;
  if (!first) throw new UsageError('there is no run to compare', 'name the folder of a run');
  if (second) return { base: sideOf(first, wanted.base), head: sideOf(second, wanted.head) };
  const profiles = profilesOf(first);
  const others = profiles.filter((profile) => profile !== wanted.base && profile !== wanted.head);
  const base = wanted.base ?? others.shift();
  const head = wanted.head ?? others.shift();
  if (base === undefined || head === undefined || others.length > 0) {
    throw new UsageError(
      `${first.dir} has the kernels ${profiles.join(', ')}`,
      profiles.length < 2
        ? 'give the folders of two runs, the base first'
        : 'say which with --base and --head',
    );
  }
  return { base: sideOf(first, base), head: sideOf(first, head) };
}

function sideOf(run: SavedRun, wanted: string | undefined): Side {
  const profiles = profilesOf(run);
  const profile = wanted ?? profiles[0];
  if (wanted === undefined && profiles.length > 1) {
    throw new UsageError(
      `${run.dir} has the kernels ${profiles.join(', ')}`,
      'say which with --base or --head',
    );
  }
  const { environment, startedAt, command } = run.summary;
  const kernel = environment.kernels.find((one) => one.profile === profile);
  if (profile === undefined || !kernel) {
    throw new UsageError(
      `${run.dir} has no kernel ${JSON.stringify(profile)}`,
      nameHint(profile ?? '', profiles, 'the kernels of the run'),
    );
  }
  const { release, id, origin } = kernel;
  const { qemu, accelerator, host, cxlrig } = environment;
  return {
    kernel: {
      profile,
      release,
      id,
      origin,
      run: run.dir,
      qemu,
      accelerator,
      host: host.distribution,
      cxlrig,
      command: [...command],
      at: startedAt,
    },
    cases: new Map(
      run.traces
        .filter((trace) => trace.case.kernel === profile)
        .map((trace) => [plainId(trace, profile), trace]),
    ),
  };
}

/** A run of several kernels marks each case with its kernel. */
function plainId({ case: { id } }: CaseTrace, profile: string): string {
  const mark = ` @${profile}`;
  return id.endsWith(mark) ? id.slice(0, -mark.length) : id;
}

function profilesOf({ summary }: SavedRun): string[] {
  return summary.environment.kernels.map(({ profile }) => profile);
}
