import type { StepBody } from '../language.js';
import { giveCommand } from './qmp.js';
import type { StepScope } from './scope.js';
import { toBytes } from './values.js';

/** The device's side of dynamic capacity. What the host makes of it comes later: an `expect` waits for it. */

export async function addCapacity(body: StepBody<'add-capacity'>, scope: StepScope): Promise<void> {
  await giveCommand(
    scope,
    'cxl-add-dynamic-capacity',
    { ...requestOf(body, scope), 'selection-policy': 'prescriptive' },
    [],
  );
}

export async function releaseCapacity(body: StepBody<'release-capacity'>, scope: StepScope): Promise<void> {
  await giveCommand(
    scope,
    'cxl-release-dynamic-capacity',
    { ...requestOf(body, scope), 'removal-policy': 'prescriptive', 'forced-removal': body.forced },
    [],
  );
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
