import { isContainer, isMap } from '../../base/plain.js';
import type { Diagnostic } from '../../base/document/diagnostic.js';
import type { DocumentPath } from '../../base/document/yaml.js';
import { faultsOfWhen, holdsIn, type CaseRow, type CaseTable } from './case-rows.js';
import { allSteps, capturesMadeBy } from '../language/captures.js';
import { isStepKind, stepKinds } from '../language/language.js';
import type { Folder } from './folder.js';
import { isUse, rawWithFolder, stepsOfUse, type Use } from './step-lists.js';
import { withReferences } from '../language/things.js';
import {
  substitution,
  type ExpansionBudget,
  type KnownCapture,
  type Scope,
  type StepScope,
} from './substitute.js';
import type { ScenarioSource } from './source.js';

/** A scenario with one row of its table put in: plain values, not validated yet. */
export interface Expansion {
  readonly row: CaseRow;
  readonly value: Readonly<Record<string, unknown>>;
  readonly faults: readonly Diagnostic[];
  /** the path in the file of a path in the value: steps whose `when` does not hold are not in the value */
  fileOf(path: DocumentPath): DocumentPath;
  /** where the value at a path of the value comes from: a variable or a cell of the table, when `${}` names one */
  originOf(path: DocumentPath): DocumentPath;
  /** the text that stands in the file for a number or boolean at a path of the value */
  written(path: DocumentPath, value: number | boolean): string;
}

/** What a value that is no text counts for. */
const NODE_COST = 16;

/** Not touched by `${}`: what gives the values, and the version. */
const AS_WRITTEN: ReadonlySet<string> = new Set(['cxlrig', 'vars', 'matrix', 'cases']);

/** The steps that have a `when`, and what became of them in the cases so far. */
export interface StepUse {
  /** JSON of the file path -> whether some case has run it */
  readonly conditional: Map<string, boolean>;
  /** those whose `when` is wrong */
  readonly unclear: Set<string>;
}

/**
 * Puts variables and a row's values into a document, drops the steps whose `when` does not hold in the row, puts lists of
 * steps in the place of those that use them, and checks
 * that every other `${name}` is a capture which an earlier step makes.
 */
export function expandCase(
  raw: Readonly<Record<string, unknown>>,
  table: CaseTable,
  row: CaseRow,
  source: ScenarioSource,
  budget: ExpansionBudget,
  use: StepUse,
  folder: Pick<Folder, 'lists' | 'document'>,
): Expansion {
  const faults: Diagnostic[] = [];
  /** for a list of steps: where each that is left is written */
  const kept = new WeakMap<readonly unknown[], readonly DocumentPath[]>();
  const { put, writtenOf, originOf } = substitution(table, row, source, budget, faults);

  const plain = (value: unknown, path: DocumentPath, scope: Scope): unknown => {
    if (typeof value === 'string') return put(value, path, scope);
    budget.characters -= NODE_COST;
    if (Array.isArray(value)) return value.map((entry, index) => plain(entry, [...path, index], scope));
    if (!isMap(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, entry]) => [key, plain(entry, [...path, key], scope)]),
    );
  };

  const steps = (list: unknown, path: DocumentPath, scope: StepScope): unknown => {
    if (!Array.isArray(list)) return plain(list, path, scope);
    const places: DocumentPath[] = [];
    const result: unknown[] = [];
    for (const [index, entry] of list.entries()) {
      const place = [...path, index];
      if (!applies(entry, place)) continue;
      const listed = isUse(entry) ? stepsOf(entry) : { steps: [entry], path: undefined };
      for (const [nth, one] of listed.steps.entries()) {
        const written = listed.path ? [...listed.path, nth] : place;
        places.push(written);
        result.push(step(one, written, scope));
      }
    }
    kept.set(result, places);
    // a case may have nothing to clean up
    if (list.length > 0 && result.length === 0 && path.join() !== 'cleanup') {
      const message = `in the case [${row.label}] no step is left here: each has a \`when\` that does not hold`;
      faults.push({ ...source.at(path), message });
    }
    return result;
  };

  // beyond the budget nothing is made of anything: the caller refuses the scenario
  const stepsOf = (entry: Use): ReturnType<typeof stepsOfUse> =>
    budget.characters < 0 ? { steps: [], path: [] } : stepsOfUse(entry, folder.lists);

  const applies = (entry: unknown, path: DocumentPath): boolean => {
    if (!isMap(entry) || !('when' in entry)) return true;
    const key = JSON.stringify(path);
    if (!use.conditional.has(key)) {
      const wrong = faultsOfWhen(entry['when'], [...path, 'when'], table, source);
      faults.push(...wrong);
      if (wrong.length > 0) use.unclear.add(key);
      use.conditional.set(key, false);
    }
    // a step with a `when` that can't be understood is still looked at, in every case
    const holds = use.unclear.has(key) || holdsIn(entry['when'], row);
    if (holds) use.conditional.set(key, true);
    return holds;
  };

  const step = (entry: unknown, path: DocumentPath, scope: StepScope): unknown => {
    if (!isMap(entry)) return plain(entry, path, scope);
    const result: Record<string, unknown> = {};
    for (const [key, body] of Object.entries(entry)) {
      const place = [...path, key];
      if (key === 'when') result[key] = body;
      else if (key === 'parallel' && Array.isArray(body)) {
        // what a branch captures is known to the branch, and to all after the branches have ended
        const made: [string, KnownCapture][] = [];
        result[key] = body.map((branch: unknown, index) => {
          const inner: StepScope = { ...scope, captures: new Map(scope.captures) };
          const expanded = steps(branch, [...place, index], inner);
          made.push(...inner.captures);
          return expanded;
        });
        for (const [name, known] of made) scope.captures.set(name, known);
      } else if (key === 'repeat' && isMap(body)) {
        const turn = typeof body['as'] === 'string' ? body['as'] : undefined;
        const inner: StepScope = { ...scope, captures: new Map(scope.captures) };
        if (turn !== undefined) inner.captures.set(turn, {});
        result[key] = Object.fromEntries(
          Object.entries(body).map(([name, part]) => [
            name,
            name === 'steps' ? steps(part, [...place, name], inner) : plain(part, [...place, name], scope),
          ]),
        );
        for (const [name, known] of inner.captures) if (name !== turn) scope.captures.set(name, known);
      } else
        result[key] = plain(
          isStepKind(key) ? withReferences(body, [stepKinds[key]], (name) => scope.captures.has(name)) : body,
          place,
          scope,
        );
    }
    for (const { name, within } of capturesMadeBy(result)) {
      const { line } = source.at([...path, ...within]);
      const before = scope.captures.get(name)?.line;
      if (before !== undefined && before !== line) {
        faults.push({
          ...source.at([...path, ...within]),
          message: `\`${name}\` is captured already, by the step at line ${before}`,
          hint: 'choose another name: what was captured first is still there under its own',
        });
      }
      scope.captures.set(name, { line, targets: targetsOf(result), isMemdev: capturesMemdev(result) });
      if (scope.statics.includes(name)) {
        faults.push({
          ...source.at([...path, ...within]),
          message: `\`${name}\` is a variable or a matrix value already: this capture could never be read`,
          hint: 'choose another name for the capture',
        });
      }
    }
    return result;
  };

  const statics = [...Object.keys(table.vars ?? {}), ...row.columns.keys()];
  const later = laterCaptures(raw, source);
  const inSteps: StepScope = { statics, captures: new Map(), later };
  const value: Record<string, unknown> = {};
  for (const key of Object.keys(raw).filter((name) => name !== 'steps' && name !== 'cleanup')) {
    value[key] = AS_WRITTEN.has(key) ? raw[key] : plain(raw[key], [key], { statics, later });
  }
  if ('steps' in raw) value['steps'] = steps(raw['steps'], ['steps'], inSteps);
  if ('cleanup' in raw) value['cleanup'] = steps(raw['cleanup'], ['cleanup'], inSteps);

  const inFiles = rawWithFolder(raw, folder.document?.raw);
  const fileOf = (path: DocumentPath): DocumentPath => {
    let inner: unknown = value;
    let written: DocumentPath = [];
    for (const part of path) {
      const place = Array.isArray(inner) && typeof part === 'number' ? kept.get(inner)?.[part] : undefined;
      inner = isContainer(inner) && Object.hasOwn(inner, part) ? inner[part] : undefined;
      written = place ?? [...written, part];
    }
    return written;
  };
  const written = (path: DocumentPath, found: number | boolean): string => {
    const place = fileOf(path);
    const inFile = valueAt(inFiles, place);
    return typeof inFile === 'string' ? writtenOf(inFile, found) : source.written(place, found);
  };
  const origin = (path: DocumentPath): DocumentPath => {
    const place = fileOf(path);
    const inFile = valueAt(inFiles, place);
    return (typeof inFile === 'string' ? originOf(inFile) : undefined) ?? place;
  };
  return { row, value, faults, fileOf, originOf: origin, written };
}

function capturesMemdev({ capture: body }: Readonly<Record<string, unknown>>): boolean {
  return isMap(body) && 'memdev-of' in body;
}

/** How many targets a step gives the region that it makes, when it makes one. */
function targetsOf({ 'create-region': body }: Readonly<Record<string, unknown>>): number | undefined {
  const targets = isMap(body) ? body['targets'] : undefined;
  return Array.isArray(targets) ? targets.length : undefined;
}

/** Steps whose `when` held in no case though each of its values exists. */
export function faultsOfUse(use: StepUse, source: ScenarioSource): Diagnostic[] {
  return [...use.conditional]
    .filter(([, used]) => !used)
    .map(([path]) => ({
      ...source.at([...(JSON.parse(path) as DocumentPath), 'when'], 'key'),
      message: 'this step runs in no case: no case has all these values at once',
    }));
}

/** Where each capture is first made, in any case: to say that it comes too late. */
function laterCaptures(raw: Readonly<Record<string, unknown>>, source: ScenarioSource): Map<string, number> {
  const lines = new Map<string, number>();
  for (const key of ['steps', 'cleanup'])
    for (const { step, path } of allSteps(raw[key], [key]))
      for (const { name } of capturesMadeBy(step))
        if (!lines.has(name)) lines.set(name, source.at(path).line);
  return lines;
}

/** What stands at a path of plain values. */
export function valueAt(value: unknown, path: DocumentPath): unknown {
  let inner = value;
  for (const part of path) {
    if (!isContainer(inner) || !Object.hasOwn(inner, part)) return undefined;
    inner = inner[part];
  }
  return inner;
}
