import { z } from 'zod';
import { captureName } from '../language/scalars.js';
import type { StepScope } from '../steps/scope.js';
import { defineStep } from './definition.js';

const snapshotName = captureName.refine((name) => name !== 'boot', {
  message: '`boot` is the state before the first step: choose another name',
});

const schema = z
  .strictObject({ as: snapshotName })
  .meta({ description: 'keeps the state under a name, for `same-as`', examples: [{ as: 'by-hand' }] });

export const snapshot = defineStep({
  schema,
  honours: [],
  title: ({ as }) => `keep the state as ${as}`,
  faults: ({ as }, known) => {
    known.snapshots.add(as);
    return [];
  },
  run: keepState,
});

/** Keeps the state, read anew, under a name. */
async function keepState({ as }: z.output<typeof schema>, scope: StepScope): Promise<void> {
  scope.session.snapshots.set(as, await scope.look());
}
