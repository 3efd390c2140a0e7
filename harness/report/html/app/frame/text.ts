/** Values as people read them. */

/** `850 ms`, `3.2 s`, `2 m 05 s` */
export function duration(milliseconds: number): string {
  if (milliseconds < 1) return '0 ms';
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(milliseconds < 10_000 ? 2 : 1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  return `${Math.floor(seconds / 60)} m ${String(seconds % 60).padStart(2, '0')} s`;
}

const UNITS = ['', 'K', 'M', 'G', 'T'];

/** `512M`; with one decimal where it does not divide evenly */
export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${Number.isInteger(value) ? value : value.toFixed(1)}${UNITS[unit] ?? ''}`;
}

export function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

/** A value of the state or of an expectation, on one line */
export function compact(value: unknown): string {
  if (value === undefined) return 'absent';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A value of the state with its numbers as people write them: addresses in hex, sizes with a unit. */
export function stateValue(key: string, value: unknown): string {
  if (typeof value === 'number') {
    if (/^(start|end|physAddress|dpaStart|serial)$/.test(key)) return hex(value);
    if (/^(size|dpaSize|align|.*Bytes)$/.test(key)) return bytes(value);
  }
  if (Array.isArray(value)) return value.map((item) => stateValue(key, item)).join(' ') || 'none';
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .map(
        ([name, item]) => `${name} ${isPlain(item) ? stateValue(name, item) : `(${stateValue(name, item)})`}`,
      )
      .join(', ');
  }
  return compact(value);
}

function isPlain(value: unknown): boolean {
  return typeof value !== 'object' || value === null || Array.isArray(value);
}

export function dateTime(milliseconds: number): string {
  return new Date(milliseconds).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
}
