import { replaceReferences, soleReference, unescapeReferences, type Reference } from '../references.js';
import type { StepSession } from './context.js';
import { Unresolved } from './outcome.js';
import { findRegionPart, isRegionPart, type RegionCapture } from './region-parts.js';

/**
 * A value of a step with its captures put in. A text that is one reference becomes the captured value with its type.
 * @throws Unresolved for a capture without a value
 */
export function resolve<T>(value: T, session: StepSession): T {
  return resolved(value, session) as T;
}

function resolved(value: unknown, session: StepSession): unknown {
  if (typeof value === 'string') return resolveText(value, session);
  if (Array.isArray(value)) return value.map((entry: unknown) => resolved(entry, session));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, resolved(entry, session)]));
}

function resolveText(text: string, session: StepSession): string | number {
  const sole = soleReference(text);
  if (sole) return valueOf(sole, session);
  return unescapeReferences(replaceReferences(text, (reference) => `${valueOf(reference, session)}`));
}

function valueOf({ name, root }: Reference, session: StepSession): string | number {
  const capture = session.captures.get(root);
  if (!capture)
    throw new Unresolved(
      name,
      `nothing was captured as ${root}: the step that should have did not get that far`,
    );
  const part = name.slice(root.length + 1);
  if (part === '') return capture.kind === 'region' ? capture.name : capture.value;
  const region = capture.kind === 'region' ? capture : asRegion(capture.value);
  if (!region)
    throw new Unresolved(name, `${root} is ${JSON.stringify(capture)}, no region: it has no ${part}`);
  const value = findRegionPart(region, part, session.state) ?? session.lastKnown.get(name);
  if (value !== undefined) return value;
  const reason = isRegionPart(part)
    ? `${region.name} has no ${part}`
    : `a region has no part ${JSON.stringify(part)}`;
  throw new Unresolved(name, reason);
}

/** A name of a region that was captured as a text, as a tool printed it. */
function asRegion(value: string | number): RegionCapture | undefined {
  return typeof value === 'string' && /^region\d+$/.test(value)
    ? { kind: 'region', name: value, decoders: [] }
    : undefined;
}
