import { z } from 'zod';
import { destroyRegionLines } from '../../abi/index.js';
import { notARegion } from '../load/case-knowledge.js';
import { thing } from '../language/scalars.js';
import { NothingToDo, Unmet } from '../steps/outcome.js';
import type { StepScope } from '../steps/scope.js';
import { heldDecoders } from '../steps/select.js';
import { OF_LINES, defineStep } from './definition.js';

const schema = z
  .strictObject({
    region: thing,
    'keep-dpa': z.boolean().optional().meta({
      description: 'the endpoint decoders keep their DPA; what is left of it goes when the case is over',
    }),
  })
  .meta({
    description: 'unbinds, resets and deletes a region, and frees its DPA',
    examples: [{ region: 'r' }],
  });

export const destroyRegion = defineStep({
  schema,
  honours: OF_LINES,
  title: (body) => `destroy ${body.region}${body['keep-dpa'] ? ', not its DPA' : ''}`,
  faults: ({ region }, known) => notARegion(region, ['region'], known),
  run: takeApart,
});

/** Takes down what is left of a region, as it is now. */
async function takeApart(
  { region: name, 'keep-dpa': keepsDpa }: z.output<typeof schema>,
  scope: StepScope,
): Promise<void> {
  const state = await scope.current();
  const region = state.regions[name];
  const { captures, done } = scope.session;
  const made = [...done].flatMap((deed) => (deed.kind === 'region' ? deed.region : []));
  const chosen = [...captures.values(), ...made].flatMap((capture) =>
    // of regions that had the name before, the decoders are none of its own
    capture.kind === 'region' && capture.name === name && !(region && capture.isGone) ? capture.decoders : [],
  );
  const attached = (region?.targets ?? []).filter((target) => target !== null);
  const decoders = heldDecoders([...new Set([...attached, ...chosen])], name, state);
  if (!region && (keepsDpa || decoders.length === 0)) {
    if (scope.isCleanup) throw new NothingToDo(`${name} is gone already`);
    throw new Unmet({
      message: `there is no ${name} to destroy`,
      path: ['region'],
      subject: `/sys/bus/cxl/devices/${name}`,
      expected: 'a region',
      received: Object.keys(state.regions),
    });
  }
  await scope.type(
    ...destroyRegionLines({
      ...(region ? { region: { ...region, name } } : {}),
      decoders: keepsDpa ? [] : decoders,
    }),
  );
}
