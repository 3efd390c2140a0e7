import { z } from 'zod';
import { writeLine } from '../../abi/index.js';
import { unknownDevice } from '../load/case-knowledge.js';
import { INJECTIONS, injectionFaults } from '../language/qmp-commands.js';
import { size, text } from '../language/scalars.js';
import { Unmet } from '../steps/outcome.js';
import { giveCommand } from '../steps/give-command.js';
import type { StepScope } from '../steps/scope.js';
import { toBytes } from '../steps/values.js';
import { defineStep } from './definition.js';

const schema = z
  .strictObject({
    device: text.meta({ description: 'topology device id' }),
    type: z.enum([
      'poison',
      'clear-poison',
      'general-media',
      'dram',
      'memory-module',
      'correctable',
      'uncorrectable',
    ]),
    start: size.optional(),
    length: size.optional(),
    log: z.enum(['informational', 'warning', 'failure', 'fatal']).optional(),
    with: z
      .record(z.string(), z.unknown())
      .optional()
      .meta({ description: 'further QMP arguments, given as they are' }),
  })
  .meta({
    description: 'injects poison, an event record or an error into a device',
    examples: [{ device: 'mem0', type: 'poison', start: 0, length: 64 }],
  });

export const inject = defineStep({
  schema,
  honours: [],
  title: ({ device, type }) => `inject ${type} into ${device}`,
  faults: (body, known) => [
    ...unknownDevice(body.device, ['device'], known, 'of QEMU'),
    ...injectionFaults(body.type, body),
  ],
  run: injectInto,
});

type Body = z.output<typeof schema>;

/** Poison is placed on a cache line. */
const CACHE_LINE = 64;

/** What QEMU wants of each command besides what a scenario says; any of it can be replaced by `with`. */
const MEDIA = { log: 'informational', flags: 1, dpa: 0, descriptor: 3, type: 3, 'transaction-type': 192 };
const DEFAULTS: { readonly [K in keyof typeof INJECTIONS]: Readonly<Record<string, unknown>> } = {
  poison: { start: 0, length: CACHE_LINE },
  'general-media': MEDIA,
  dram: MEDIA,
  'memory-module': {
    log: 'informational',
    flags: 1,
    type: 3,
    'health-status': 3,
    'media-status': 7,
    'additional-status': 33,
    'life-used': 40,
    temperature: 25,
    'dirty-shutdown-count': 0,
    'corrected-volatile-error-count': 0,
    'corrected-persistent-error-count': 0,
  },
  correctable: { type: 'mem-data-ecc' },
  uncorrectable: { errors: [{ type: 'cache-address-parity', header: [3, 4] }] },
};

async function injectInto(body: Body, scope: StepScope): Promise<void> {
  const { id } = scope.qemuDevice(body.device, ['device']);
  const start = body.start === undefined ? undefined : toBytes(body.start, ['start']);
  const length = body.length === undefined ? undefined : toBytes(body.length, ['length']);
  const { type } = body;
  if (type === 'clear-poison') return clearPoison(id, start ?? 0, length ?? CACHE_LINE, scope);
  const injection: { command: string; start?: string; length?: string; log?: string } = INJECTIONS[type];
  const asked = Object.fromEntries(
    Object.entries({ start, length, log: body.log }).flatMap(([key, value]) => {
      const argument = injection[key as 'start' | 'length' | 'log'];
      return value === undefined || argument === undefined ? [] : [[argument, value]];
    }),
  );
  await giveCommand(scope, injection.command, { path: id, ...DEFAULTS[type], ...asked, ...body.with }, [
    'with',
  ]);
}

/** QEMU has no command for it: the guest clears poison through its debugfs, a cache line a write. */
async function clearPoison(id: string, start: number, length: number, scope: StepScope): Promise<void> {
  const memdev = scope.memdevOf(id);
  if (memdev === undefined) {
    throw new Unmet({
      message: `the guest has no memdev for ${id}`,
      path: ['device'],
      subject: '/sys/bus/cxl/devices',
    });
  }
  const lines = Math.max(1, Math.ceil(length / CACHE_LINE));
  await scope.type(
    ...Array.from({ length: lines }, (_, line) =>
      writeLine(
        `/sys/kernel/debug/cxl/${memdev}/clear_poison`,
        `0x${(start + line * CACHE_LINE).toString(16)}`,
      ),
    ),
  );
}
