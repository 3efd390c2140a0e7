import { didYouMean } from '../../base/document/document.js';
import type { ConfigLine } from './config-file.js';
import type { Kconfig, KconfigDefinition, KconfigSymbol } from './kconfig.js';
import {
  evaluate,
  symbolsIn,
  TRISTATE_NAME,
  unmetParts,
  written,
  type Expression,
  type Tristate,
  type ValueOf,
} from './kconfig-expression.js';

/** A requested option that the final .config has with another value. */
export interface LostOption {
  readonly request: ConfigLine;
  /** what it became; n when it is absent */
  readonly became: string;
}

/** The requested options that did not survive `make olddefconfig`, in the order of the request. */
export function lostOptions(
  requested: Iterable<ConfigLine>,
  final: ReadonlyMap<string, ConfigLine>,
): readonly LostOption[] {
  return [...requested]
    .map((request) => ({ request, became: final.get(request.symbol)?.value ?? 'n' }))
    .filter(({ request, became }) => request.value !== became);
}

/** How far a chain of unmet dependencies is followed. */
const MAX_DEPTH = 4;

/**
 * Why an option did not get the value that was asked for, as far as the Kconfig files tell.
 * @param final the .config as it became
 */
export function whyLost(
  { request, became }: LostOption,
  kconfig: Kconfig,
  final: ReadonlyMap<string, ConfigLine>,
): string {
  const { symbol: name, value } = request;
  const symbol = kconfig.get(name);
  if (!symbol || symbol.definitions.length === 0) {
    const likely = didYouMean(
      name,
      [...kconfig.values()].filter(isDefined).map((other) => other.name),
    );
    return `this kernel has no such option${likely === undefined ? '' : `; did you mean CONFIG_${likely}?`}`;
  }
  const valueOf: ValueOf = (other) => final.get(other)?.value ?? 'n';
  const wanted = tristate(value);
  if (value === 'm' && symbol.definitions.every(({ type }) => type === 'bool'))
    return 'it can be y or n only, there is no module of it';
  if (wanted !== undefined && (tristate(became) ?? 0) > wanted) return whyForced(symbol, wanted, valueOf);
  // for what can't be a module, a dependency that is one will do
  const needed = symbol.definitions.some(({ type }) => type === 'tristate') ? (wanted ?? 1) : 1;
  const unmet = symbol.definitions.flatMap(({ dependsOn }) =>
    dependsOn.flatMap((condition) => unmetParts(condition, needed, valueOf)),
  );
  if (unmet.length > 0) return describeUnmet(unmet, needed, kconfig, valueOf, MAX_DEPTH);
  const rival = chosenInstead(symbol, kconfig, valueOf);
  if (rival !== undefined) return `it is one of a choice, and ${rival} is chosen`;
  if (symbol.definitions.every((definition) => !mayBeSet(definition, valueOf)))
    return `it can't be set by itself${selectors(symbol)}`;
  return 'the Kconfig files do not tell why';
}

function whyForced(symbol: KconfigSymbol, wanted: Tristate, valueOf: ValueOf): string {
  const forcing = symbol.selectedBy
    .filter(({ by, condition }) => {
      const strength = Math.min(
        tristate(valueOf(by)) ?? 0,
        ...condition.map((part) => evaluate(part, valueOf)),
      );
      return strength > wanted;
    })
    .map(({ by }) => `${by}=${valueOf(by)}`);
  if (forcing.length > 0) return `it is selected by ${forcing.join(', ')}`;
  return symbol.definitions.every((definition) => !mayBeSet(definition, valueOf))
    ? `it can't be turned off by itself: its value follows from others`
    : 'a default gives it this value';
}

function describeUnmet(
  unmet: readonly Expression[],
  wanted: Tristate,
  kconfig: Kconfig,
  valueOf: ValueOf,
  depth: number,
): string {
  const texts = unmet.map((condition) => {
    const names = [...new Set(symbolsIn(condition))];
    const values = names.map((name) => `${name}=${valueOf(name)}`).join(', ');
    const deeper =
      condition.kind === 'symbol' ? deeperCause(condition.name, wanted, kconfig, valueOf, depth) : '';
    return condition.kind === 'symbol' ? `${values}${deeper}` : `${written(condition)} (${values})`;
  });
  return `it depends on ${[...new Set(texts)].join(', and on ')}`;
}

/** Why an option that another depends on is off itself. */
function deeperCause(
  name: string,
  wanted: Tristate,
  kconfig: Kconfig,
  valueOf: ValueOf,
  depth: number,
): string {
  const symbol = kconfig.get(name);
  if (depth === 0) return '';
  if (!symbol || !isDefined(symbol)) return ' (which this kernel does not have)';
  const unmet = symbol.definitions.flatMap(({ dependsOn }) =>
    dependsOn.flatMap((condition) => unmetParts(condition, wanted, valueOf)),
  );
  if (unmet.length > 0)
    return ` (${describeUnmet(unmet, wanted, kconfig, valueOf, depth - 1).replace(/^it/, 'which')})`;
  if (symbol.definitions.some((definition) => mayBeSet(definition, valueOf))) return '';
  return ` (which can't be set by itself${selectors(symbol)})`;
}

function chosenInstead(symbol: KconfigSymbol, kconfig: Kconfig, valueOf: ValueOf): string | undefined {
  const choices = new Set(
    symbol.definitions.map(({ choice }) => choice).filter((place) => place !== undefined),
  );
  if (choices.size === 0) return undefined;
  return [...kconfig.values()].find(
    (other) =>
      other.name !== symbol.name &&
      valueOf(other.name) === 'y' &&
      other.definitions.some(({ choice }) => choice !== undefined && choices.has(choice)),
  )?.name;
}

function mayBeSet({ prompt }: KconfigDefinition, valueOf: ValueOf): boolean {
  return prompt !== undefined && prompt.every((condition) => evaluate(condition, valueOf) > 0);
}

function selectors(symbol: KconfigSymbol): string {
  const names = [...new Set(symbol.selectedBy.map(({ by }) => by))];
  if (names.length === 0) return '';
  return `; selected by ${names.slice(0, 5).join(', ')}${names.length > 5 ? ', ...' : ''}`;
}

function isDefined(symbol: KconfigSymbol): boolean {
  return symbol.definitions.length > 0;
}

function tristate(value: string): Tristate | undefined {
  const index = (TRISTATE_NAME as readonly string[]).indexOf(value);
  return index < 0 ? undefined : (index as Tristate);
}
