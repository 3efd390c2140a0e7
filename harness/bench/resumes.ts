import { join } from 'node:path';
import { mkdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { diffStates, readState, type State } from '../abi/index.js';
import { bootGuest, startGuest, type GuestSpec } from '../guest/index.js';
import { listTopologies } from '../topology/index.js';
import {
  inFolder,
  measured,
  median,
  print,
  printTable,
  specFor,
  spread,
  type Measured,
} from './measuring.js';
import { comparable } from './comparable.js';
import type { Section } from './section.js';

/** Resumes many guests, and holds each against a guest that was booted: does the kernel show the same? */
export const resumes: Section = {
  does: 'resume N guests over all topologies; count those that fail or show another state than a booted one: [N] [--kernel K] [--topology T]...',
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        kernel: { type: 'string', default: 'stock' },
        topology: { type: 'string', multiple: true },
      },
    });
    const count = Number(positionals[0] ?? '100');
    const topologies = values.topology ?? (await listTopologies()).map(({ name }) => name);
    const each = Math.ceil(count / topologies.length);
    const tallies: Tally[] = [];
    for (const topology of topologies) {
      tallies.push(await tallyOf(values.kernel, topology, each));
      print(lineOf(tallies.at(-1)));
    }
    report(tallies);
    if (tallies.some(({ different }) => different.length > 0)) process.exitCode = 1;
  },
};

interface Tally {
  readonly topology: string;
  readonly cold: Cost;
  readonly resumed: Cost[];
  /** reasons of those that had to be booted */
  readonly fellBack: string[];
  /** of those that showed another state than the booted one: in what */
  readonly different: string[];
}

type Cost = Pick<Measured, 'milliseconds' | 'cpuMilliseconds'>;

async function tallyOf(kernel: string, topology: string, count: number): Promise<Tally> {
  return inFolder(async (folder) => {
    let guests = 0;
    const oneGuest = async (start: typeof bootGuest | typeof startGuest) => {
      const dir = join(folder, `${(guests += 1)}`);
      await mkdir(dir);
      const spec: GuestSpec = await specFor(kernel, topology, dir);
      const { guest, ...cost } = await measured(spec, start);
      try {
        return { ...cost, start: guest.start, state: comparable(await readState(guest)) };
      } finally {
        await guest.stop();
      }
    };
    const cold = await oneGuest(bootGuest);
    await oneGuest(startGuest); // makes the template
    const tally: Tally = { topology, cold, resumed: [], fellBack: [], different: [] };
    for (let n = 0; n < count; n += 1) {
      const { start, state, ...cost } = await oneGuest(startGuest);
      if (start.how === 'resumed') tally.resumed.push(cost);
      else tally.fellBack.push(start.reason ?? 'no reason given');
      const differences = differencesOf(cold.state, state);
      if (differences !== '') tally.different.push(differences);
    }
    return tally;
  });
}

function differencesOf(booted: State, resumed: State): string {
  return diffStates(booted, resumed)
    .map((change) => JSON.stringify(change))
    .join(', ');
}

function lineOf(tally: Tally | undefined): string {
  if (!tally) return '';
  const { topology, cold, resumed, fellBack, different } = tally;
  const times = resumed.map(({ milliseconds }) => milliseconds);
  return [
    `${topology}: cold ${(cold.milliseconds / 1000).toFixed(2)} s, resumed ${spread(times)},`,
    `${resumed.length} resumes, ${fellBack.length} fell back, ${different.length} different`,
    ...fellBack.map((reason) => `\n  fell back: ${reason}`),
    ...different.map((place) => `\n  different: ${place}`),
  ].join(' ');
}

function report(tallies: readonly Tally[]): void {
  const all = tallies.flatMap(({ resumed }) => resumed);
  const wall = median(all.map(({ milliseconds }) => milliseconds));
  const coldWall = median(tallies.map(({ cold }) => cold.milliseconds));
  const cpu = median(all.map(({ cpuMilliseconds }) => cpuMilliseconds));
  const coldCpu = median(tallies.map(({ cold }) => cold.cpuMilliseconds));
  printTable([
    ['resumes', 'fell back', 'other state', 'cold', 'resumed', 'ratio', 'ratio in CPU time'],
    [
      `${all.length}`,
      `${tallies.reduce((sum, { fellBack }) => sum + fellBack.length, 0)}`,
      `${tallies.reduce((sum, { different }) => sum + different.length, 0)}`,
      `${(coldWall / 1000).toFixed(2)} s`,
      `${(wall / 1000).toFixed(2)} s`,
      (wall / coldWall).toFixed(2),
      (cpu / coldCpu).toFixed(2),
    ],
  ]);
}
