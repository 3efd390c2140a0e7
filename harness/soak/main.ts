#!/usr/bin/env node
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { temporaryFolder } from '../base/owner.js';
import { findScenarios, scenarioName } from '../scenario/index.js';
import { soakReport } from './report.js';
import { soakRound, type Round } from './round.js';

// scripts/soak says what the options are for
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '10' },
    cases: { type: 'string', default: '500' },
    copies: { type: 'string', default: '4' },
    jobs: { type: 'string', default: '2' },
    kernel: { type: 'string', default: 'stock' },
  },
});

const began = performance.now();
const until = began + Number(values.minutes) * 60_000;
const work = await temporaryFolder('soak');
const rounds: Round[] = [];
try {
  const scenarios = await copyScenarios();
  let cases = 0;
  while (cases < Number(values.cases) && performance.now() < until) {
    const dir = join(work, `round-${rounds.length}`);
    const round = await soakRound({ ...values, scenarios, dir, until });
    rounds.push(round);
    cases += round.cases.length;
    console.error(`round ${rounds.length}: ${round.cases.length} cases, ${cases} in all`);
    if (round.cases.length === 0) break;
  }
} finally {
  await rm(work, { recursive: true, force: true });
}
const { text, good } = soakReport(rounds, (performance.now() - began) / 60_000, values.jobs);
console.log(text);
process.exitCode = good ? 0 : 1;

/** Several copies in one run make its processes live long. The names of shipped topologies mean the same in all of them. */
async function copyScenarios(): Promise<string> {
  const folder = join(work, 'scenarios');
  for (const file of await findScenarios(positionals)) {
    for (let copy = 1; copy <= Number(values.copies); copy++) {
      const path = join(folder, `copy-${copy}`, `${scenarioName(file)}.yaml`);
      await mkdir(dirname(path), { recursive: true });
      await copyFile(file, path);
    }
  }
  return folder;
}
