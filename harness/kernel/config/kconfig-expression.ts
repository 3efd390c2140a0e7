/** Kconfig's expressions: symbols and constants with `!`, `&&`, `||` and comparisons, in three values: n, m, y. */
export type Expression =
  | { readonly kind: 'symbol'; readonly name: string }
  | { readonly kind: 'constant'; readonly value: string }
  /** a macro: what it is can't be told without running the tree's scripts */
  | { readonly kind: 'macro'; readonly text: string }
  | { readonly kind: 'not'; readonly operand: Expression }
  | { readonly kind: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | {
      readonly kind: 'compare';
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    };

/** n, m and y as numbers, so that `&&` is min and `||` is max (kconfig-language.rst, Menu dependencies). */
export type Tristate = 0 | 1 | 2;

export const TRISTATE_NAME = ['n', 'm', 'y'] as const;

/** The value of an option: of CONFIG_NUMA=y `y`, of one that is not set `n`. */
export type ValueOf = (symbol: string) => string;

export function parseExpression(text: string): Expression {
  const tokens = text.match(TOKEN) ?? [];
  let at = 0;
  const operand = (): Expression => {
    const token = tokens[at++] ?? 'y';
    if (token === '!') return { kind: 'not', operand: operand() };
    if (token === '(') {
      const inner = either();
      at++;
      return inner;
    }
    if (token.startsWith('$(')) return { kind: 'macro', text: token };
    if (/^["']/.test(token)) return { kind: 'constant', value: token.slice(1, -1) };
    return /^[nmy]$/.test(token) || /^-?(\d|0x)/.test(token)
      ? { kind: 'constant', value: token }
      : { kind: 'symbol', name: token };
  };
  const comparison = (): Expression => {
    const left = operand();
    const operator = tokens[at];
    if (operator === undefined || !/^(=|!=|<|>|<=|>=)$/.test(operator)) return left;
    at++;
    return { kind: 'compare', operator, left, right: operand() };
  };
  const both = (): Expression => {
    let left = comparison();
    while (tokens[at] === '&&') {
      at++;
      left = { kind: 'and', left, right: comparison() };
    }
    return left;
  };
  const either = (): Expression => {
    let left = both();
    while (tokens[at] === '||') {
      at++;
      left = { kind: 'or', left, right: both() };
    }
    return left;
  };
  return either();
}

const TOKEN =
  /\$\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)|&&|\|\||!=|<=|>=|[=<>!()]|"(?:\\.|[^"\\])*"|'[^']*'|[\w.-]+/g;

export function evaluate(expression: Expression, valueOf: ValueOf): Tristate {
  switch (expression.kind) {
    case 'symbol':
      return tristateOf(valueOf(expression.name));
    case 'constant':
      return tristateOf(expression.value);
    case 'macro':
      return 2;
    case 'not':
      return (2 - evaluate(expression.operand, valueOf)) as Tristate;
    case 'and':
      return Math.min(evaluate(expression.left, valueOf), evaluate(expression.right, valueOf)) as Tristate;
    case 'or':
      return Math.max(evaluate(expression.left, valueOf), evaluate(expression.right, valueOf)) as Tristate;
    case 'compare':
      return compare(
        expression.operator,
        textOf(expression.left, valueOf),
        textOf(expression.right, valueOf),
      );
  }
}

/** The parts of a condition that keep it from being at least `wanted`, as they stand. */
export function unmetParts(expression: Expression, wanted: Tristate, valueOf: ValueOf): Expression[] {
  if (evaluate(expression, valueOf) >= wanted) return [];
  if (expression.kind !== 'and') return [expression];
  return [...unmetParts(expression.left, wanted, valueOf), ...unmetParts(expression.right, wanted, valueOf)];
}

export function symbolsIn(expression: Expression): string[] {
  switch (expression.kind) {
    case 'symbol':
      return [expression.name];
    case 'not':
      return symbolsIn(expression.operand);
    case 'and':
    case 'or':
    case 'compare':
      return [...symbolsIn(expression.left), ...symbolsIn(expression.right)];
    default:
      return [];
  }
}

export function written(expression: Expression): string {
  switch (expression.kind) {
    case 'symbol':
      return expression.name;
    case 'constant':
      return expression.value;
    case 'macro':
      return expression.text;
    case 'not':
      return `!${inBrackets(expression.operand)}`;
    case 'and':
      return `${inBrackets(expression.left)} && ${inBrackets(expression.right)}`;
    case 'or':
      return `${written(expression.left)} || ${written(expression.right)}`;
    case 'compare':
      return `${written(expression.left)}${expression.operator}${written(expression.right)}`;
  }
}

function inBrackets(expression: Expression): string {
  return expression.kind === 'or' ? `(${written(expression)})` : written(expression);
}

function tristateOf(value: string): Tristate {
  if (value === 'y') return 2;
  return value === 'm' ? 1 : 0;
}

function textOf(expression: Expression, valueOf: ValueOf): string {
  if (expression.kind === 'symbol') return valueOf(expression.name);
  return expression.kind === 'constant' ? expression.value : '';
}

function compare(operator: string, left: string, right: string): Tristate {
  const [a, b] = [Number(left), Number(right)];
  const holds: Record<string, boolean> = {
    '=': left === right,
    '!=': left !== right,
    '<': a < b,
    '>': a > b,
    '<=': a <= b,
    '>=': a >= b,
  };
  return holds[operator] ? 2 : 0;
}
