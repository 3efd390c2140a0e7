import { boots } from './boots.js';
import { overhead } from './overhead.js';
import { print } from './measuring.js';
import { resumes } from './resumes.js';
import { roundTrips } from './round-trips.js';
import { suite } from './suite.js';
import type { Section } from './section.js';

/** The table of the README, and what stands behind it. */
export const all: Section = {
  does: 'one after the other, as the README has it: boots, round-trips, resumes 28, overhead, suite current (some 15 minutes)',
  async run() {
    const steps: readonly (readonly [title: string, Section, ...args: string[]])[] = [
      ['boots, stock kernel', boots, '5'],
      ['boots, minimal kernel', boots, '5', '--kernel', 'minimal'],
      ['round trips', roundTrips, '50'],
      ['resumes over all topologies', resumes, '28'],
      ['overhead of a run', overhead],
      ['suite', suite, 'current'],
    ];
    for (const [title, section, ...args] of steps) {
      print(`\n## ${title}\n`);
      await section.run(args);
    }
  },
};
