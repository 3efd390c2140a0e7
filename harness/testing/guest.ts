import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { startGuest, type GuestSpec, type RunningGuest } from '../guest/index.js';
import { loadTopology } from '../topology/index.js';
import { bootableStock } from './stock.js';

/** An empty folder that is gone when the test is over. */
export async function testFolder(): Promise<string> {
  const dir = await newFolder();
  onTestFinished(() => removeFolder(dir));
  return dir;
}

/** What boots the stock kernel on one of the shipped topologies, in a folder that is gone when the test is over. */
export async function testSpec(topology: string, changes: Partial<GuestSpec> = {}): Promise<GuestSpec> {
  return { ...(await specFor(topology, await testFolder())), ...changes };
}

/** A booted guest on one of the shipped topologies, which ends with the test. */
export async function testGuest(topology: string, changes: Partial<GuestSpec> = {}): Promise<RunningGuest> {
  const guest = await startGuest(await testSpec(topology, changes));
  onTestFinished(() => guest.stop());
  return guest;
}

/**
 * A guest that all tests of the file (or the `describe`) share.
 * @returns what gives the guest inside a test
 */
export function sharedGuest(topology: string): () => RunningGuest {
  let dir: string | undefined;
  let guest: RunningGuest | undefined;
  beforeAll(async () => {
    dir = await newFolder();
    guest = await startGuest(await specFor(topology, dir));
  });
  afterAll(async () => {
    await guest?.stop();
    if (dir) await removeFolder(dir);
  });
  return () => {
    if (!guest) throw new Error('the shared guest is there only inside tests');
    return guest;
  };
}

async function specFor(topology: string, dir: string): Promise<GuestSpec> {
  const [bootable, machine] = await Promise.all([bootableStock(), loadTopology(topology)]);
  return { ...bootable, machine, dir, cmdline: [], accelerator: 'tcg' };
}

function newFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'cxlrig-test-'));
}

function removeFolder(dir: string): Promise<void> {
  return rm(dir, { recursive: true, force: true });
}
