import type { StepBody } from '../language.js';
import { Unmet } from './outcome.js';
import { giveCommand } from './qmp.js';
import type { StepScope } from './scope.js';
import { toBytes } from './values.js';

/** The device's side of dynamic capacity. What the host makes of it comes later: an `expect` waits for it. */

export async function addCapacity(body: StepBody<'add-capacity'>, scope: StepScope): Promise<void> {
  await asked(
    giveCommand(
      scope,
      'cxl-add-dynamic-capacity',
      { ...requestOf(body, scope), 'selection-policy': 'prescriptive' },
      [],
    ),
    /already accessible/,
    'the host has some of it already, and has not given it back',
  );
}

export async function releaseCapacity(body: StepBody<'release-capacity'>, scope: StepScope): Promise<void> {
  await asked(
    giveCommand(
      scope,
      'cxl-release-dynamic-capacity',
      { ...requestOf(body, scope), 'removal-policy': 'prescriptive', 'forced-removal': body.forced },
      [],
    ),
    /non-existing DPA range/,
    'the host does not have all of it',
  );
}

/** What QEMU refuses because of what the host has, or has not, is the host's doing: it answered otherwise than it should. */
async function asked(command: Promise<unknown>, refusal: RegExp, message: string): Promise<void> {
  try {
    await command;
  } catch (error) {
    if (!(error instanceof Unmet) || !refusal.test(error.message)) throw error;
    throw new Unmet({
      message: `${message} (${error.message})`,
      path: ['extents'],
      subject: error.mismatch.subject ?? 'QMP',
      received: error.mismatch.received,
    });
  }
}

function requestOf(
  { device, region, extents }: Pick<StepBody<'add-capacity'>, 'device' | 'region' | 'extents'>,
  scope: StepScope,
): Record<string, unknown> {
  return {
    path: scope.device(device, ['device']).id,
    // of the one host that there is
    'host-id': 0,
    region,
    extents: extents.map(({ offset, length }, index) => ({
      offset: toBytes(offset, ['extents', index, 'offset']),
      len: toBytes(length, ['extents', index, 'length']),
    })),
  };
}
