import { faultsOfExpectation } from '../load/expect-rules.js';
import { expectBody } from '../language/expectations.js';
import { expect as waitUntilItHolds } from '../steps/expect/expect.js';
import { defineStep, WAITS } from './definition.js';

export const expectation = defineStep({
  schema: expectBody.meta({
    description: 'what must become true of the state',
    examples: [
      {
        region: { name: 'r', committed: true },
        memory: { of: 'r', count: 4, state: 'online' },
        within: '10s',
      },
    ],
  }),
  honours: [],
  instead: {
    timeout: WAITS,
    fails: 'what must not be is written as an expectation of its own: `count: 0`, `absent`',
  },
  title: (body) => {
    const clauses = Object.keys(body).filter((key) => key !== 'within' && key !== 'stays-for');
    const stays = body['stays-for'] === undefined ? '' : ` for ${body['stays-for']}`;
    return `expect ${clauses.map((key) => key.replace('same-as', 'the same state')).join(', ')}${stays}`;
  },
  faults: faultsOfExpectation,
  putsInCapturesItself: true,
  run: waitUntilItHolds,
});
