import { didYouMean, nameHint } from '../../base/document/did-you-mean.js';

/**
 * Which QMP commands a scenario may give, and what it may say in them. QMP is the emulator's own control: `migrate` runs
 * host commands, `pmemsave` writes host files, `chardev-add` opens sockets, and a device has properties that name files
 * (`romfile`, `cdat`). A scenario cannot touch the host, so whatever is not listed here is refused.
 * qmp-commands.guest.test.ts holds this list against what the real QEMU says of each of them.
 */

/** What an argument may be. None of these is the name of a host's file, socket, character device or network. */
export type ArgumentType =
  | 'number'
  | 'boolean'
  /** of an object or a device of this machine */
  | 'id'
  /** of an object in QEMU's own tree, or the last part of one */
  | 'qom-path'
  | 'property'
  /** a slot of a bus, and a function: 06.0 */
  | 'slot'
  /** goes as it is into a record that the guest reads */
  | 'text'
  | { readonly oneOf: readonly string[] }
  | { readonly listOf: ArgumentType }
  | { readonly fields: Arguments };

export type Arguments = Readonly<Record<string, ArgumentType>>;

const SEVERITY = { oneOf: ['informational', 'warning', 'failure', 'fatal'] };
const EXTENTS = { listOf: { fields: { offset: 'number', len: 'number' } } } as const;
const EVENT: Arguments = {
  path: 'qom-path',
  log: SEVERITY,
  flags: 'number',
  type: 'number',
};
const MEDIA_EVENT: Arguments = {
  ...EVENT,
  dpa: 'number',
  descriptor: 'number',
  'transaction-type': 'number',
  channel: 'number',
  rank: 'number',
};

/** Commands by name, each with its arguments; what QEMU wants of them is QEMU's to say. */
export const COMMANDS: Readonly<Record<string, Arguments>> = {
  cont: {},
  'cxl-add-dynamic-capacity': {
    path: 'qom-path',
    'host-id': 'number',
    'selection-policy': { oneOf: ['free', 'contiguous', 'prescriptive', 'enable-shared-access'] },
    region: 'number',
    tag: 'text',
    extents: EXTENTS,
  },
  'cxl-inject-correctable-error': { path: 'qom-path', type: 'text' },
  'cxl-inject-dram-event': {
    ...MEDIA_EVENT,
    'nibble-mask': 'number',
    'bank-group': 'number',
    bank: 'number',
    row: 'number',
    column: 'number',
    'correction-mask': { listOf: 'number' },
  },
  'cxl-inject-general-media-event': { ...MEDIA_EVENT, device: 'number', 'component-id': 'text' },
  'cxl-inject-memory-module-event': {
    ...EVENT,
    'health-status': 'number',
    'media-status': 'number',
    'additional-status': 'number',
    'life-used': 'number',
    temperature: 'number',
    'dirty-shutdown-count': 'number',
    'corrected-volatile-error-count': 'number',
    'corrected-persistent-error-count': 'number',
  },
  'cxl-inject-poison': { path: 'qom-path', start: 'number', length: 'number' },
  'cxl-inject-uncorrectable-errors': {
    path: 'qom-path',
    errors: { listOf: { fields: { type: 'text', header: { listOf: 'number' } } } },
  },
  'cxl-release-dynamic-capacity': {
    path: 'qom-path',
    'host-id': 'number',
    'removal-policy': { oneOf: ['tag-based', 'prescriptive'] },
    'forced-removal': 'boolean',
    'sanitize-on-release': 'boolean',
    region: 'number',
    tag: 'text',
    extents: EXTENTS,
  },
  device_del: { id: 'id' },
  'inject-nmi': {},
  'object-del': { id: 'id' },
  'qom-get': { path: 'qom-path', property: 'property' },
  'qom-list': { path: 'qom-path' },
  'query-memdev': {},
  'query-memory-devices': {},
  'query-pci': {},
  'query-status': {},
  'query-version': {},
  stop: {},
  system_powerdown: {},
  system_reset: {},
};

const LINK = {
  'x-speed': { oneOf: ['2_5', '5', '8', '16', '32', '64'] },
  'x-width': { oneOf: ['1', '2', '4', '8', '12', '16', '32'] },
} as const;
const DEVICE: Arguments = { id: 'id', bus: 'id', addr: 'slot', ...LINK };
const PORT: Arguments = { ...DEVICE, port: 'number', chassis: 'number', slot: 'number', hotplug: 'boolean' };

/** Commands that make something: the argument that says what, what it may be, and the properties that may be set. */
export const MAKERS: Readonly<
  Record<string, { readonly kind: string; readonly makes: Readonly<Record<string, Arguments>> }>
> = {
  device_add: {
    kind: 'driver',
    makes: {
      'cxl-type3': {
        ...DEVICE,
        sn: 'number',
        'volatile-memdev': 'id',
        'persistent-memdev': 'id',
        lsa: 'id',
        'volatile-dc-memdev': 'id',
        'num-dc-regions': 'number',
      },
      'cxl-downstream': PORT,
      'cxl-upstream': { ...DEVICE, port: 'number', sn: 'number' },
      'cxl-rp': PORT,
    },
  },
  'object-add': {
    kind: 'qom-type',
    makes: { 'memory-backend-ram': { id: 'id', size: 'number', share: 'boolean' } },
  },
};

interface Injection {
  readonly command: string;
  /** the arguments that `start`, `length` and `log` of the step become; another of these means nothing to it */
  readonly start?: string;
  readonly length?: string;
  readonly log?: string;
}

/** The command behind each type of `inject`; `clear-poison` has none, as the guest does it. */
export const INJECTIONS = {
  poison: { command: 'cxl-inject-poison', start: 'start', length: 'length' },
  'general-media': { command: 'cxl-inject-general-media-event', start: 'dpa', log: 'log' },
  dram: { command: 'cxl-inject-dram-event', start: 'dpa', log: 'log' },
  'memory-module': { command: 'cxl-inject-memory-module-event', log: 'log' },
  correctable: { command: 'cxl-inject-correctable-error' },
  uncorrectable: { command: 'cxl-inject-uncorrectable-errors' },
} as const satisfies Readonly<Record<string, Injection>>;

/** What is wrong with the arguments of an `inject` of a type. */
export function injectionFaults(
  type: keyof typeof INJECTIONS | 'clear-poison',
  body: Readonly<Partial<Record<'start' | 'length' | 'log', unknown>>> & {
    readonly with?: Readonly<Record<string, unknown>> | undefined;
  },
): QmpFault[] {
  const injection: Partial<Injection> =
    type === 'clear-poison' ? { start: 'start', length: 'length' } : INJECTIONS[type];
  const { command } = injection;
  const meaningless = (['start', 'length', 'log', 'with'] as const).filter(
    (key) =>
      body[key] !== undefined && (key === 'with' ? command === undefined : injection[key] === undefined),
  );
  return [
    ...meaningless.map((key) => ({
      path: [key],
      part: 'key' as const,
      message: `\`${key}\` means nothing to the type ${type}`,
    })),
    ...(command === undefined ? [] : qmpFaults(command, body.with, ['with'])),
  ];
}

const NAMES = [...Object.keys(COMMANDS), ...Object.keys(MAKERS)].sort();

export interface QmpFault {
  /** where in the step's body */
  readonly path: readonly (string | number)[];
  readonly part?: 'key' | 'value';
  readonly message: string;
  readonly hint?: string;
}

/**
 * Why a scenario may not give this QMP command; nothing when it may. A `${capture}` may become anything that the
 * argument may be: what came of it is for a second look.
 * @param at where the arguments stand in the step's body
 */
export function qmpFaults(
  execute: string,
  args: Readonly<Record<string, unknown>> = {},
  at: readonly string[] = ['arguments'],
): QmpFault[] {
  if (!NAMES.includes(execute)) {
    const likely = didYouMean(execute, NAMES);
    return [
      {
        path: ['execute'],
        message: `a scenario may not give the QMP command ${JSON.stringify(execute)}`,
        hint: likely ? `did you mean ${likely}?` : `those it may give: ${NAMES.join(', ')}`,
      },
    ];
  }
  const maker = Object.hasOwn(MAKERS, execute) ? MAKERS[execute] : undefined;
  if (!maker) return fieldFaults(execute, args, COMMANDS[execute] ?? {}, at);
  const kind = args[maker.kind];
  if (typeof kind !== 'string' || !Object.hasOwn(maker.makes, kind)) {
    const known = Object.keys(maker.makes);
    return [
      {
        path: kind === undefined ? ['execute'] : [...at, maker.kind],
        message: `${execute} needs the argument \`${maker.kind}\` with one of: ${known.join(', ')}`,
      },
    ];
  }
  const properties = Object.fromEntries(Object.entries(args).filter(([key]) => key !== maker.kind));
  return fieldFaults(`${execute} of a ${kind}`, properties, maker.makes[kind] ?? {}, at);
}

function fieldFaults(
  of: string,
  values: Readonly<Record<string, unknown>>,
  known: Arguments,
  at: QmpFault['path'],
): QmpFault[] {
  return Object.entries(values).flatMap(([key, value]): QmpFault[] => {
    const path = [...at, key];
    const type = Object.hasOwn(known, key) ? known[key] : undefined;
    if (type !== undefined) return valueFaults(`\`${key}\` of ${of}`, value, type, path);
    const names = Object.keys(known);
    return [
      {
        path,
        part: 'key',
        message: `${of} may not set \`${key}\``,
        hint: names.length === 0 ? 'it takes no arguments' : nameHint(key, names, 'what may be set'),
      },
    ];
  });
}

function valueFaults(what: string, value: unknown, type: ArgumentType, path: QmpFault['path']): QmpFault[] {
  if (typeof value === 'string' && value.includes('${')) return [];
  if (typeof type === 'object' && 'listOf' in type) {
    if (!Array.isArray(value)) return [{ path, message: `${what} is not a list` }];
    return value.flatMap((one: unknown, index) => valueFaults(what, one, type.listOf, [...path, index]));
  }
  if (typeof type === 'object' && 'fields' in type) {
    const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isMap
      ? fieldFaults(what, value as Record<string, unknown>, type.fields, path)
      : [{ path, message: `${what} is not a map` }];
  }
  if (typeof type === 'object') {
    if (typeof value === 'string' && type.oneOf.includes(value)) return [];
    return [{ path, message: `${what} is not one of ${type.oneOf.join(', ')}` }];
  }
  const { fits, words } = SCALARS[type];
  return fits(value) ? [] : [{ path, message: `${what} is not ${words}` }];
}

const matching =
  (pattern: RegExp) =>
  (value: unknown): boolean =>
    typeof value === 'string' && pattern.test(value);

const SCALARS: Readonly<
  Record<Extract<ArgumentType, string>, { fits: (value: unknown) => boolean; words: string }>
> = {
  number: { fits: (value) => Number.isSafeInteger(value), words: 'a whole number' },
  boolean: { fits: (value) => typeof value === 'boolean', words: 'true or false' },
  id: { fits: matching(/^[A-Za-z][\w.-]{0,63}$/), words: 'the id of a part of this machine' },
  'qom-path': { fits: matching(/^[\w./[\]@:-]{1,256}$/), words: 'a path in the tree of QEMU’s objects' },
  property: { fits: matching(/^[\w.[\]-]{1,64}$/), words: 'the name of a property' },
  slot: { fits: matching(/^[0-9a-f]{1,2}(\.[0-7])?$/), words: 'a slot and a function such as 06.0' },
  text: { fits: matching(/^[^\0]{0,256}$/), words: 'a text' },
};
