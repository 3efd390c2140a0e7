import { z } from 'zod';
import { captureName } from '../scalars.js';
import { defineStep } from './definition.js';

const snapshotName = captureName.refine((name) => name !== 'boot', {
  message: '`boot` is the state before the first step: choose another name',
});

export const snapshot = defineStep({
  schema: z
    .strictObject({ as: snapshotName })
    .meta({ description: 'keeps the state under a name, for `same-as`', examples: [{ as: 'by-hand' }] }),
  honours: [],
  title: ({ as }) => `keep the state as ${as}`,
  faults: ({ as }, known) => {
    known.snapshots.add(as);
    return [];
  },
});
