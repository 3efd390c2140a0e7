import type { Diagnostic } from '../../base/document/diagnostic.js';
import { didYouMean, nameHint } from '../../base/document/did-you-mean.js';
import type { DocumentPath } from '../../base/document/yaml.js';
import type { CaseRow, CaseTable, Column } from './case-rows.js';
import {
  isWellFormed,
  replaceReferences,
  soleReference,
  unescapeReferences,
  type Reference,
} from '../language/references.js';
import type { ScenarioSource } from './source.js';
import { isMemdevPart, memdevParts } from '../steps/memdev-parts.js';
import { isRegionPart, regionParts } from '../steps/region-parts.js';

/** What the expansions of all cases together may still take; below 0 there is nothing left, and nothing is put in. */
export interface ExpansionBudget {
  characters: number;
}

/** What `${}` can find at a place. */
export interface Scope {
  /** variables and columns */
  readonly statics: readonly string[];
  /** captures made so far; absent outside the steps */
  readonly captures?: Map<string, KnownCapture>;
  /** every capture of the scenario, with the line of the step that makes it */
  readonly later: ReadonlyMap<string, number>;
}

export interface StepScope extends Scope {
  readonly captures: Map<string, KnownCapture>;
}

/** What is known of a capture before the case runs. */
export interface KnownCapture {
  /** of a region that a step makes: how many targets it gives it */
  readonly targets?: number | undefined;
  /** it is a memdev, which has other parts than a region */
  readonly isMemdev?: boolean;
  /** where it is made */
  readonly line?: number;
}

/** A static value with everything static in it put in; captures remain in its text. */
interface Settled {
  readonly value: unknown;
  /** as it is written, for use within a text */
  readonly written: string;
  readonly captures: readonly {
    readonly reference: Reference;
    readonly text: string;
    readonly path: DocumentPath;
  }[];
}

/** A text beyond it is not for a person to read; it also stops variables that double each other. */
const LONGEST_TEXT = 64 * 1024;
const DEEPEST_VARIABLES = 32;
/** So many faults of one text say enough. */
const MOST_FAULTS_OF_A_TEXT = 20;

/** The substitution of static names for one row. Faults go to `faults`; what is wrong stays in the text as it is. */
export function substitution(
  table: CaseTable,
  row: CaseRow,
  source: ScenarioSource,
  budget: ExpansionBudget,
  faults: Diagnostic[],
): {
  put: (text: string, path: DocumentPath, scope: Scope) => unknown;
  /** how the number or boolean that a text consists of by reference is written where it comes from */
  writtenOf: (text: string, value: number | boolean) => string;
  /** where the value that a text consists of by reference stands; undefined when the text is more than that */
  originOf: (text: string) => DocumentPath | undefined;
} {
  const settled = new Map<string, Settled>();
  const settling: string[] = [];

  const columnOf = (name: string): Column | undefined => {
    if (table.vars && Object.hasOwn(table.vars, name))
      return { value: table.vars[name], path: ['vars', name] };
    return row.columns.get(name);
  };

  const settle = (name: string, column: Column): Settled => {
    const known = settled.get(name);
    if (known) return known;
    settling.push(name);
    const result = settleColumn(column);
    settling.pop();
    settled.set(name, result);
    return result;
  };

  const settleColumn = ({ value, path }: Column): Settled => {
    if (typeof value === 'string') return substitute(value, path);
    if (typeof value === 'number' || typeof value === 'boolean') {
      return { value, written: source.written(path, value), captures: [] };
    }
    if (!Array.isArray(value)) return { value, written: '', captures: [] };
    const entries = value.map((entry: unknown, index) =>
      settleColumn({ value: entry, path: [...path, index] }),
    );
    return {
      value: entries.map((entry) => entry.value),
      written: '',
      captures: entries.flatMap((entry) => entry.captures),
    };
  };

  const substitute = (text: string, path: DocumentPath): Settled => {
    const captures: Settled['captures'][number][] = [];
    let complaints = 0;
    const complain = (reference: Reference, message: string, hint?: string): string => {
      if (++complaints > MOST_FAULTS_OF_A_TEXT) return text.slice(reference.start, reference.end);
      const place = source.atReference(path, text, reference);
      faults.push({ ...place, message, ...(hint === undefined ? {} : { hint }) });
      return text.slice(reference.start, reference.end);
    };
    const settledOf = (reference: Reference): Settled | undefined => {
      const token = text.slice(reference.start, reference.end);
      const column = columnOf(reference.root);
      if (!isWellFormed(reference)) {
        complain(
          reference,
          `\`${shorten(token)}\` is no reference to a value`,
          'write `$${` for a `${` that the guest shall see, or `${name}` for a value',
        );
      } else if (!column) {
        captures.push({ reference, text, path });
      } else if (reference.name !== reference.root) {
        complain(
          reference,
          `\`${reference.root}\` is a plain value, it has no parts`,
          `write \${${reference.root}}`,
        );
      } else if (settling.includes(reference.root)) {
        complain(
          reference,
          `\`${reference.root}\` is made of itself: ${[...settling, reference.root].join(' -> ')}`,
        );
      } else if (settling.length >= DEEPEST_VARIABLES) {
        complain(reference, `variables stand within variables more than ${DEEPEST_VARIABLES} deep`);
      } else return settle(reference.root, column);
      return undefined;
    };

    const sole = soleReference(text);
    if (sole) {
      const whole = settledOf(sole);
      return whole ?? { value: text, written: text, captures };
    }
    if (budget.characters < 0) return { value: text, written: text, captures: [] };
    let length = text.length;
    const result = replaceReferences(text, (reference) => {
      const part = settledOf(reference);
      if (!part || length > LONGEST_TEXT) return text.slice(reference.start, reference.end);
      if (part.value === null || Array.isArray(part.value)) {
        const kind = part.value === null ? 'null' : 'a list';
        return complain(
          reference,
          `\`${reference.root}\` is ${kind} here, which cannot stand within a text`,
          'a value that is not text can only be the whole of a value',
        );
      }
      captures.push(...part.captures);
      length += part.written.length;
      if (length > LONGEST_TEXT) {
        return complain(reference, `this text becomes longer than ${LONGEST_TEXT / 1024} KiB here`);
      }
      return part.written;
    });
    budget.characters -= length;
    return { value: result, written: result, captures };
  };

  const put = (text: string, path: DocumentPath, scope: Scope): unknown => {
    budget.characters -= text.length;
    if (!text.includes('${')) return text;
    const { value, captures } = substitute(text, path);
    let told = 0;
    for (const { reference, text: whole, path: place } of captures) {
      const { name, root } = reference;
      const known = scope.captures?.get(root);
      const fault = known ? unknownPart(name, root, known) : unknownName(root, scope);
      if (!fault) continue;
      faults.push({ ...source.atReference(place, whole, reference), ...fault });
      if (++told === MOST_FAULTS_OF_A_TEXT) break;
    }
    return scope.captures || typeof value !== 'string' ? value : unescapeReferences(value);
  };

  const unknownName = (name: string, scope: Scope): { message: string; hint?: string } => {
    const line = scope.later.get(name);
    if (!scope.captures && line !== undefined) {
      return {
        message: `\`${name}\` is captured while the case runs, and cannot be used outside the steps`,
      };
    }
    if (line !== undefined) {
      return {
        message: `\`${name}\` is not captured yet here`,
        hint: `the step at line ${line} makes it: only steps after it, in the same case, can use it`,
      };
    }
    if ((table.cases ?? []).some((cells) => Object.hasOwn(cells, name))) {
      const where = source.at(row.path).line;
      return {
        message: `\`${name}\` has no value in the row at line ${where}`,
        hint: `give the row a value for it (\`${name}: null\` for none), or keep the step from it by \`when\``,
      };
    }
    const names = [...scope.statics, ...(scope.captures?.keys() ?? [])];
    const likely = didYouMean(name, names);
    return {
      message: `nothing is called \`${name}\`: no variable, no matrix value, no earlier capture`,
      hint: likely
        ? `did you mean \${${likely}}?`
        : `${names.length > 0 ? `names: ${names.join(', ')}; ` : ''}write \`$\${\` for a \`\${\` that the guest shall see`,
    };
  };

  const writtenOf = (text: string, value: number | boolean): string => {
    const sole = soleReference(text);
    return (sole && settled.get(sole.root)?.written) ?? String(value);
  };

  const originOf = (text: string): DocumentPath | undefined => {
    const sole = soleReference(text);
    return sole && sole.name === sole.root ? columnOf(sole.root)?.path : undefined;
  };

  return { put, writtenOf, originOf };
}

/** Only memdevs and regions have parts; whether a capture is a region may be known only when it is made. */
function unknownPart(
  name: string,
  root: string,
  { targets, isMemdev = false }: KnownCapture,
): { message: string; hint: string } | undefined {
  const part = name.slice(root.length + 1);
  if (isMemdev) {
    if (part === '' || isMemdevPart(part)) return undefined;
    const parts = memdevParts.map((one) => one.name);
    return { message: `a memdev has no part \`${part}\``, hint: nameHint(part, parts, 'parts') };
  }
  const [, kind, index] = /^(ed|mem)(\d+)$/.exec(part) ?? [];
  if (kind !== undefined && targets !== undefined && Number(index) >= targets) {
    const last = targets - 1;
    return {
      message: `\`${root}\` has no part \`${part}\`: it has ${targets} ${targets === 1 ? 'target' : 'targets'}`,
      hint: targets === 1 ? `its only one is ${kind}0` : `they are ${kind}0 to ${kind}${last}`,
    };
  }
  if (part === '' || isRegionPart(part)) return undefined;
  const parts = regionParts.map((one) => one.name);
  return {
    message: `a region has no part \`${part}\``,
    hint: nameHint(part, parts, 'parts (N counts from 0)'),
  };
}

function shorten(token: string): string {
  const line = token.split('\n')[0] ?? '';
  return line.length > 40 ? `${line.slice(0, 40)}...` : line;
}
