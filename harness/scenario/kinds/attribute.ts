import { z } from 'zod';
import { guestPath, thing } from '../language/scalars.js';
import { Unmet } from '../steps/outcome.js';

/** What steps that write or read an attribute say about which one. */
export const attributeKeys = {
  path: guestPath.optional(),
  of: thing.optional().meta({ description: 'instead: what the attribute is of: a captured region, dax0.0' }),
  attr: z
    .string()
    .regex(/^[\w.-]+(\/[\w.-]+)*$/, 'not an attribute: size, or sysram_region/hotplug')
    .refine((value) => !value.split('/').includes('..'), { message: 'not an attribute: it has no `..`' })
    .optional()
    .meta({ description: 'and its name: size, sysram_region/hotplug' }),
};

interface Attribute {
  readonly path?: string | undefined;
  readonly of?: string | undefined;
  readonly attr?: string | undefined;
}

export const NAMES_ONE_ATTRIBUTE = {
  message: 'names no attribute: it needs `path`, or `of` and `attr`',
};

export function namesOneAttribute({ path, of, attr }: Attribute): boolean {
  return path === undefined ? of !== undefined && attr !== undefined : of === undefined && attr === undefined;
}

export function attributeWords({ path, of, attr }: Attribute): string {
  return path ?? `${attr ?? ''} of ${of ?? ''}`;
}

/** Names of devices by the bus whose devices they are. */
const BUSES: readonly (readonly [RegExp, string])[] = [
  [/^dax\d+\.\d+$/, '/sys/bus/dax/devices'],
  [/^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.\d$/, '/sys/bus/pci/devices'],
  [/^namespace\d+\.\d+$/, '/sys/bus/nd/devices'],
  [
    /^(region|dax_region|pmem_region|sysram_region|mem|decoder|endpoint|port|root)[\d.]+$/,
    '/sys/bus/cxl/devices',
  ],
];

/** @returns undefined when nobody can tell on which bus the device is */
export function attributePath({ path, of, attr }: Attribute): string | undefined {
  if (path !== undefined) return path;
  const [, bus] = BUSES.find(([pattern]) => pattern.test(of ?? '')) ?? [];
  return bus === undefined ? undefined : `${bus}/${of ?? ''}/${attr ?? ''}`;
}

/** @throws Unmet when nobody can tell on which bus the device is */
export function pathOf(body: Attribute): string {
  const path = attributePath(body);
  if (path !== undefined) return path;
  throw new Unmet({
    message: `${body.of ?? ''} is no device whose bus is known: write the path of its attribute`,
    path: ['of'],
    blame: 'scenario',
  });
}
