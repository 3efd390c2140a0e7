/** Sizes as people write them: `512M`, `4G`, `0x20000000`, `4096`. Units are powers of 1024, as QEMU's and the kernel's are. */

const UNITS = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 } as const;

const SIZE = /^(?:(0x[0-9a-f]+)|(\d+)([KMGT]?)(?:i?B)?)$/i;

/**
 * Bytes of a size written as text.
 * @returns undefined when the text is not a size or is beyond what a double holds exactly
 */
export function parseSize(text: string): number | undefined {
  const match = SIZE.exec(text.trim());
  if (!match) return undefined;
  const [, hex, decimal, unit] = match;
  const bytes = hex
    ? Number(hex)
    : Number(decimal) * (unit ? UNITS[unit.toUpperCase() as keyof typeof UNITS] : 1);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** The shortest exact way to write so many bytes: `536870912` is `512M`, `1000` is `1000`. */
export function formatSize(bytes: number): string {
  for (const unit of ['T', 'G', 'M', 'K'] as const) {
    const count = bytes / UNITS[unit];
    if (count >= 1 && Number.isInteger(count)) return `${count}${unit}`;
  }
  return `${bytes}`;
}
