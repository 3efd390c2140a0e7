#!/usr/bin/env node
import type { Section } from './section.js';
import { all } from './all.js';
import { boots } from './boots.js';
import { engine } from './engine.js';
import { overhead } from './overhead.js';
import { resumes } from './resumes.js';
import { roundTrips } from './round-trips.js';
import { stalls } from './stalls.js';
import { suite } from './suite.js';

const SECTIONS: Readonly<Record<string, Section>> = {
  all,
  boots,
  resumes,
  suite,
  overhead,
  engine,
  stalls,
  'round-trips': roundTrips,
};

const [name = '', ...args] = process.argv.slice(2);
const section = SECTIONS[name];
if (section) await section.run(args);
else {
  const list = Object.entries(SECTIONS).map(([known, { does }]) => `  ${known.padEnd(12)} ${does}`);
  process.stderr.write(['usage: scripts/bench SECTION [arguments]', '', ...list, ''].join('\n'));
  process.exitCode = 2;
}
