import { isMap } from '../../base/plain.js';
import type { SourcePosition } from '../../base/document/diagnostic.js';
import type { DocumentPath } from '../../base/document/yaml.js';
import type { MachinePlan } from '../../topology/plan.js';
import { holdsIn } from './case-rows.js';
import { timeoutOf } from './case-rules.js';
import type { ScenarioCase, Step } from '../case.js';
import { allSteps } from '../language/captures.js';
import { simpleSteps, type StepDefinition } from '../kinds/index.js';
import type { Expansion } from './expand.js';
import type { Requirement, ScenarioDocument, StepDocument } from '../language/language.js';
import type { ScenarioSource } from './source.js';

/** A case from its validated document. */
export function makeCase(
  scenario: string,
  document: ScenarioDocument,
  expansion: Expansion,
  source: ScenarioSource,
  requiredByFolder: readonly Requirement[],
  /** of a topology that it describes itself */
  ownMachine?: MachinePlan,
): ScenarioCase {
  const { row } = expansion;
  const steps = (list: readonly StepDocument[], path: DocumentPath): Step[] =>
    list.map((entry, index) => makeStep(entry, [...path, index], expansion, source));
  return {
    id: row.label === '' ? scenario : `${scenario} [${row.label}]`,
    scenario,
    title: document.name,
    description: document.description.trim(),
    references: [document.reference ?? []].flat(),
    file: source.document.file,
    document: expansion.value,
    position: start(source.at(row.path, 'key')),
    values: Object.fromEntries([...row.columns].map(([name, { value }]) => [name, value])),
    topology: topologyOf(document, ownMachine),
    boot: document.boot,
    cmdline: [...(document.kernel?.cmdline ?? []), ...cmdlineOfKinds(document)],
    requires: [...requiredByFolder, ...(document.requires ?? [])],
    knownBugs: (document['known-bugs'] ?? []).filter((bug) => holdsIn(bug.when, row)),
    allowSplats: document['allow-splats'] ?? [],
    timeoutMs: timeoutOf(document.timeout),
    steps: steps(document.steps, ['steps']),
    cleanup: steps(document.cleanup ?? [], ['cleanup']),
    leavesNoTrace: document['leaves-no-trace'],
  };
}

/** What the kernel has to be booted with for the steps. */
function cmdlineOfKinds({ steps, cleanup }: ScenarioDocument): string[] {
  const all = [...allSteps(steps, []), ...allSteps(cleanup ?? [], [])];
  return Object.entries<StepDefinition>(simpleSteps).flatMap(([kind, { cmdline }]) =>
    cmdline !== undefined && all.some(({ step }) => isMap(step) && Object.hasOwn(step, kind)) ? cmdline : [],
  );
}

function topologyOf(
  { topology }: ScenarioDocument,
  ownMachine: MachinePlan | undefined,
): string | MachinePlan {
  if (typeof topology === 'string') return topology;
  if (!ownMachine) throw new Error('a topology without faults made no machine');
  return ownMachine;
}

function makeStep(
  document: StepDocument,
  path: DocumentPath,
  expansion: Expansion,
  source: ScenarioSource,
): Step {
  const at = (...within: readonly (string | number)[]): SourcePosition =>
    start(source.at(expansion.fileOf([...path, ...inDocument(document, within)])));
  const nested = (list: readonly StepDocument[], ...within: readonly (string | number)[]): Step[] =>
    list.map((entry, index) => makeStep(entry, [...path, ...within, index], expansion, source));
  const branches = document.repeat
    ? [nested(document.repeat.steps, 'repeat', 'steps')]
    : (document.parallel ?? []).map((branch, index) => nested(branch, 'parallel', index));
  return { document, position: at(), at, branches };
}

/** What may be one or a list is addressed as a list: the 0 of a thing that stands alone is dropped. */
function inDocument(document: StepDocument, path: readonly (string | number)[]): DocumentPath {
  const found: (string | number)[] = [];
  let inner: unknown = document;
  for (const part of path) {
    if (part === 0 && !Array.isArray(inner)) continue;
    found.push(part);
    inner =
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, part)
        ? (inner as Record<string | number, unknown>)[part]
        : undefined;
  }
  return found;
}

function start({ file, line, column }: SourcePosition): SourcePosition {
  return { file, line, column };
}
