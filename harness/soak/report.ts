import { grouped } from './grouped.js';
import type { Growth } from './processes.js';
import type { Round } from './round.js';
import { falseVerdicts } from './verdicts.js';

/** MiB that the harness may grow by from case to case: it keeps their traces for the reports. */
const MEMORY_PER_CASE = 1;
/** and MiB by which V8's heap breathes anyway */
const MEMORY_NOISE = 64;
/** Files and sockets that are open at one moment and not at another. */
const DESCRIPTORS_NOISE = 8;

export interface SoakReport {
  readonly text: string;
  readonly good: boolean;
}

/** The rounds in words; good when no verdict was false, nothing leaked, and something was done at all. */
export function soakReport(rounds: readonly Round[], minutes: number, jobs: string): SoakReport {
  const cases = rounds.flatMap((round) => round.cases);
  const wrong = falseVerdicts(cases);
  const processes = rounds.flatMap(({ processesLeft }) => processesLeft);
  const files = rounds.flatMap(({ filesLeft }) => filesLeft);
  const [first, last] = [rounds[0]?.cache ?? [], rounds.at(-1)?.cache ?? []];
  const cached = last.filter((entry) => !first.includes(entry));
  const growths = rounds.flatMap((round) => round.growths.map((growth) => ({ growth, round })));
  const grown = growths.filter(({ growth, round }) => leaks(growth, round.cases.length));
  const guests = (kind: keyof Round['guests']): number =>
    rounds.reduce((sum, round) => sum + (round.guests[kind] ?? 0), 0);
  const counts = grouped(cases, ({ verdict }) => verdict);
  const words = [...counts].map(([verdict, of]) => `${of.length} ${verdict}`);
  const skipped = rounds.reduce((sum, round) => sum + round.skipped, 0);
  const lines = [
    `${cases.length} cases in ${rounds.length} rounds, ${minutes.toFixed(1)} min, ${jobs} guests at a time`,
    `verdicts        ${words.join(', ')}; ${skipped} skipped, which are not counted`,
    `guests          ${guests('resumed')} resumed, ${guests('booted')} booted (${guests('fellBack')} because they could not be resumed), ${guests('stalls')} starts stood still`,
    `false verdicts  ${wrong.length} of ${cases.length}${wrong.length === 0 ? ` (a rate below ${(300 / cases.length).toFixed(1)} % with 95 % confidence)` : ''}`,
    ...wrong.map(({ id, verdict, truth, reason }) => `  ${id}: ${verdict}, else ${truth}: ${reason ?? ''}`),
    `processes left  ${processes.length}`,
    ...processes.map((words) => `  ${words}`),
    `files left      ${files.length} in guests' folders and among the temporary files; ${cached.length} came into the cache after the first round`,
    ...[...files, ...cached].map((name) => `  ${name}`),
    `memory          ${largest(growths, 'memory', ' MiB')}`,
    `descriptors     ${largest(growths, 'descriptors')}`,
    ...(grown.length === 0 ? [] : [`${grown.length} of ${growths.length} processes grew`]),
  ];
  const left = processes.length + files.length + cached.length;
  const unasked = rounds.filter((round) => round.cases.length === 0);
  for (const { exitCode } of unasked) lines.push(`a round ran no case: exit code ${exitCode ?? 'none'}`);
  const good = wrong.length + left + grown.length + unasked.length === 0 && cases.length > 0;
  return { text: lines.join('\n'), good };
}

/** Between the medians that are compared there is half of the round. */
function leaks({ memory, descriptors }: Growth, cases: number): boolean {
  return (
    memory[1] - memory[0] > MEMORY_NOISE + (MEMORY_PER_CASE * cases) / 2 ||
    descriptors[1] - descriptors[0] > DESCRIPTORS_NOISE
  );
}

/** Of the process that grew most. */
function largest(growths: readonly { readonly growth: Growth }[], what: keyof Growth, unit = ''): string {
  const pairs = growths.map(({ growth }) => growth[what]);
  const [most] = pairs.sort((one, other) => other[1] - other[0] - (one[1] - one[0]));
  if (!most) return 'no process lived long enough to tell';
  const [early, late] = most.map(Math.round);
  return `${early ?? 0}${unit}, later ${late ?? 0}${unit} in that of ${pairs.length} processes that grew most`;
}
