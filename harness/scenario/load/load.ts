import { isMap } from '../../base/plain.js';
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { diagnose } from '../../base/document/diagnose.js';
import { DocumentError, type Diagnostic } from '../../base/document/diagnostic.js';
import { UsageError } from '../../base/errors.js';
import { readYaml, type YamlDocument } from '../../base/document/yaml.js';
import { planOwnTopology } from '../../topology/build-plan.js';
import { loadTopology } from '../../topology/load.js';
import type { MachinePlan } from '../../topology/plan.js';
import type { ScenarioCase } from '../case.js';
import { caseRows, faultsOfTable, faultsOfWhen, holdsIn, type CaseRow, type CaseTable } from './case-rows.js';
import {
  faultOfTopologyName,
  faultsOfCase,
  timeoutOf,
  type CaseParts,
  type PlacedStep,
} from './case-rules.js';
import { expandCase, faultsOfUse, type Expansion, type StepUse } from './expand.js';
import type { ExpansionBudget } from './substitute.js';
import { scenarioName } from './find.js';
import { folderOf } from './folder.js';
import { caseTable, scenarioDocument, step, type ScenarioDocument } from '../language/language.js';
import { makeCase } from './make-case.js';
import { scenarioSource, type ScenarioSource } from './source.js';
import { faultsOfUses, withFolder } from './step-lists.js';
import { keepWritten } from './written.js';

export interface Scenario {
  /** path below scenarios/ without .yaml: `current/kmem` */
  readonly name: string;
  readonly file: string;
  /** the text of the file, for code frames */
  readonly source: string;
  /** as its first case has it, variables and values put in */
  readonly document: ScenarioDocument;
  /** at least one */
  readonly cases: readonly ScenarioCase[];
}

/**
 * Reads and validates a scenario and expands it to its cases.
 * @throws UsageError when the file cannot be read; DocumentError with everything that is wrong in it
 */
export async function loadScenario(file: string): Promise<Scenario> {
  return loadScenarioText(await readScenario(file), file);
}

/**
 * The same for a text that is at hand. Topologies named by path are looked up beside `file`.
 * @throws DocumentError with everything that is wrong in it
 */
export async function loadScenarioText(text: string, file: string): Promise<Scenario> {
  const document = readYaml(text, file);
  const refuse = (faults: readonly Diagnostic[]): never => {
    const own = faults.filter((fault) => fault.file === document.file);
    // what is wrong in a list shows by the scenario that uses it
    const [shown, of] = own.length > 0 || !folder.document ? [own, text] : [faults, folder.document.source];
    throw new DocumentError(firstOf(inFileOrder(shown)), of);
  };
  const folder = await folderOf(file);
  const { raw } = document;
  if (!isMap(raw)) {
    const { error } = scenarioDocument.safeParse(raw);
    return refuse(error ? diagnose(error, document, scenarioDocument) : []);
  }
  const source = withFolder(scenarioSource(document), folder.document && scenarioSource(folder.document));
  const uses = faultsOfUses(raw, folder.lists, source);
  if (uses.length > 0) return refuse(uses);
  const table = caseTable.safeParse(raw);
  if (!table.success) return refuse(diagnose(table.error, document, caseTable));
  const tableFaults = faultsOfTable(table.data, source);
  if (tableFaults.length > 0) return refuse(tableFaults);

  const rows = caseRows(table.data);
  const budget: ExpansionBudget = { characters: MOST_CHARACTERS };
  const use: StepUse = { conditional: new Map(), unclear: new Set() };
  const faults: Diagnostic[] = [];
  const drafts: Draft[] = [];
  for (const row of rows) {
    const expansion = expandCase(raw, table.data, row, source, budget, use, folder);
    if (budget.characters < 0) {
      return refuse([...faults, ...expansion.faults, { ...source.at(row.path), message: TOO_LARGE }]);
    }
    const draft = validate(expansion, source);
    faults.push(...expansion.faults, ...withoutPlacesOf(expansion.faults, draft.faults));
    drafts.push(draft);
    // hundreds of cases that are wrong in as many ways help nobody
    if (faults.length > MANY_FAULTS) break;
  }
  if (drafts.length === rows.length) {
    faults.push(...faultsOfUse(use, source), ...faultsOfKnownBugs(raw, table.data, rows, source));
  }
  const name = scenarioName(file);
  const topologies = new TopologyLookup(file, basename(name));
  const machines = new Map<Draft, MachinePlan>();
  for (const draft of drafts) {
    const place = placesOf(draft.expansion, source);
    const { plan, wrong = [] } = await topologies.of(draft.topology, {
      ...source.document,
      at: (path, part) => place(['topology', ...path], part),
    });
    faults.push(...wrong);
    if (plan) machines.set(draft, plan);
    const found = faultsOfCase(draft.parts, plan).map(({ path, part, ...said }) => ({
      ...place(path, part),
      ...said,
    }));
    faults.push(...found);
  }
  if (faults.length > 0) return refuse(faults);

  const cases = drafts.flatMap((draft) =>
    draft.document
      ? [makeCase(name, draft.document, draft.expansion, source, folder.requires, machines.get(draft))]
      : [],
  );
  const first = drafts[0]?.document;
  if (!first) throw new Error(`${file}: a scenario without faults made no case`);
  return { name, file, source: text, document: first, cases };
}

/** All cases of a scenario together: far above what people write, far below what a machine feels. */
const MOST_CHARACTERS = 32 * 2 ** 20;
const TOO_LARGE = 'the cases of this scenario together are too large: fewer cases, or shorter texts';
const MANY_FAULTS = 200;

interface Draft {
  readonly expansion: Expansion;
  /** absent when something in it is wrong */
  readonly document?: ScenarioDocument;
  /** those parts of it which are right by themselves, so that one fault does not hide the others */
  readonly parts: CaseParts;
  readonly topology: ScenarioDocument['topology'] | undefined;
  readonly faults: readonly Diagnostic[];
}

function validate(expansion: Expansion, source: ScenarioSource): Draft {
  const { value } = expansion;
  const whole = scenarioDocument.safeParse(value);
  const topology = scenarioDocument.shape.topology.safeParse(value['topology']).data;
  const listed = (key: 'steps' | 'cleanup'): PlacedStep[] => {
    const list: unknown = value[key];
    if (!Array.isArray(list)) return [];
    return list.flatMap((entry: unknown, index) => {
      const document = whole.success ? whole.data[key]?.[index] : step.safeParse(entry).data;
      return document ? [{ document, path: [key, index] }] : [];
    });
  };
  const parts: CaseParts = {
    requires: scenarioDocument.shape.requires.safeParse(value['requires']).data ?? [],
    knownBugs: scenarioDocument.shape['known-bugs'].safeParse(value['known-bugs']).data ?? [],
    timeoutMs: timeoutOf(value['timeout']),
    steps: listed('steps'),
    cleanup: listed('cleanup'),
  };
  if (whole.success) {
    const document = keepWritten(value, whole.data, expansion);
    return { expansion, document, parts, topology, faults: [] };
  }
  const placed = { ...source.document, at: placesOf(expansion, source) };
  const faults = diagnose(whole.error, placed, scenarioDocument, { input: value });
  return { expansion, parts, topology, faults };
}

/** Where to tell of a fault in an expansion: a wrong value stands where it is written, not where it is put in. */
function placesOf(expansion: Expansion, source: ScenarioSource): YamlDocument['at'] {
  return (path, part = 'value') =>
    part === 'key' ? source.at(expansion.fileOf(path), 'key') : source.at(expansion.originOf(path));
}

/** The topologies that a scenario's cases name, each loaded once. */
class TopologyLookup {
  private readonly known = new Map<string, TopologyAnswer>();

  constructor(
    private readonly file: string,
    private readonly ownName: string,
  ) {}

  /** @param source where the parts of the topology stand: its root is that of the topology */
  async of(
    topology: ScenarioDocument['topology'] | undefined,
    source: YamlDocument,
  ): Promise<{ readonly plan?: MachinePlan; readonly wrong?: readonly Diagnostic[] }> {
    if (topology === undefined) return {};
    if (typeof topology !== 'string') {
      const planned = planOwnTopology(topology, source, this.ownName);
      return 'plan' in planned ? planned : { wrong: planned.faults };
    }
    const answer = this.known.get(topology) ?? (await this.load(topology));
    this.known.set(topology, answer);
    const { plan, fault } = answer;
    return plan ? { plan } : { wrong: fault ? [{ ...source.at([]), ...fault }] : [] };
  }

  private async load(name: string): Promise<TopologyAnswer> {
    const fault = faultOfTopologyName(name);
    if (fault) return { fault };
    try {
      return { plan: await loadTopology(name, { relativeTo: this.file }) };
    } catch (error) {
      if (error instanceof DocumentError) {
        return { fault: { message: `the topology ${JSON.stringify(name)} is wrong`, hint: error.inOneLine } };
      }
      if (!(error instanceof UsageError)) throw error;
      return {
        fault: { message: error.message, ...(error.remedy === undefined ? {} : { hint: error.remedy }) },
      };
    }
  }
}

interface TopologyAnswer {
  readonly plan?: MachinePlan;
  readonly fault?: { readonly message: string; readonly hint?: string };
}

function faultsOfKnownBugs(
  raw: Readonly<Record<string, unknown>>,
  table: CaseTable,
  rows: readonly CaseRow[],
  source: ScenarioSource,
): Diagnostic[] {
  const bugs: unknown = raw['known-bugs'];
  if (!Array.isArray(bugs)) return [];
  return bugs.flatMap((bug: unknown, index): Diagnostic[] => {
    if (!isMap(bug) || rows.some((row) => holdsIn(bug['when'], row))) return [];
    const unclear = faultsOfWhen(bug['when'], ['known-bugs', index, 'when'], table, source);
    if (unclear.length > 0) return unclear;
    const place = source.at(['known-bugs', index, 'when'], 'key');
    return [{ ...place, message: 'this known bug has no effect: its `when` holds in no case' }];
  });
}

/** Where a `${}` could not be put in, what validation says of the same value follows from that. */
function withoutPlacesOf(causes: readonly Diagnostic[], faults: readonly Diagnostic[]): Diagnostic[] {
  return faults.filter(
    (fault) =>
      !causes.some(
        (cause) =>
          cause.line === fault.line &&
          cause.column >= fault.column &&
          cause.column < (fault.endColumn ?? fault.column + 1),
      ),
  );
}

function firstOf(faults: readonly Diagnostic[]): readonly Diagnostic[] {
  const next = faults[MANY_FAULTS];
  if (!next) return faults;
  return [
    ...faults.slice(0, MANY_FAULTS),
    { ...next, message: `and ${faults.length - MANY_FAULTS} faults more` },
  ];
}

function inFileOrder(faults: readonly Diagnostic[]): Diagnostic[] {
  const distinct = new Map(faults.map((fault) => [`${fault.line}:${fault.column}:${fault.message}`, fault]));
  return [...distinct.values()].sort((a, b) => a.line - b.line || a.column - b.column);
}

async function readScenario(file: string): Promise<string> {
  try {
    // a pipe or a device would be read for ever
    if (!(await stat(file)).isFile())
      throw new UsageError(`${file} is not a file`, 'give the path of a .yaml file');
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new UsageError(
      missing ? `there is no scenario ${file}` : `the scenario ${file} cannot be read: ${String(error)}`,
      'give the path of a .yaml file, or a name that `cxlrig list scenarios` prints',
      { cause: error },
    );
  }
}
