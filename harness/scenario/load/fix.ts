import {
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  type Node,
  type Pair,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { Schema } from '../../base/document/schema-walk.js';
import { capturesMadeBy } from '../language/captures.js';
import { isStepKind, stepKinds } from '../language/language.js';
import { partOf, takesThing } from '../language/things.js';

/** A change of a text: what stands from one offset to another becomes something else. */
interface Splice {
  readonly from: number;
  readonly to: number;
  readonly put: string;
}

/**
 * A scenario's text in the shorter forms of the language, its comments and its layout kept: bare names of captures,
 * attributes by what they are of, `set` instead of what is saved and written back, no region destroyed by hand at the end.
 * What is not plainly the same is left as it is.
 */
export function inShorterForm(text: string): string {
  const { contents } = parseDocument(text);
  if (!isMap(contents)) return text;
  const steps = itemsOf(contents.get('steps', true));
  const cleanup = itemsOf(contents.get('cleanup', true));
  const all = [...steps, ...cleanup].flatMap(withInner);
  const names = new Set(all.flatMap((step) => capturesMadeBy(step.toJSON()).map(({ name }) => name)));
  for (const table of ['vars', 'matrix']) for (const name of keysOf(contents.get(table))) names.delete(name);

  const splices = all.flatMap((step) => [...bareNames(step, names), ...attributes(text, step, names)]);
  const leavesNoTrace: unknown = contents.get('leaves-no-trace');
  const undone = leavesNoTrace === false ? [] : undoneByItself(text, contents, steps, cleanup);
  const gone = undone.filter(({ put }) => put === '');
  const kept = splices.filter(({ from }) => !gone.some((one) => one.from <= from && from < one.to));
  return spliced(text, [...kept, ...undone]);
}

function spliced(text: string, splices: readonly Splice[]): string {
  return [...splices]
    .sort((a, b) => b.from - a.from)
    .reduce((result, { from, to, put }) => result.slice(0, from) + put + result.slice(to), text);
}

// ---------------------------------------------------------------- names

function bareNames(step: YAMLMap, names: ReadonlySet<string>): Splice[] {
  const found: Splice[] = [];
  const walk = (node: unknown, schemas: readonly Schema[]): void => {
    if (isSeq(node)) node.items.forEach((item, index) => walk(item, partOf(schemas, index)));
    else if (isMap(node))
      for (const { key, value } of pairsOf(node)) walk(value, partOf(schemas, String(key)));
    else if (isScalar(node) && node.range && schemas.some(takesThing)) {
      const name = referenceIn(node.value, names);
      if (name !== undefined) found.push({ from: node.range[0], to: node.range[1], put: name });
    }
  };
  for (const { key, value } of pairsOf(step)) {
    const kind = String(key);
    if (isStepKind(kind) && kind !== 'parallel' && kind !== 'repeat') walk(value, [stepKinds[kind]]);
  }
  return found;
}

function referenceIn(value: unknown, names: ReadonlySet<string>): string | undefined {
  const [, name, root] =
    /^\$\{(([A-Za-z][\w-]*)(?:\.[a-z][a-z0-9-]*)?)\}$/.exec(typeof value === 'string' ? value : '') ?? [];
  return root !== undefined && names.has(root) ? name : undefined;
}

const OF_A_DEVICE = /^\/sys\/bus\/(?:cxl|dax)\/devices\/(\$\{[^}]+\})\/([\w.-]+(?:\/[\w.-]+)*)$/;

/** Paths of attributes of what was captured. */
function attributes(text: string, step: YAMLMap, names: ReadonlySet<string>): Splice[] {
  return ['write', 'read'].flatMap((kind) => {
    const body = step.get(kind, true);
    if (!isMap(body)) return [];
    const pair = pairsOf(body).find(({ key }) => String(key) === 'path');
    const { key, value } = pair ?? {};
    if (!isScalar(value) || !key?.range || !value.range) return [];
    const [, device, attr] = OF_A_DEVICE.exec(String(value.value)) ?? [];
    const name = referenceIn(device, names);
    if (name === undefined || attr === undefined) return [];
    const indent = key.range[0] - (text.lastIndexOf('\n', key.range[0]) + 1);
    const between = body.flow ? ', ' : `\n${' '.repeat(indent)}`;
    return [{ from: key.range[0], to: value.range[1], put: `of: ${name}${between}attr: ${attr}` }];
  });
}

// ---------------------------------------------------------------- what is undone by itself

function undoneByItself(
  text: string,
  contents: YAMLMap,
  steps: readonly YAMLMap[],
  cleanup: readonly YAMLMap[],
): Splice[] {
  const restored = steps.flatMap((step) => restoring(text, step, steps, cleanup));
  const made = new Set(
    steps.flatMap(withInner).flatMap((step) => {
      const name = step.getIn(['create-region', 'as']);
      return typeof name === 'string' ? [name] : [];
    }),
  );
  const isNeedless = (step: YAMLMap): boolean =>
    isDestroying(step, made, contents.get('leaves-no-trace')) ||
    restored.some(({ writtenBack }) => writtenBack === step);
  // what is undone by itself comes after all that the cleanup still says
  const last = cleanup.findLastIndex((step) => !isNeedless(step));
  const needless = cleanup.slice(last + 1);
  if (needless.length === 0) return [];
  return [
    ...restored
      .filter(({ writtenBack }) => needless.includes(writtenBack))
      .flatMap(({ read, write }) => [without(text, read), write]),
    ...(last < 0 ? [withoutKey(text, contents, 'cleanup')] : needless.map((step) => without(text, step))),
  ];
}

/** What is read first, written in between and written back at the end. */
function restoring(
  text: string,
  read: YAMLMap,
  steps: readonly YAMLMap[],
  cleanup: readonly YAMLMap[],
): { read: YAMLMap; write: Splice; writtenBack: YAMLMap }[] {
  const [path, name] = [read.getIn(['read', 'path']), read.getIn(['read', 'as'])];
  if (typeof path !== 'string' || typeof name !== 'string') return [];
  if (keysOf(read).join() !== 'read' || keysOf(read.get('read')).length !== 2) return [];
  const isOf = (step: YAMLMap): boolean => step.getIn(['write', 'path']) === path;
  const writtenBack = cleanup.find((step) => isOf(step) && step.getIn(['write', 'value']) === `\${${name}}`);
  const write = steps.slice(steps.indexOf(read) + 1).find(isOf);
  const isUsedOnce = text.split(`\${${name}}`).length === 2;
  if (!writtenBack || !write || !isUsedOnce || keysOf(writtenBack).join() !== 'write') return [];
  if (write.has('fails') || write.has('may-fail')) return [];
  const key = pairsOf(write).find((pair) => String(pair.key) === 'write')?.key;
  return key?.range
    ? [{ read, writtenBack, write: { from: key.range[0], to: key.range[1], put: 'set' } }]
    : [];
}

/** `destroy-region` of a region that a step made, in each case that leaves no trace. */
function isDestroying(step: YAMLMap, made: ReadonlySet<string>, leavesNoTrace: unknown): boolean {
  const name = referenceIn(step.getIn(['destroy-region', 'region']), made);
  const keys = keysOf(step).filter((key) => key !== 'destroy-region');
  if (name === undefined) return false;
  const [, column] = /^\$\{([\w-]+)\}$/.exec(typeof leavesNoTrace === 'string' ? leavesNoTrace : '') ?? [];
  if (column === undefined) return keys.length === 0;
  return (
    keys.join() === 'when' &&
    keysOf(step.get('when')).join() === column &&
    step.getIn(['when', column]) === true
  );
}

/** The whole lines of an entry of a list. */
function without(text: string, { range }: YAMLMap): Splice {
  const [begin, , end] = range ?? [0, 0, 0];
  const from = text.lastIndexOf('\n', begin) + 1;
  return { from, to: lineEnd(text, end), put: '' };
}

function withoutKey(text: string, contents: YAMLMap, name: string): Splice {
  const pair = pairsOf(contents).find(({ key }) => String(key) === name);
  return { from: pair?.key.range?.[0] ?? 0, to: lineEnd(text, pair?.value?.range?.[2] ?? 0), put: '' };
}

/** The offset after the line that an offset lies in, or the offset itself where it begins one. */
function lineEnd(text: string, offset: number): number {
  if (text.charAt(offset - 1) === '\n') return offset;
  const end = text.indexOf('\n', offset);
  return end < 0 ? text.length : end + 1;
}

// ---------------------------------------------------------------- YAML

function itemsOf(list: unknown): YAMLMap[] {
  return isSeq(list) ? (list as YAMLSeq<Node>).items.filter(isMap) : [];
}

/** A step, and the steps within it. */
function withInner(step: YAMLMap): YAMLMap[] {
  const parallel = step.get('parallel', true);
  const branches = isSeq(parallel) ? (parallel as YAMLSeq<Node>).items : [];
  const inner = [...branches, step.getIn(['repeat', 'steps'], true)];
  return [step, ...inner.flatMap((list) => itemsOf(list).flatMap(withInner))];
}

function pairsOf(map: YAMLMap): Pair<Node, Node>[] {
  return map.items as unknown as Pair<Node, Node>[];
}

function keysOf(map: unknown): string[] {
  return isMap(map) ? pairsOf(map).map(({ key }) => String(key)) : [];
}
