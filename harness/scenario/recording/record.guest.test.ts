import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bootGuest, type RunningGuest } from '../../guest/index.js';
import { writeRepro } from '../../report/repro/write.js';
import { fixtureCase } from '../../report/testing/fixture-run.js';
import { bootableStock } from '../../testing/stock.js';
import { loadTopology, type MachinePlan } from '../../topology/index.js';
import { draftText } from './draft.js';
import { startRecorder } from './recorder.js';

let dir: string;
let guest: RunningGuest;
let machine: MachinePlan;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cxlrig-record-'));
  const bootable = await bootableStock();
  machine = await loadTopology('one-volatile');
  guest = await bootGuest({ ...bootable, machine, cmdline: [], accelerator: 'tcg', dir });
});

afterAll(async () => {
  await guest.stop();
  await rm(dir, { recursive: true, force: true });
});

/** in the guest that the other tests use too, so each leaves it as it was */
describe('in a real guest', () => {
  test('repro.sh of a failing case fails the same way', async () => {
    await writeRepro(await fixtureCase('wrong-zone'), dir, dir);
    const script = await readFile(join(dir, 'repro.sh'));
    const { stdout, code } = await guest.exec('cat > /tmp/repro.sh; sh /tmp/repro.sh', {
      stdin: script,
      timeoutMs: 120_000,
    });
    expect(stdout.toString()).toContain('FAIL step 5: zone of memory blocks of region0: expected Normal');
    expect(code).toBe(1);
    await guest.reboot();
  });

  test('repro.sh of another machine says so and does nothing', async () => {
    await writeRepro(await fixtureCase('two-bridges'), dir, dir);
    const { stderr, code } = await guest.exec('cat > /tmp/repro.sh; sh /tmp/repro.sh', {
      stdin: await readFile(join(dir, 'repro.sh')),
      timeoutMs: 120_000,
    });
    expect([code, stderr.toString()]).toEqual([2, expect.stringContaining('no memdev with serial number 2')]);
  });

  test('a typed session becomes a scenario with what the kernel made of it', async () => {
    const recorder = await startRecorder(guest, machine);
    await recorder.type('cd /sys/bus/cxl/devices');
    await recorder.type('R=region0');
    recorder.remark('a region is born');
    await recorder.type('echo $R > decoder0.0/create_ram_region');
    const { errno } = await recorder.type('echo $R > /sys/bus/cxl/drivers/cxl_region/bind');
    expect(errno).toBe('ENXIO');
    await recorder.type('echo $R > decoder0.0/delete_region');
    expect(recorder.steps).toEqual([
      {
        name: 'a region is born',
        write: { path: '/sys/bus/cxl/devices/decoder0.0/create_ram_region', value: 'region0' },
      },
      {
        expect: {
          region: expect.objectContaining({ name: 'region0', committed: false, driver: null }) as object,
        },
      },
      { write: { path: '/sys/bus/cxl/drivers/cxl_region/bind', value: 'region0' }, fails: 'ENXIO' },
      { write: { path: '/sys/bus/cxl/devices/decoder0.0/delete_region', value: 'region0' } },
      { expect: { region: { name: 'region0', exists: false } } },
    ]);
    const text = await draftText(
      { topology: 'one-volatile', description: 'Recorded.', steps: recorder.steps },
      join(dir, 'draft.yaml'),
    );
    expect(text).toContain(
      '  - write: { path: /sys/bus/cxl/drivers/cxl_region/bind, value: region0 }\n    fails: ENXIO\n',
    );
  });
});
