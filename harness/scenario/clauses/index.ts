import { dax } from './dax.js';
import { decoder } from './decoder.js';
import type { Clause } from './definition.js';
import { driver } from './driver.js';
import { extents } from './extents.js';
import { file } from './file.js';
import { iomem } from './iomem.js';
import { log } from './log.js';
import { memdev } from './memdev.js';
import { memory } from './memory.js';
import { memoryTier } from './memory-tier.js';
import { module } from './module.js';
import { namespace } from './namespace.js';
import { node } from './node.js';
import { region } from './region.js';
import { trace } from './trace.js';

/** What `expect` can say about the state of the guest, in the order in which it is looked at. */
export const clauses = {
  region,
  decoder,
  memdev,
  dax,
  extents,
  memory,
  node,
  memory_tier: memoryTier,
  iomem,
  driver,
  namespace,
  module,
  file,
  trace,
  log,
} as const;

export type ClauseKey = keyof typeof clauses;
export type ClauseSchema<K extends ClauseKey> = (typeof clauses)[K]['schema'];

/** The clauses of an expectation, each with its path in it: a key may hold a list of them. */
export function clausesOf(
  body: Readonly<Record<string, unknown>>,
): { readonly key: ClauseKey; readonly clause: unknown; readonly path: (string | number)[] }[] {
  return (Object.keys(clauses) as ClauseKey[]).flatMap((key) => {
    const value = body[key];
    if (value === undefined) return [];
    if (!Array.isArray(value)) return [{ key, clause: value, path: [key] }];
    return value.map((clause: unknown, index) => ({ key, clause, path: [key, index] }));
  });
}

/** The definition of a key, for a value of which only its own schema knows what it is. */
export function clauseOf(key: ClauseKey): Clause {
  return clauses[key];
}
