import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { DocumentError } from '../base/document/diagnostic.js';
import { UsageError, UsageErrors } from '../base/errors.js';
import { readYaml } from '../base/document/yaml.js';
import { findScenarios, loadScenario, type ScenarioCase } from '../scenario/index.js';
import { loadTopology, type MachinePlan } from '../topology/index.js';
import { durationKey, estimateMs, readDurations } from './durations.js';
import { filesThatFailed, readHistory, thoseThatFailed } from './history.js';
import { languageOf } from './language-of.js';
import { needOf } from './machine-group.js';
import type { PlannedCase } from './planned-case.js';
import type { RunRequest } from './request.js';
import { shardOf } from './shard.js';

export interface RunPlan {
  readonly cases: readonly PlannedCase[];
}

/**
 * Loads and validates everything that was asked for, before anything is built or booted.
 * @throws UsageError (DocumentError) for an invalid scenario or topology, UsageErrors for several of them; or when
 * nothing is selected
 */
export async function makePlan(request: RunRequest): Promise<RunPlan> {
  const history = request.only === 'last-failed' ? await readHistory(request.out) : undefined;
  const asked = request.scenarios.length === 0 && history ? filesThatFailed(history) : request.scenarios;
  const files = await findScenarios(asked);
  const planned: PlannedCase[] = [];
  const faults = new Map<string, UsageError>();
  for (const file of files) {
    try {
      planned.push(...(await planFile(file, request)));
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      // what is wrong with a topology is told once, not for each scenario on it
      faults.set(error.message, error);
    }
  }
  const [fault, ...more] = faults.values();
  if (fault) throw more.length === 0 ? fault : new UsageErrors([fault, ...more]);
  const selected = planned.filter(({ key }) => request.pattern?.test(key) ?? true);
  if (selected.length === 0) {
    throw new UsageError(
      request.pattern
        ? `none of the ${planned.length} cases matches ${String(request.pattern)}`
        : 'no scenario was found',
      '`cxlrig list cases` prints the ids that can be matched',
    );
  }
  const chosen = history ? thoseThatFailed(selected, history) : selected;
  const { shard } = request;
  // by what the scenarios say and not by what this machine knows: all shards must agree on who has which case
  const own = shard ? shardOf(chosen, shard) : chosen;
  const durations = await readDurations();
  const timed = own.map((planned): PlannedCase => {
    const expectedMs = durations.get(durationKey(planned.caseId, planned.kernel));
    return expectedMs === undefined ? planned : { ...planned, expectedMs, isTimed: true };
  });
  return { cases: turnsOf(timed, request.repeat?.times) };
}

/** The cases again and again: all of them once, then all of them a second time. */
function turnsOf(cases: readonly PlannedCase[], times: number | undefined): readonly PlannedCase[] {
  if (times === undefined) return cases;
  return Array.from({ length: times }, (_, n) => n + 1).flatMap((number) =>
    cases.map((planned): PlannedCase => ({
      ...planned,
      key: `${planned.key} #${number}`,
      artifacts: `${planned.artifacts}/turn-${number}`,
      turn: { number, of: { key: planned.key, artifacts: planned.artifacts } },
    })),
  );
}

/** Says what a file is that is no scenario, as `check` does: of a topology nobody wants to hear what a scenario needs. */
async function refuseOther(file: string, error: unknown): Promise<never> {
  if (!(error instanceof DocumentError)) throw error;
  const language = await readFile(file, 'utf8').then((text) => languageOf(readYaml(text, file).raw, file));
  if (language === 'scenario') throw error;
  const name = basename(file).replace(/\.ya?ml$/, '');
  const [what, remedy] = {
    topology: [
      'a topology',
      `a scenario on it says \`topology: ./${basename(file)}\`; \`cxlrig check ${file}\` looks at it alone`,
    ],
    folder: [
      'what the scenarios beside it require',
      `\`cxlrig run ${dirname(file)}\` runs these; \`cxlrig check ${file}\` looks at it alone`,
    ],
    kernel: ['a kernel profile', `\`--kernel ${name}\` runs scenarios on it`],
    tools: ['a profile of tools', `\`--tools ${name}\` runs scenarios with it`],
  }[language];
  throw new UsageError(`${file} is ${what}, and what is run are scenarios`, remedy);
}

async function planFile(file: string, request: RunRequest): Promise<PlannedCase[]> {
  const { cases } = await loadScenario(file).catch((error: unknown) => refuseOther(file, error));
  const planned: PlannedCase[] = [];
  for (const scenarioCase of cases) {
    const machine = await machineOf(scenarioCase, request.topology);
    for (const { name } of request.kernels)
      planned.push(
        planCase(scenarioCase, name, machine, {
          cold: request.cold ?? false,
          isOneOfSeveral: request.kernels.length > 1,
        }),
      );
  }
  return planned;
}

/**
 * The machine of a case.
 * @param instead a topology by name or path, in the place of its own
 */
export async function machineOf(
  { topology, file }: Pick<ScenarioCase, 'topology' | 'file'>,
  instead?: string,
): Promise<MachinePlan> {
  const meant = instead ?? topology;
  return typeof meant === 'string' ? loadTopology(meant, { relativeTo: file }) : meant;
}

/** A case on a kernel, as a run knows it; the kernel is named in it where there are several. */
export function planCase(
  scenarioCase: ScenarioCase,
  kernel: string,
  machine: MachinePlan,
  { cold = false, isOneOfSeveral }: { readonly cold?: boolean; readonly isOneOfSeveral: boolean },
): PlannedCase {
  const key = isOneOfSeveral ? `${scenarioCase.id} @${kernel}` : scenarioCase.id;
  return {
    key,
    caseId: scenarioCase.id,
    file: scenarioCase.file,
    machine,
    maySkip: scenarioCase.requires.length > 0,
    ...needOf(scenarioCase, kernel, machine, { cold }),
    expectedMs: estimateMs(scenarioCase),
    isTimed: false,
    artifacts: `cases/${folderName(key)}`,
  };
}

/** A readable folder name that is unique even where characters had to go. */
function folderName(key: string): string {
  const readable = key
    .replace(/[^A-Za-z0-9=._@-]+/g, '-')
    .replace(/^[-.]+|-+$/g, '')
    .slice(0, 100);
  return `${readable}-${createHash('sha256').update(key).digest('hex').slice(0, 6)}`;
}
