import { matches } from '../base/pattern.js';
import { SPLAT_SIGNS, type SplatKind } from './splat-signs.js';
import { UNINTERESTING_SYMBOLS } from './uninteresting-symbols.js';

export interface SplatDescription {
  readonly kind: SplatKind;
  readonly title: string;
  readonly symbols: readonly string[];
  readonly fingerprint: string;
}

const SYMBOLS = 5;

/** What a splat is about, from its lines (without timestamps). */
export function describeSplat(lines: readonly string[]): SplatDescription {
  const { kind, line } = firstSign(lines);
  const symbols = telling(symbolsOf(lines));
  const title = titleOf(kind, line, lines, symbols[0]);
  return { kind, title, symbols, fingerprint: `${kind}: ${symbols.join(' < ') || title}` };
}

/** Whether a scenario allows the splat: one of its regular expressions matches the title. */
export function isAllowed(splat: { readonly title: string }, allowed: readonly string[]): boolean {
  return allowed.some((pattern) => matches(splat.title, pattern));
}

function firstSign(lines: readonly string[]): { kind: SplatKind; line: string } {
  for (const line of lines) {
    const sign = SPLAT_SIGNS.find(({ pattern }) => pattern.test(line));
    if (sign) return { kind: sign.kind, line };
  }
  return { kind: 'warning', line: LOST };
}

/** Stands for the title of what has its begin and its end, and lost what it was about: a full log drops lines. */
const LOST = 'a report of the kernel that lost its first lines';

/** Functions in the order of the text: where it happened, then its callers. Frames marked `?` are leftovers on the stack. */
function symbolsOf(lines: readonly string[]): string[] {
  // lockdep shows how it learned of each lock before it shows who is at fault
  const backtrace = lines.findIndex((line) => line.startsWith('stack backtrace:'));
  // KASAN and KFENCE go on with who made and who freed the object
  const history = lines.findIndex((line) => /^(?:[Aa]llocated|[Ff]reed) by task /.test(line));
  const found: string[] = [];
  for (const line of lines.slice(Math.max(backtrace, 0), history < 0 ? undefined : history)) {
    const [, symbol] = PLACE.exec(line) ?? [];
    const plain = symbol?.replace(COMPILER_SUFFIX, '');
    if (plain !== undefined && !found.includes(plain)) found.push(plain);
  }
  return found;
}

const PLACE =
  /^(?: {1,7}|RIP: 0010:|pc : |lr : |WARNING: .* at |BUG: K\w+: [\w -]+ in |UBSAN: .* in )([A-Za-z_][\w.]*)\+0x[0-9a-f]+\/0x[0-9a-f]+/;
const COMPILER_SUFFIX = /(?:\.(?:isra|constprop|part|cold|llvm)(?:\.\d+)?)+$/;

function telling(symbols: readonly string[]): string[] {
  const interesting = symbols.filter(
    (symbol) => !UNINTERESTING_SYMBOLS.some((pattern) => pattern.test(symbol)),
  );
  return (interesting.length > 0 ? interesting : symbols).slice(0, SYMBOLS);
}

function titleOf(
  kind: SplatKind,
  sign: string,
  lines: readonly string[],
  symbol: string | undefined,
): string {
  if (kind === 'warning' && sign !== LOST) return warningTitle(sign, lines);
  const said = withoutCircumstances(sign);
  const place = symbol === undefined || said.includes(symbol) ? '' : ` in ${symbol}`;
  return `${said}${place}`;
}

/** `WARNING: at FILE:LINE in FUNCTION: the message that came with it` */
function warningTitle(sign: string, lines: readonly string[]): string {
  const [, file, symbol] = WARNING_PLACE.exec(sign) ?? [];
  if (file === undefined) return withoutCircumstances(sign);
  const place = `WARNING: at ${file}${symbol === undefined ? '' : ` in ${symbol.replace(COMPILER_SUFFIX, '')}`}`;
  const above = lines[lines.indexOf(sign) - 1];
  return above === undefined || above.startsWith('---') ? place : `${place}: ${withoutCircumstances(above)}`;
}

/** Kernels up to 6.18 name CPU and PID before the place, later ones after it. */
const WARNING_PLACE =
  /^WARNING: (?:CPU: \d+ PID: \d+ at )?(\S+:\d+)(?: at)?(?: ([A-Za-z_][\w.]*)\+0x[0-9a-f]+\/0x[0-9a-f]+)?/;

/** What differs between two runs of the same fault, and what it is replaced by. */
const CIRCUMSTANCES: readonly (readonly [RegExp, string])[] = [
  [/^(?:rcu|watchdog|NMI watchdog|kmemleak): /, ''],
  [/\[#\d+\].*$/, ''],
  [/(?:,| for| at)? address:? (?:0x)?[0-9a-f]+/, ''],
  [/, probably for non-canonical.*$/, ''],
  [/ for more than \d+ seconds\.?/, ''],
  [/ stuck for \d+s!.*$/, ' stuck'],
  [/ total-vm:.*$/, ''],
  [/ +pfn:[0-9a-f]+/, ''],
  [/ invoked oom-killer: .*$/, ' invoked oom-killer'],
  [/Killed process \d+ /, 'Killed process '],
  [/\+0x[0-9a-f]+\/0x[0-9a-f]+(?: \[\w+\])?/g, ''],
  [/\b(?:0x)?[0-9a-f]*[0-9][0-9a-f]*[a-f][0-9a-f]{6,}\b|\b0x[0-9a-f]+\b|\b[0-9a-f]{12,16}\b/g, '*'],
  [/\bCPU ?#?\d+/g, 'CPU'],
  [/:\d+ blocked/, ' blocked'],
  [/(scheduling while atomic: [^/]+)\/.*$/, '$1'],
  [/: (?:0000|[0-9a-f]{4}) $/, ''],
  [/[:.]\s*$/, ''],
  [/\s+/g, ' '],
];

function withoutCircumstances(line: string): string {
  return CIRCUMSTANCES.reduce((text, [pattern, put]) => text.replace(pattern, put), line).trim();
}
