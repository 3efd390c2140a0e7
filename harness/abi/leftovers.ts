import { differencesOf } from './diff.js';
import { withNormalNames } from './normal-names.js';
import type { Decoder, NumaNode, State, StateChange } from './state.js';

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
  const [was, is] = [before, after].map((state) => withNormalNames(withoutResidue(state))) as [State, State];
  return differencesOf(was, is, [...NO_TRACE, ...ignoring]).filter(
    ({ path, before: value }) => !(/^(modules|drivers)\./.test(path) && value === undefined),
  );
}

/**
 * The same where the state after is of a kernel that another one started, which has its RAM in other pieces: what it was
 * given cuts some out (6.12: setup_data), and holds some pages. Memory that comes and goes does so in whole blocks.
 */
export function leftoversAcrossKexec(before: State, after: State): StateChange[] {
  return leftoversOf(before, inWholeBlocks(after, before), ['iomem.System RAM*']);
}

/**
 * A decoder keeps the last values of what it does not use: a switch decoder its range when its last region is reset
 * (drivers/cxl/core/hdm.c:cxl_decoder_reset()), an endpoint decoder its mode when its DPA is freed (cxl_dpa_free()).
 * They mean nothing then, and each new use sets them.
 */
function withoutResidue(state: State): State {
  const decoders = Object.entries(state.decoders).map(([name, decoder]): [string, Decoder] => {
    if (decoder.kind === 'switch' && decoder.region === undefined) {
      return [
        name,
        { ...decoder, start: 0, size: 0, interleaveWays: 0, interleaveGranularity: 0, targetList: [] },
      ];
    }
    if (decoder.kind === 'endpoint' && !decoder.dpaSize) {
      return [name, { ...decoder, mode: 'none', interleaveWays: 0, interleaveGranularity: 0 }];
    }
    return [name, decoder];
  });
  return { ...state, decoders: Object.fromEntries(decoders) };
}

/** A node that has less than a block more or less than it had has as much. */
function inWholeBlocks(state: State, before: State): State {
  const nodes = Object.entries(state.nodes).map(([id, node]): [string, NumaNode] => {
    const memoryBytes = before.nodes[Number(id)]?.memoryBytes ?? node.memoryBytes;
    const isSame = Math.abs(node.memoryBytes - memoryBytes) < state.memoryBlockBytes;
    return [id, isSame ? { ...node, memoryBytes } : node];
  });
  return { ...state, nodes: Object.fromEntries(nodes) };
}
