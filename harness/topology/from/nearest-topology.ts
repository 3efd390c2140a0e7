import type { ObservedMemdev } from './observed.js';

/** A document of the topology language, as a person would write it. */
export interface NearestTopology {
  readonly bridges: readonly { readonly id: string; readonly ports: readonly string[] }[];
  readonly switches: readonly {
    readonly id: string;
    readonly port: string;
    readonly ports: readonly string[];
  }[];
  readonly devices: readonly NearestDevice[];
  readonly windows: readonly {
    readonly id: string;
    readonly targets: readonly string[];
    readonly size: string;
    readonly granularity?: number;
  }[];
}

export interface NearestDevice {
  readonly id: string;
  readonly port: string;
  readonly volatile?: string;
  readonly persistent?: string;
  readonly labels?: string;
  readonly serial?: number;
  /** what the report calls it */
  readonly observed: ObservedMemdev;
}
