import { expect, test } from 'vitest';
import { formatKernelLog, parseKernelLog } from './kernel-log.js';

const KMSG = `13,499,857580583,-;cxlrig: mark-0123456789ab
13,500,857617592,-;cxlrig: echo 1 > /sys/bus/cxl/devices/region0/commit
6,501,857700001,-;cxl region0: mapped\\x5cline\\x0asecond
 SUBSYSTEM=cxl
 DEVICE=+cxl:region0
4,502,857700002,c;kmem dax0.0: Hotplug regions stuck online until reboot
`;

test('records of /dev/kmsg are told apart by who wrote them', () => {
  const records = parseKernelLog(KMSG);
  expect(records.map(({ sequence, facility, level }) => [sequence, facility, level])).toEqual([
    [500, 1, 5],
    [501, 0, 6],
    [502, 0, 4],
  ]);
});

test('they are printed as dmesg does', () => {
  expect(formatKernelLog(parseKernelLog(KMSG).slice(1))).toBe(
    '[  857.700001] cxl region0: mapped\\line\n' +
      '[  857.700001] second\n' +
      '[  857.700002] kmem dax0.0: Hotplug regions stuck online until reboot\n',
  );
});
