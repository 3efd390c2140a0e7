import { learn, type Observed } from './observed.js';

/** Reads the windows and regions of /proc/iomem (drivers/cxl/acpi.c: "CXL Window N"). */
export function readIomem(text: string, into: Observed): void {
  let window: string | undefined;
  for (const line of text.split('\n')) {
    const [, from, to, what] = /^\s*([\da-f]+)-([\da-f]+) : (.*?)\s*$/.exec(line) ?? [];
    if (from === undefined || to === undefined || what === undefined) continue;
    const start = parseInt(from, 16);
    const size = parseInt(to, 16) - start + 1;
    const number = /^CXL Window (\d+)$/.exec(what)?.[1];
    if (number !== undefined) {
      window = `decoder0.${number}`;
      if (size === 1) into.notes.push(`/proc/iomem was read without rights: it shows no addresses`);
      else learn(into.windows, { name: window, size, start, targets: [] });
    }
    if (/^region\d+$/.test(what) && size > 1 && !into.regions.some(({ name }) => name === what)) {
      into.notes.push(`${what} is known from /proc/iomem alone: its mode and its devices are guessed`);
      into.regions.push({
        name: what,
        mode: 'ram',
        size,
        start,
        targets: [],
        committed: true,
        enabled: true,
        ...(window !== undefined && { window }),
      });
    }
  }
}
