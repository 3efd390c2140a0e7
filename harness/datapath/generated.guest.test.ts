import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { bootGuest } from '../guest/index.js';
import { planTopology, withBackingFiles } from '../topology/index.js';
import { testFolder, testSpec } from '../testing/guest.js';
import { proveDataPath } from './index.js';
import { anyTopology } from './testing/any-topology.js';

/** Each is a boot and some twenty regions; `scripts/data-path` wants more of them. */
const MACHINES = Number(process.env['CXLRIG_DATA_PATHS'] ?? '2');
const SEED = process.env['CXLRIG_SEED'];
const EACH_MS = 300_000;

test(
  `what is written through any region of ${MACHINES} machines drawn from the whole language is found again, also behind the devices`,
  async () => {
    let [regions, places] = [0, 0];
    const property = fc.asyncProperty(anyTopology, async (document) => {
      const text = stringify(document);
      const dir = await testFolder();
      const plan = withBackingFiles(planTopology(text, 'drawn.yaml', 'drawn'), dir);
      const guest = await bootGuest(await testSpec('none', { machine: plan }));
      try {
        const trials = await proveDataPath(guest, plan, dir);
        expect(trials.flatMap(({ refused, lost }) => refused ?? lost)).toEqual([]);
        regions += trials.length;
        places += trials.reduce((sum, trial) => sum + trial.places, 0);
      } finally {
        await guest.stop();
      }
    });
    await fc.assert(property, {
      numRuns: MACHINES,
      endOnFailure: true,
      ...(SEED !== undefined && { seed: Number(SEED) }),
    });
    process.stdout.write(`${MACHINES} machines, ${regions} regions, ${places} places: all found again\n`);
    expect(regions).toBeGreaterThan(0);
  },
  MACHINES * EACH_MS,
);
