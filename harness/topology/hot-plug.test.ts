import { describe, expect, it } from 'vitest';
import { UsageError } from '../base/errors.js';
import { hotAddCommands, hotRemoveCommands, planHotDevice, slotPowerFile } from './hot-plug.js';
import { loadTopology } from './load.js';

const plan = await loadTopology('hot-plug');
const device = { id: 'extra', port: 'rp1', volatile: 256 * 2 ** 20 };

describe('a device to hot-add', () => {
  it('becomes its backend, then itself, with the serial as a number as QMP demands', () => {
    const planned = planHotDevice({ ...device, serial: 77 }, plan);
    expect(hotAddCommands(planned, 3)).toEqual([
      {
        execute: 'object-add',
        arguments: { 'qom-type': 'memory-backend-ram', id: 'extra-volatile-3', size: 268435456 },
      },
      {
        execute: 'device_add',
        arguments: {
          driver: 'cxl-type3',
          id: 'extra',
          bus: 'rp1',
          sn: 77,
          'volatile-memdev': 'extra-volatile-3',
        },
      },
    ]);
    expect(hotRemoveCommands(planned)).toEqual([{ execute: 'device_del', arguments: { id: 'extra' } }]);
  });

  it('gets a serial of its own, the same every time, when it states none', () => {
    const first = planHotDevice(device, plan);
    const second = planHotDevice({ ...device, id: 'other', port: 'rp2' }, plan);
    expect(planHotDevice(device, plan).serial).toBe(first.serial);
    const serials = [...plan.devices.map(({ serial }) => serial), first.serial, second.serial];
    expect(new Set(serials).size).toBe(3);
  });

  it('may be one that was there at boot and was removed', () => {
    expect(planHotDevice({ ...device, id: 'mem0', port: 'rp0' }, plan).id).toBe('mem0');
  });

  it.each([
    ['an unknown port', { port: 'rp7' }, /no port rp7/],
    ['an id like an option', { id: 'a,b' }, /not an id/],
    ['the id of a port', { id: 'rp2' }, /another part/],
    ['a size that leaves no memdev', { volatile: 100 }, /volatile: 100 is no multiple of 256M/],
    ['persistent capacity without labels', { persistent: 2 ** 28 }, /needs label storage/],
    ['a serial that another device has', { serial: 1 }, /mem0 has serial 1 too/],
    ['serial 0', { serial: 0 }, /no whole number above 0/],
  ])('is refused with %s', (_what, change, message) => {
    expect(() => planHotDevice({ ...device, ...change }, plan)).toThrow(UsageError);
    expect(() => planHotDevice({ ...device, ...change }, plan)).toThrow(message);
  });
});

it("leads from a port to its slot's power file in the guest", () => {
  expect(slotPowerFile('rp2', plan)).toBe('/sys/bus/pci/slots/3/power');
  expect(() => slotPowerFile('rp22', plan)).toThrow(UsageError);
});
