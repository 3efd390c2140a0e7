/** The .config format: pure functions on its text. */

/** One line that asks for a value of an option. */
export interface ConfigLine {
  /** without CONFIG_ */
  readonly symbol: string;
  /** y, m, n, or as it stands: "text", 42, 0x1f */
  readonly value: string;
  /** the fragment's name and line: `base:12` */
  readonly from: string;
}

/** Options by name (without CONFIG_), as a .config or fragment sets them; the last line of an option counts. */
export function readConfig(text: string, name = '.config'): Map<string, ConfigLine> {
  const options = new Map<string, ConfigLine>();
  for (const [index, line] of text.split('\n').entries()) {
    const set = /^CONFIG_(\w+)=(.*)$/.exec(line);
    const unset = /^# CONFIG_(\w+) is not set$/.exec(line);
    const symbol = set?.[1] ?? unset?.[1];
    if (symbol === undefined) continue;
    options.set(symbol, { symbol, value: set?.[2] ?? 'n', from: `${name}:${index + 1}` });
  }
  return options;
}

/**
 * Options that a fragment asks for only where the kernel has them, from its comment lines
 * `# if known: CONFIG_A CONFIG_B`: the fragments serve kernels of several versions.
 */
export function optionalIn(text: string): Set<string> {
  return new Set(
    [...text.matchAll(/^# if known:(.*)$/gm)].flatMap(([, names = '']) =>
      names
        .trim()
        .split(/\s+/)
        .map((name) => name.replace(/^CONFIG_/, '')),
    ),
  );
}

export function writeConfig(options: Iterable<ConfigLine>): string {
  const lines = [...options].map(({ symbol, value }) =>
    value === 'n' ? `# CONFIG_${symbol} is not set` : `CONFIG_${symbol}=${value}`,
  );
  return `${lines.join('\n')}\n`;
}
