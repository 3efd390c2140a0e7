import { z } from 'zod';
import { notARegion } from '../case-knowledge.js';
import { thing } from '../scalars.js';
import { defineStep, OF_LINES } from './definition.js';

export const destroyRegion = defineStep({
  schema: z.strictObject({ region: thing }).meta({
    description: 'unbinds, resets and deletes a region, and frees its DPA',
    examples: [{ region: 'r' }],
  }),
  honours: OF_LINES,
  title: ({ region }) => `destroy ${region}`,
  faults: ({ region }, known) => notARegion(region, ['region'], known),
});
