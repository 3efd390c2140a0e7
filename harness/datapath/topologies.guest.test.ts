import { describe, expect, test } from 'vitest';
import { proveDataPath } from './index.js';
import { testFolder, testGuest } from '../testing/guest.js';
import type { RunningGuest } from '../guest/index.js';
import { findSplats } from '../verdict/index.js';
import {
  hotAddCommands,
  listTopologies,
  loadTopology,
  planHotDevice,
  withBackingFiles,
  type MachinePlan,
} from '../topology/index.js';

const SOON = { timeoutMs: 60_000 };

/** One line a memdev and a root decoder, in the words of the kernel's attributes; numbering of memN is not stable. */
const LOOK = `cd /sys/bus/cxl/devices 2>/dev/null || exit 0
for m in mem*; do [ -e "$m" ] || continue
  echo "memdev $(cat $m/serial) ram $(cat $m/ram/size) pmem $(cat $m/pmem/size) labels $(cat $m/label_storage_size)"
done
for d in decoder0.*; do [ -e "$d" ] || continue
  echo "$d $(cat $d/size) ways $(cat $d/interleave_ways) granularity $(cat $d/interleave_granularity) targets $(cat $d/target_list)"
done`;

/** Endpoints are there when the drivers have probed, which is later than boot. */
async function endpoints(guest: RunningGuest, count: number): Promise<void> {
  const wait = `for i in $(seq 300); do [ "$(ls -d /sys/bus/cxl/devices/endpoint* 2>/dev/null | wc -l)" -ge ${count} ] && exit 0; sleep 0.1; done; ls /sys/bus/cxl/devices >&2; exit 1`;
  const { code, stderr } = await guest.exec(wait, SOON);
  expect(code, `endpoints of ${count} devices, there is: ${stderr.toString()}`).toBe(0);
}

async function seen(guest: RunningGuest): Promise<string[]> {
  const { stdout } = await guest.exec(LOOK, SOON);
  return stdout.toString().trim().split('\n').filter(Boolean).sort();
}

function planned(plan: MachinePlan): string[] {
  const hex = (value: number): string => `0x${value.toString(16)}`;
  const uid = (id: string): number | undefined => plan.hostBridges.find((bridge) => bridge.id === id)?.uid;
  return [
    ...plan.devices.map(
      ({ serial, volatileBytes, persistentBytes, labelBytes }) =>
        `memdev ${hex(serial)} ram ${hex(volatileBytes)} pmem ${hex(persistentBytes)} labels ${labelBytes}`,
    ),
    ...plan.windows.map(
      ({ index, sizeBytes, granularity, targets }) =>
        `decoder0.${index} ${hex(sizeBytes)} ways ${targets.length} granularity ${granularity} targets ${targets.map(uid).join(',')}`,
    ),
  ].sort();
}

describe('a guest on a shipped topology', async () => {
  const shipped = await listTopologies();

  test.each(shipped.map(({ name }) => name))(
    'sees what the plan of %s says, boots clean, and finds all it writes again, also behind the devices',
    async (name) => {
      const folder = await testFolder();
      const plan = withBackingFiles(await loadTopology(name), folder);
      const guest = await testGuest(name, { machine: plan });
      await endpoints(guest, plan.devices.length);
      expect(await seen(guest)).toEqual(planned(plan));
      const trials = await proveDataPath(guest, plan, folder);
      expect(trials.flatMap(({ refused, lost }) => refused ?? lost)).toEqual([]);
      expect(findSplats(guest.console.since(0))).toEqual([]);
    },
  );
});

test('a device that is hot-added is seen with the serial and size that were planned', async () => {
  const guest = await testGuest('hot-plug');
  const plan = guest.spec.machine;
  await endpoints(guest, plan.devices.length);
  const device = planHotDevice({ id: 'extra', port: 'rp1', volatile: 256 * 2 ** 20 }, plan);
  for (const { execute, arguments: args } of hotAddCommands(device)) await guest.qmp(execute, args);
  await endpoints(guest, plan.devices.length + 1);
  expect(await seen(guest)).toEqual(planned({ ...plan, devices: [...plan.devices, device] }));
});
