import { differencesOf } from './diff.js';
import { withNormalNames } from './normal-names.js';
import type { State, StateChange } from './state.js';

/**
 * Differences that are no trace of a case: a module that somebody loaded stays loaded, and with it come its drivers,
 * on any kernel; the kernel's iomem entries of PCI bridges and devices move when devices are plugged.
 */
const NO_TRACE: readonly string[] = ['iomem.PCI*', 'iomem.Reserved*', 'iomem.0000:*'];

/**
 * What a case left behind: the differences, under names that do not depend on numbering, between the state before
 * its first step and the one after its cleanup. Numbers of regions count up, a reloaded memdev gets another: neither is
 * a trace. Memory blocks, decoders, bindings, `auto_online_blocks`, missing modules and denied ones are.
 */
export function leftoversOf(before: State, after: State, ignoring: readonly string[] = []): StateChange[] {
  return differencesOf(withNormalNames(before), withNormalNames(after), [...NO_TRACE, ...ignoring]).filter(
    ({ path, before: was }) => !(/^(modules|drivers)\./.test(path) && was === undefined),
  );
}
