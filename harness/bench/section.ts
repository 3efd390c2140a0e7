/** A measurement: prints its table. The arguments are those after its name. */
export interface Section {
  readonly does: string;
  readonly run: (args: readonly string[]) => Promise<void>;
}
