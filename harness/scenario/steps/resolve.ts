import type { z } from 'zod';
import {
  replaceReferences,
  soleReference,
  unescapeReferences,
  type Reference,
} from '../language/references.js';
import type { StepSession } from './context.js';
import { Unmet, Unresolved } from './outcome.js';
import { findMemdevPart, isMemdevPart } from './memdev-parts.js';
import { findRegionPart, isRegionPart, type RegionCapture } from './region-parts.js';

/**
 * A value of a step with its captures put in. A text that is one reference becomes the captured value with its type.
 * @throws Unresolved for a capture without a value
 */
export function resolve<T>(value: T, session: StepSession): T {
  return mapTexts(value, (text) => resolveText(text, session)) as T;
}

/**
 * A value with its captures put in, as the language takes it: a number where text belongs is a text, and a text of
 * digits, as a tool prints it, is a number where one belongs.
 * @throws Unresolved, Unmet
 */
export function resolveAs<T>(schema: z.ZodType<T>, value: unknown, session: StepSession): T {
  const put = resolve(value, session);
  const first = schema.safeParse(put);
  if (first.success) return first.data;
  const second = schema.safeParse(mapTexts(put, (text) => (/^\d{1,15}$/.test(text) ? Number(text) : text)));
  if (second.success) return second.data;
  const [issue] = first.error.issues;
  throw new Unmet({
    message: `with its captures put in, this is not what the step takes: ${issue?.message ?? ''}`,
    path: (issue?.path ?? []).filter((part) => typeof part !== 'symbol'),
    received: put,
    blame: 'scenario',
  });
}

/** The same for a record of what was done: a text with a capture that has no value stays as it is written. */
export function resolveWhatIsKnown<T>(value: T, session: StepSession): T {
  return mapTexts(value, (text) => {
    try {
      return resolveText(text, session);
    } catch (error) {
      if (error instanceof Unresolved) return text;
      throw error;
    }
  }) as T;
}

function mapTexts(value: unknown, replace: (text: string) => unknown): unknown {
  if (typeof value === 'string') return replace(value);
  if (Array.isArray(value)) return value.map((entry: unknown) => mapTexts(entry, replace));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, mapTexts(entry, replace)]));
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
      'scenario',
    );
  const part = name.slice(root.length + 1);
  if (part === '') {
    if (capture.kind === 'value') return capture.value;
    return capture.kind === 'region' ? nameOf(root, capture, session) : capture.name;
  }
  if (capture.kind === 'memdev') {
    const found = findMemdevPart(capture, part, session.state) ?? session.lastKnown.get(name);
    if (found !== undefined) return found;
    if (isMemdevPart(part)) throw new Unresolved(name, `${capture.name} has no ${part}`);
    throw new Unresolved(name, `a memdev has no part ${JSON.stringify(part)}`, 'scenario');
  }
  const region = capture.kind === 'region' ? capture : asRegion(capture.value);
  if (!region)
    throw new Unresolved(
      name,
      `${root} is ${JSON.stringify(capture)}, no region: it has no ${part}`,
      'scenario',
    );
  const isNow = (): string | number | undefined => findRegionPart(region, part, session.state);
  const wasLast = session.lastKnown.get(name);
  const value = region.isGone ? (wasLast ?? isNow()) : (isNow() ?? wasLast);
  if (value !== undefined) return value;
  if (!isRegionPart(part)) {
    throw new Unresolved(name, `a region has no part ${JSON.stringify(part)}`, 'scenario');
  }
  throw new Unresolved(name, `${region.name} has no ${part}`);
}

/** The name of a region that is gone stands for it as long as it is no other's. */
function nameOf(root: string, region: RegionCapture, { state, captures }: StepSession): string {
  if (!region.isGone || !(region.name in state.regions)) return region.name;
  const [other] = [...captures].find(
    ([, one]) => one.kind === 'region' && one.name === region.name && !one.isGone,
  ) ?? [undefined];
  const captured = other === undefined ? '' : `, captured as ${other}`;
  throw new Unresolved(
    root,
    `${root} was ${region.name}, which is gone: the ${region.name} that is there now is another region${captured}`,
    'scenario',
  );
}

/** A name of a region that was captured as a text, as a tool printed it. */
function asRegion(value: string | number): RegionCapture | undefined {
  return typeof value === 'string' && /^region\d+$/.test(value)
    ? { kind: 'region', name: value, decoders: [] }
    : undefined;
}
