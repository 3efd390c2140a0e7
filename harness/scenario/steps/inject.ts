import { writeLine } from '../../abi/index.js';
import type { StepBody } from '../language.js';
import { Unmet } from './outcome.js';
import { giveCommand } from './qmp.js';
import type { StepScope } from './scope.js';
import { toBytes } from './values.js';

type Body = StepBody<'inject'>;

/** What QEMU wants of each record besides what a scenario says; any of it can be replaced by `with`. */
const EVENTS: Readonly<
  Partial<Record<Body['type'], { execute: string; defaults: Readonly<Record<string, unknown>> }>>
> = {
  'general-media': {
    execute: 'cxl-inject-general-media-event',
    defaults: { flags: 1, dpa: 0, descriptor: 3, type: 3, 'transaction-type': 192 },
  },
  dram: {
    execute: 'cxl-inject-dram-event',
    defaults: { flags: 1, dpa: 0, descriptor: 3, type: 3, 'transaction-type': 192 },
  },
  'memory-module': {
    execute: 'cxl-inject-memory-module-event',
    defaults: {
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
  },
};

/** Poison is placed on a cache line. */
const CACHE_LINE = 64;

export async function inject(body: Body, scope: StepScope): Promise<void> {
  const { id } = scope.device(body.device, ['device']);
  const start = body.start === undefined ? undefined : toBytes(body.start, ['start']);
  const length = body.length === undefined ? CACHE_LINE : toBytes(body.length, ['length']);
  const event = EVENTS[body.type];
  if (event) {
    await giveCommand(scope, event.execute, {
      path: id,
      log: body.log ?? 'informational',
      ...event.defaults,
      ...(start === undefined || body.type === 'memory-module' ? {} : { dpa: start }),
      ...body.with,
    });
    return;
  }
  switch (body.type) {
    case 'poison':
      await giveCommand(scope, 'cxl-inject-poison', {
        path: id,
        start: start ?? 0,
        length,
        ...body.with,
      });
      return;
    case 'clear-poison':
      return clearPoison(id, start ?? 0, length, scope);
    case 'correctable':
      await giveCommand(scope, 'cxl-inject-correctable-error', {
        path: id,
        type: 'mem-data-ecc',
        ...body.with,
      });
      return;
    default:
      await giveCommand(scope, 'cxl-inject-uncorrectable-errors', {
        path: id,
        errors: [{ type: 'cache-address-parity', header: [3, 4] }],
        ...body.with,
      });
      return;
  }
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
