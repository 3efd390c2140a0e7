import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { loadScenario } from '../scenario/index.js';
import { loadTopology } from '../topology/index.js';
import { registerTopology } from './topology.js';

const report = fileURLToPath(
  new URL('../topology/from/fixtures/two-bridges-two-switches.json', import.meta.url),
);

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cxlrig-topology-'));
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(dir, { recursive: true });
});

async function topologyFrom(...args: string[]): Promise<void> {
  const program = new Command().exitOverride();
  registerTopology(program);
  await program.parseAsync(['topology', 'from', ...args], { from: 'user' });
}

test('a report becomes a topology and a scenario that are both valid', async () => {
  await topologyFrom(report, '--out', dir, '--name', 'bug');
  const { devices } = await loadTopology(join(dir, 'bug.yaml'));
  const { cases } = await loadScenario(join(dir, 'bug-regions.yaml'));
  expect(devices).toHaveLength(8);
  expect(cases).toHaveLength(1);
});

test('nothing that is there is overwritten without --force', async () => {
  await topologyFrom(report, '--out', dir, '--name', 'bug');
  const before = await readFile(join(dir, 'bug.yaml'), 'utf8');
  await expect(topologyFrom(report, '--out', dir, '--name', 'bug')).rejects.toThrow(
    'bug.yaml is there already',
  );
  await topologyFrom(report, '--out', dir, '--name', 'bug', '--force');
  expect(await readFile(join(dir, 'bug.yaml'), 'utf8')).toBe(before);
});

test('a name that no topology can have is refused', async () => {
  await expect(topologyFrom(report, '--out', dir, '--name', '../x')).rejects.toThrow(
    'is no name of a topology',
  );
});
