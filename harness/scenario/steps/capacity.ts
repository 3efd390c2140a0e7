import { writeLine } from '../../abi/index.js';
import type { PlannedMock } from '../../topology/plan.js';
import type { StepBody } from '../language.js';
import { Unmet } from './outcome.js';
import { giveCommand } from './qmp.js';
import type { StepScope } from './scope.js';
import { toBytes } from './values.js';

/** The device's side of dynamic capacity. What the host makes of it comes later: an `expect` waits for it. */

export async function addCapacity(body: StepBody<'add-capacity'>, scope: StepScope): Promise<void> {
  const mock = mockOf(body, scope);
  if (mock) return writeTo(mock, 'dc_offer', [...wordsOf(body), ...(body.more ? ['more'] : [])], scope);
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
  const mock = mockOf(body, scope);
  if (mock) return writeTo(mock, body.forced ? 'dc_take' : 'dc_ask', wordsOf(body), scope);
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

type Request = Pick<StepBody<'add-capacity'>, 'device' | 'region' | 'extents' | 'tag'>;

function mockOf({ device }: Request, scope: StepScope): PlannedMock | undefined {
  const found = scope.device(device, ['device']);
  return 'platformDevice' in found ? found : undefined;
}

/** What series/dynamic-capacity's mock understands: a tag holds for the extents after it, and there is none at first. */
function wordsOf({ extents, tag: common = NIL }: Request): string[] {
  let current = NIL;
  return extents.flatMap(({ offset, length, tag = common, sequence }, index) => {
    const place = [
      toBytes(offset, ['extents', index, 'offset']),
      toBytes(length, ['extents', index, 'length']),
    ].map((bytes) => `0x${bytes.toString(16)}`);
    const extent = [...place, ...(sequence === undefined ? [] : [sequence])].join(':');
    if (tag === current) return [extent];
    current = tag;
    return [tag, extent];
  });
}

async function writeTo(
  { platformDevice }: PlannedMock,
  attribute: string,
  words: readonly string[],
  scope: StepScope,
): Promise<void> {
  await scope.type(writeLine(`/sys/bus/platform/devices/${platformDevice}/${attribute}`, words.join(' ')));
}

/** The null tag: none. */
const NIL = '00000000-0000-0000-0000-000000000000';

function requestOf({ device, region, extents }: Request, scope: StepScope): Record<string, unknown> {
  return {
    path: scope.qemuDevice(device, ['device']).id,
    // of the one host that there is
    'host-id': 0,
    region,
    extents: extents.map(({ offset, length }, index) => ({
      offset: toBytes(offset, ['extents', index, 'offset']),
      len: toBytes(length, ['extents', index, 'length']),
    })),
  };
}
