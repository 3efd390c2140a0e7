import { z } from 'zod';
import { patternFault } from '../../base/pattern.js';
import { parseSize } from '../../base/size.js';
import { parseDuration } from './duration.js';
import { parseRange } from './versions.js';

/**
 * The single values of the scenario language. Messages that begin with "not" are printed after the value itself.
 */

const holdsReference = (text: string): boolean => text.includes('${');

/** A text that holds a `${capture}`: what it is can be checked only when its value is known. */
export const reference = z.string().regex(/\$\{[^}]+\}/, 'not a ${reference}');

export const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);

export const size = z
  .union([z.number().int().nonnegative(), z.string()])
  .refine((value) => typeof value === 'number' || holdsReference(value) || parseSize(value) !== undefined, {
    message: 'not a size: write it as 512M, 4G, 0x20000000 or a number of bytes',
  })
  .meta({ id: 'size', description: 'A size: 512M, 4G, 0x20000000 or a number of bytes' });

export const duration = z
  .string()
  .refine((value) => parseDuration(value) !== undefined, {
    message: 'not a duration of at most a day: write it as 500ms, 5s or 2m',
  })
  .meta({ id: 'duration', description: 'A duration of at most a day: 500ms, 5s, 2m' });

export const errno = z
  .union([z.string().regex(/^E[A-Z0-9]+$/, 'not an errno name such as EBUSY'), reference])
  .meta({ id: 'errno', description: 'An errno by name: EBUSY, EINVAL, ENXIO, EOPNOTSUPP...' });

export const count = z.union([z.number().int().nonnegative(), reference]);

/** How many of something that comes by and by: a number is exact, 0 is none. */
export const amount = z
  .union([
    count,
    z
      .strictObject({ least: count.optional(), most: count.optional() })
      .refine(({ least, most }) => least !== undefined || most !== undefined, {
        message: 'needs `least`, `most` or both',
      }),
  ])
  .meta({ id: 'amount', description: 'A number, which is exact (0: none), or { least: 2, most: 4 }' });

const exitStatus = z.number().int().min(0).max(255);

/** How a program may end. */
export const exit = z.union([exitStatus, z.array(exitStatus).min(1), z.enum(['nonzero', 'any'])]).meta({
  id: 'exit',
  description: 'An exit status, a list of those that may be, `nonzero` or `any`',
});

export type Exit = z.output<typeof exit>;

/** A regular expression of RE2 (no lookaround, no backreferences); captures in it are put in while the case runs. */
export const pattern = text
  .refine((value) => regexFault(value) === undefined, {
    error: (issue) => `not a regular expression: ${regexFault(String(issue.input)) ?? ''}`,
  })
  .meta({ id: 'pattern', description: 'A regular expression of RE2: (?i) and the like, no lookaround' });

export const captureName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'not a name: letters, digits, - and _, a letter first')
  .meta({ description: 'a name for what the step made: `${name}` in the steps after it' });

/** The name of a driver, a device of a bus or a module: it becomes one component of a path. */
const component = (what: string) =>
  text.refine((value) => holdsReference(value) || isPathComponent(value), {
    message: `not a ${what} name: it has no slash, no blank and is not made of dots`,
  });

export const driverName = component('driver');

/** Keys that take a thing of the guest: what a capture is called may stand there without `${}`. */
export const namesOfThings = z.registry<{ readonly namesAThing: true }>();

/** A region, a dax device and the like: the name of a capture, or the kernel's. */
export const thing = z
  .union([z.string(), z.number(), z.boolean()])
  .transform(String)
  .register(namesOfThings, { namesAThing: true });
export const deviceName = component('device').register(namesOfThings, { namesAThing: true });

export const moduleName = text.refine((value) => holdsReference(value) || /^[A-Za-z0-9][\w-]*$/.test(value), {
  message: 'not a module name: letters, digits, - and _, without .ko',
});

export const moduleParameter = text.refine(
  (value) => holdsReference(value) || /^[A-Za-z]\w*(=[^\s'"]*)?$/.test(value),
  { message: 'not a module parameter: write it as name=value, without blanks and quotes' },
);

export const guestPath = text
  .refine((value) => isGuestPath(value), {
    message: 'not a path in the guest: it begins with / (or with a capture) and has no `..`',
  })
  .meta({ description: 'an absolute path in the guest' });

export const versionRange = z
  .string()
  .max(100)
  .refine((value) => parseRange(value) !== undefined, {
    message: 'not a version range: write it as ">=7.3", ">=6.12 <7.3" or "<6.10 || >=7.0"',
  })
  .meta({ id: 'versionRange', description: 'A version range: ">=7.3", ">=6.12 <7.3", "<6.10 || >=7.0"' });

export const kernelOption = z
  .string()
  .regex(/^[!-~]+$/, 'not one kernel command line option: it has no blanks; write one option an entry')
  .regex(/^[^'"\\]*$/, 'not a kernel command line option that can be passed on: it has quotes or backslashes')
  .max(512);

export const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);

export const oneOrMore = <T extends z.ZodType>(schema: T) => z.union([schema, z.array(schema).min(1)]);

function regexFault(source: string): string | undefined {
  return patternFault(source.replace(/\$\{[^}]*\}/g, 'x'));
}

function isPathComponent(value: string): boolean {
  return /^[\w.:+@-]+$/.test(value) && !/^\.+$/.test(value) && !value.includes('..');
}

function isGuestPath(value: string): boolean {
  return /^(\/|\$\{)/.test(value) && !/[\0\n]/.test(value) && !value.split('/').includes('..');
}
