import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { DocumentError } from '../../base/document/diagnostic.js';
import { UsageError } from '../../base/errors.js';
import { temporaryFolder } from '../../base/owner.js';
import { readYaml } from '../../base/document/yaml.js';
import type { CaseTrace } from '../../trace/trace.js';
import { loadScenario, loadScenarioText, type ScenarioCase } from '../../scenario/index.js';
import { readTopologyFile } from '../../topology/index.js';
import { run, type RunRequest } from '../index.js';
import { makePlan } from '../plan.js';
import type { Plain } from './edits.js';
import { failureKey } from './failure-key.js';
import { Exhausted, reduce } from './reduce.js';

export interface ShrinkRequest {
  /** selects one case on one kernel */
  readonly run: RunRequest;
  /** so many guests at most */
  readonly guests: number;
}

export type ShrinkEvent =
  | {
      readonly type: 'fails';
      readonly id: string;
      readonly reason: string;
      readonly size: ScenarioSize;
    }
  /** @param words what was taken away */
  | {
      readonly type: 'smaller';
      readonly words: readonly string[];
      readonly size: ScenarioSize;
      readonly guests: number;
    };

export interface ScenarioSize {
  readonly steps: number;
  readonly devices: number;
  readonly lines: number;
}

export interface ShrinkResult {
  /** a scenario of one case, which fails of the same */
  readonly text: string;
  readonly size: ScenarioSize;
  readonly guests: number;
  /** more could have been tried: the limit of guests was reached */
  readonly isExhausted: boolean;
}

/**
 * Takes from a failing case whatever it fails without: steps, values, parts of the machine.
 * @throws UsageError when not exactly one case is selected, or when it does not fail
 */
export async function shrink(
  request: ShrinkRequest,
  tell: (event: ShrinkEvent) => void,
  signal: AbortSignal,
): Promise<ShrinkResult> {
  const scenarioCase = await onlyCase(request.run);
  const whole = await asOneDocument(scenarioCase, request.run.topology);
  const folder = await temporaryFolder('shrink');
  let guests = 0;
  let isExhausted = false;

  /** The traces of cases, in their order. */
  const traces = async (documents: readonly Plain[]): Promise<CaseTrace[]> => {
    if (guests + documents.length > request.guests) {
      isExhausted = true;
      throw new Exhausted(`${request.guests} guests have been asked`);
    }
    guests += documents.length;
    const files = documents.map((_, index) => join(folder, `candidate-${index}.yaml`));
    await Promise.all(
      documents.map((document, index) =>
        writeFile(files[index] ?? '', stringify({ boot: 'fresh', ...document })),
      ),
    );
    const asked: RunRequest = {
      ...without(request.run, ['pattern', 'only', 'topology', 'shard']),
      scenarios: files,
      bail: 0,
      retries: 0,
      keepOnFailure: false,
      out: join(folder, 'runs'),
    };
    const outcome = await run(asked, SILENT, signal);
    signal.throwIfAborted();
    const found = new Map([...outcome.traces].map((trace) => [trace.case.scenario, trace]));
    await rm(outcome.runDir, { recursive: true, force: true });
    return documents.map((_, index) => {
      const trace = found.get(`candidate-${index}`);
      if (!trace) throw new Error(`candidate ${index} left no trace`);
      return trace;
    });
  };

  try {
    const [first] = await traces([whole]);
    const key = first && failureKey(first);
    if (!first || key === undefined) {
      throw new UsageError(
        `${scenarioCase.id} does not fail${first && first.verdict !== 'pass' ? ` (${first.verdict}: ${first.reason ?? ''})` : ''}`,
        'name a case that fails; of one that fails now and then, `--repeat 20` looks at twenty turns each time',
      );
    }
    tell({ type: 'fails', id: scenarioCase.id, reason: first.reason ?? '', size: sizeOf(whole) });
    const holds = async (documents: readonly Plain[]): Promise<boolean[]> =>
      (await traces(documents)).map((trace) => failureKey(trace) === key);
    const cut = upToTheFailure(whole, first);
    const mayBe = (document: Plain): Promise<boolean> => isAllowed(document, join(folder, 'candidate.yaml'));
    const smallest = await reduce(cut && (await mayBe(cut)) && (await holds([cut]))[0] ? cut : whole, {
      allowed: (documents) => Promise.all(documents.map(mayBe)),
      holds,
      tell: (document, words) => tell({ type: 'smaller', words, size: sizeOf(document), guests }),
    });
    return { text: textOf(smallest), size: sizeOf(smallest), guests, isExhausted };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const SILENT = { started: () => undefined, event: () => undefined, standing: () => undefined };

async function onlyCase(request: RunRequest): Promise<ScenarioCase> {
  const { cases } = await makePlan(without(request, ['repeat']));
  const [planned, another] = cases;
  if (!planned || another) {
    const shown = cases.slice(0, MOST_SHOWN).map(({ key }) => key);
    throw new UsageError(
      `${cases.length} cases are selected, and one is shrunk at a time: ${shown.join(', ')}${cases.length > MOST_SHOWN ? ', ...' : ''}`,
      'select one with -t, and name one kernel',
    );
  }
  const found = (await loadScenario(planned.file)).cases.find(({ id }) => id === planned.caseId);
  if (!found) throw new Error(`${planned.caseId} is not in ${planned.file}`);
  return found;
}

const MOST_SHOWN = 5;

/** In which order the keys of a scenario stand; the others of its language go. */
const KEYS = [
  'cxlrig',
  'name',
  'description',
  'reference',
  'topology',
  'boot',
  'kernel',
  'requires',
  'allow-splats',
  'timeout',
  'steps',
  'cleanup',
  'leaves-no-trace',
];

/**
 * The case as a scenario of its own: without table, variables and known bugs, and with its machine in it.
 * @param instead a topology by name or path, in the place of its own
 */
async function asOneDocument(
  { document = {}, title, file, values, requires }: ScenarioCase,
  instead: string | undefined,
): Promise<Plain> {
  const label = Object.entries(values).map(([name, value]) => `${name}=${String(value)}`);
  const topology = instead ?? document['topology'];
  const whole: Plain = {
    ...(withoutWhen(document) as Plain),
    ...(requires.length === 0 ? {} : { requires }),
    name: label.length === 0 ? title : `${title} [${label.join(', ')}]`,
    topology:
      typeof topology === 'string'
        ? await machineOf(topology, instead === undefined ? { relativeTo: file } : {})
        : topology,
  };
  return Object.fromEntries(KEYS.flatMap((key) => (key in whole ? [[key, whole[key]]] : [])));
}

async function machineOf(topology: string, options: { readonly relativeTo?: string }): Promise<Plain> {
  const { file, text } = await readTopologyFile(topology, options);
  const machine = readYaml(text, file).raw as Plain;
  return without(machine, ['cxlrig', 'description']);
}

function without<T extends object, K extends keyof T>(whole: T, keys: readonly K[]): Omit<T, K> {
  const gone: readonly PropertyKey[] = keys;
  return Object.fromEntries(Object.entries(whole).filter(([key]) => !gone.includes(key))) as Omit<T, K>;
}

/** Of a case only the steps are left whose `when` holds. */
function withoutWhen(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutWhen);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, part]) => (key === 'when' ? [] : [[key, withoutWhen(part)]])),
  );
}

/**
 * Without the steps that the failure came before, and without what follows on it. undefined when what is left behind is
 * the failure.
 */
function upToTheFailure(whole: Plain, { failure, splats, steps }: CaseTrace): Plain | undefined {
  const splat = splats.find(({ allowed }) => !allowed);
  const withSplat = steps.findLast(
    (step) => splat && step.splats.some(({ fingerprint }) => fingerprint === splat.fingerprint),
  );
  const number = Number((failure?.step ?? withSplat?.id)?.split('.')[0]);
  if (!(number > 0)) return undefined;
  const reached = (whole['steps'] as readonly unknown[]).slice(0, number);
  return { ...without(whole, ['cleanup']), steps: reached, 'leaves-no-trace': false };
}

/** @param file where it would lie: a folder's file beside it has a say */
async function isAllowed(document: Plain, file: string): Promise<boolean> {
  try {
    await loadScenarioText(stringify(document), file);
    return true;
  } catch (error) {
    if (error instanceof DocumentError) return false;
    throw error;
  }
}

function textOf(document: Plain): string {
  return stringify(document, { lineWidth: 100 });
}

function sizeOf(document: Plain): ScenarioSize {
  const { topology, steps, cleanup } = document as {
    topology?: { devices?: unknown[] };
    steps?: unknown[];
    cleanup?: unknown[];
  };
  return {
    steps: (steps?.length ?? 0) + (cleanup?.length ?? 0),
    devices: topology?.devices?.length ?? 0,
    lines: textOf(document).trimEnd().split('\n').length,
  };
}
