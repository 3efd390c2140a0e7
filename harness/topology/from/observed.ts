/** What a report shows of a machine, whichever of its texts showed it. Names are those of the report. */
export interface Observed {
  readonly memdevs: ObservedMemdev[];
  readonly windows: ObservedWindow[];
  readonly regions: ObservedRegion[];
  /** of PCI addresses, root ports and host bridges: what each is plugged into */
  readonly parents: Map<string, string>;
  /** second names of host bridges: ACPI0016:00 is pci0000:0c */
  readonly aliases: Map<string, string>;
  /** what the report says and nobody can act on, in the reader's words */
  readonly notes: string[];
}

export interface ObservedMemdev {
  readonly name: string;
  readonly serial?: number;
  /** bytes */
  readonly volatile?: number;
  /** bytes */
  readonly persistent?: number;
  /** PCI address of the device */
  readonly host?: string;
}

export interface ObservedWindow {
  /** the root decoder, `decoder0.0`, or the line of /proc/iomem, `CXL Window 0` */
  readonly name: string;
  /** bytes */
  readonly size: number;
  readonly start?: number;
  /** host bridges in interleave order; empty when the report does not say */
  readonly targets: readonly string[];
  /** bytes */
  readonly granularity?: number;
}

export interface ObservedRegion {
  readonly name: string;
  readonly mode: 'ram' | 'pmem';
  /** bytes; absent for a region that has none yet */
  readonly size?: number;
  readonly start?: number;
  readonly ways?: number;
  /** bytes */
  readonly granularity?: number;
  readonly window?: string;
  /** memdevs by position; empty when the report does not say */
  readonly targets: readonly string[];
  readonly committed: boolean;
  readonly enabled: boolean;
}

export function nothingObserved(): Observed {
  return { memdevs: [], windows: [], regions: [], parents: new Map(), aliases: new Map(), notes: [] };
}

/** Adds a thing, or what this text knows more about it than the texts before. */
export function learn<T extends { readonly name: string }>(list: T[], found: T): void {
  const at = list.findIndex(({ name }) => name === found.name);
  const known = list[at];
  if (!known) list.push(found);
  else list[at] = { ...known, ...saying(found) };
}

/** Without what says nothing: an empty list of targets must not hide a full one. */
function saying<T extends object>(thing: T): Partial<T> {
  const entries = Object.entries(thing) as [string, unknown][];
  return Object.fromEntries(
    entries.filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)),
  ) as Partial<T>;
}
