import { isMap } from '../../base/plain.js';
import { nameHint } from '../../base/document/did-you-mean.js';
import type { Diagnostic } from '../../base/document/diagnostic.js';
import type { DocumentPath } from '../../base/document/yaml.js';
import { allSteps } from '../language/captures.js';
import { isWellFormed, referencesIn, replaceReferences, soleReference } from '../language/references.js';
import type { ScenarioSource } from './source.js';

/** Lists of steps that scenarios of a folder share: one level, values put in, and no more of a programming language. */

export interface StepList {
  /** names that stand for a value in its steps, each with the value that it has when none is given; null: one must be */
  readonly takes: Readonly<Record<string, unknown>>;
  readonly steps: readonly unknown[];
}

export type StepLists = Readonly<Record<string, StepList>>;

/** Begins the path of what stands in the folder's file, among paths in a scenario. No key of a scenario is called so. */
const IN_FOLDER = '\0folder';

/** A step that uses a list, as it is written. */
export interface Use {
  readonly use: unknown;
  readonly with?: unknown;
}

export function isUse(step: unknown): step is Use {
  return isMap(step) && 'use' in step;
}

/** The steps that a step stands for, with its values in them, and where they are written. */
export function stepsOfUse(
  { use, with: given }: Use,
  lists: StepLists,
): { readonly steps: readonly unknown[]; readonly path: DocumentPath } {
  const name = String(use);
  const list = lists[name];
  if (!list) throw new Error(`the list ${name} was not looked for`);
  const values = { ...list.takes, ...(isMap(given) ? given : {}) };
  return { steps: list.steps.map((step) => putIn(step, values)), path: [IN_FOLDER, 'steps', name, 'steps'] };
}

function putIn(part: unknown, values: Readonly<Record<string, unknown>>): unknown {
  if (Array.isArray(part)) return part.map((entry: unknown) => putIn(entry, values));
  if (isMap(part))
    return Object.fromEntries(Object.entries(part).map(([key, entry]) => [key, putIn(entry, values)]));
  if (typeof part !== 'string') return part;
  const sole = soleReference(part);
  if (sole && Object.hasOwn(values, sole.name)) return values[sole.name];
  return replaceReferences(part, ({ name, start, end }) =>
    Object.hasOwn(values, name) ? String(values[name]) : part.slice(start, end),
  );
}

/** What is wrong with the steps of a scenario that use lists. */
export function faultsOfUses(
  raw: Readonly<Record<string, unknown>>,
  lists: StepLists,
  source: ScenarioSource,
): Diagnostic[] {
  const known = Object.keys(lists);
  const faultsOf = (step: unknown, path: DocumentPath): Diagnostic[] => {
    if (!isUse(step)) return [];
    const wanted = String(step.use);
    const list = Object.hasOwn(lists, wanted) ? lists[wanted] : undefined;
    if (!list) {
      const hint =
        known.length > 0
          ? nameHint(wanted, known, 'lists of folder.yaml')
          : 'lists of steps stand in a `folder.yaml` beside the scenario, under `steps`';
      return [
        { ...source.at([...path, 'use']), message: `there is no list ${JSON.stringify(wanted)}`, hint },
      ];
    }
    const given = step.with ?? {};
    if (!isMap(given))
      return [{ ...source.at([...path, 'with']), message: 'not a map of the values that the list takes' }];
    const names = Object.keys(list.takes);
    const beside = Object.keys(step).filter((key) => !['use', 'with', 'when'].includes(key));
    const missing = names.filter((name) => list.takes[name] === null && !Object.hasOwn(given, name));
    return [
      ...beside.map((key) => ({
        ...source.at([...path, key], 'key'),
        message: `\`${key}\` means nothing beside \`use\`: a list is its steps`,
      })),
      ...Object.keys(given)
        .filter((name) => !names.includes(name))
        .map((name) => ({
          ...source.at([...path, 'with', name], 'key'),
          message: `the list ${wanted} takes no ${JSON.stringify(name)}`,
          hint: names.length > 0 ? nameHint(name, names, 'it takes') : 'it takes nothing',
        })),
      ...missing.map((name) => ({
        ...source.at([...path, 'use']),
        message: `the list ${wanted} takes a value for ${JSON.stringify(name)}, and none is given`,
        hint: `with: { ${name}: ... }`,
      })),
    ];
  };
  return ['steps', 'cleanup'].flatMap((key) =>
    allSteps(raw[key], [key]).flatMap(({ step, path }) => faultsOf(step, path)),
  );
}

/** What is wrong with a list by itself: paths begin in it. */
export function faultsOfList({ takes, steps }: StepList): { path: DocumentPath; message: string }[] {
  const faults: { path: DocumentPath; message: string }[] = [];
  const used = new Set<string>();
  const readNames = (part: unknown): void => {
    if (typeof part === 'string')
      for (const reference of referencesIn(part)) if (isWellFormed(reference)) used.add(reference.name);
    if (typeof part === 'object' && part !== null) Object.values(part).forEach(readNames);
  };
  readNames(steps);
  for (const { step, path } of allSteps(steps, ['steps'])) {
    if (isUse(step)) faults.push({ path: [...path, 'use'], message: 'a list uses no other list' });
    if (isMap(step) && 'when' in step)
      faults.push({ path: [...path, 'when'], message: 'a list has no cases: `when` stands beside `use`' });
  }
  for (const name of Object.keys(takes))
    if (!used.has(name))
      faults.push({ path: ['takes', name], message: `no step of the list has \${${name}}` });
  return faults;
}

/** A scenario's places and those of the folder's file, by one set of paths. */
export function withFolder(scenario: ScenarioSource, folder: ScenarioSource | undefined): ScenarioSource {
  if (!folder) return scenario;
  const of = (path: DocumentPath): [ScenarioSource, DocumentPath] =>
    path[0] === IN_FOLDER ? [folder, path.slice(1)] : [scenario, path];
  return {
    document: scenario.document,
    at: (path, part) => {
      const [source, inner] = of(path);
      return source.at(inner, part);
    },
    atReference: (path, text, reference) => {
      const [source, inner] = of(path);
      return source.atReference(inner, text, reference);
    },
    written: (path, value) => {
      const [source, inner] = of(path);
      return source.written(inner, value);
    },
  };
}

/** A scenario's values and those of the folder's file, by the same paths. */
export function rawWithFolder(
  raw: Readonly<Record<string, unknown>>,
  folder: unknown,
): Readonly<Record<string, unknown>> {
  return folder === undefined ? raw : { ...raw, [IN_FOLDER]: folder };
}
