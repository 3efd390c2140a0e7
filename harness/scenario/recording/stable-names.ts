import type { State } from '../../abi/index.js';
import type { MachinePlan } from '../../topology/plan.js';
import type { StepDocument } from '../language/language.js';

/**
 * Puts captures in the place of names that another boot may give to another device: memdevs and endpoint decoders,
 * which the kernel numbers in the order of probing. Regions and dax devices keep their numbers in a new guest.
 */
export interface StableNames {
  /** @param state before the step. @returns capture steps that must come first, and the step with their names in it */
  replaceIn(
    step: StepDocument,
    state: State,
  ): { readonly first: StepDocument[]; readonly step: StepDocument };
}

const UNSTABLE = /\b(?:mem\d+|decoder\d+\.\d+)\b/g;

export function stableNames({ devices }: MachinePlan): StableNames {
  /** name of the guest -> capture; as they were captured first */
  const captures = new Map<string, string>();

  const capture = (name: string, state: State): StepDocument | undefined => {
    const memdev = state.memdevs[name] ? name : state.decoders[name]?.memdev;
    const serial = memdev === undefined ? undefined : state.memdevs[memdev]?.serial;
    const device = devices.find((one) => one.serial === serial)?.id;
    if (device === undefined) return undefined;
    if (memdev === name) {
      captures.set(name, `${device}-memdev`);
      return { capture: { as: `${device}-memdev`, 'memdev-of': device } };
    }
    // the capture finds the first free one, so another cannot be named by it
    if (name !== firstFree(memdev, state)) return undefined;
    captures.set(name, `${device}-${name.split('.')[1] ?? ''}`);
    return { capture: { as: captures.get(name) ?? '', 'endpoint-decoder-of': device } };
  };

  return {
    replaceIn(step, state) {
      const first: StepDocument[] = [];
      const replaced = mapTexts(step, (text) =>
        text.replace(UNSTABLE, (name, at: number) => {
          // `$mem0` is a variable of the shell, and a topology's devices are often called like memdevs
          if (text[at - 1] === '$' || (!text.includes('/') && text !== name)) return name;
          if (!captures.has(name)) {
            const made = capture(name, state);
            if (made) first.push(made);
          }
          const known = captures.get(name);
          return known === undefined ? name : `\${${known}}`;
        }),
      );
      return { first, step: replaced };
    },
  };
}

function firstFree(memdev: string | undefined, state: State): string | undefined {
  const number = (decoder: string): number => Number(decoder.split('.')[1]);
  return Object.entries(state.decoders)
    .filter(([, decoder]) => decoder.memdev === memdev && !decoder.dpaSize)
    .map(([name]) => name)
    .sort((a, b) => number(a) - number(b))[0];
}

function mapTexts<T>(value: T, replace: (text: string) => string): T {
  if (typeof value === 'string') return replace(value) as T;
  if (Array.isArray(value)) return value.map((entry: unknown) => mapTexts(entry, replace)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [key, mapTexts(entry, replace)]),
  ) as T;
}
