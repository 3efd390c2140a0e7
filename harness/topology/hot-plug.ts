import { nameHint } from '../base/document/did-you-mean.js';
import { UsageError } from '../base/errors.js';
import { capacityFaults, type Capacity } from './capacity.js';
import { ID } from './language.js';
import type { MachinePlan, PlannedDevice } from './plan.js';
import { typeThree } from './qemu-args.js';

/** A QMP command. */
export interface QmpCommand {
  readonly execute: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** A device that a scenario wants to plug into a running machine; sizes in bytes. */
export interface HotDevice extends Capacity {
  readonly id: string;
  readonly port: string;
  readonly serial?: number | undefined;
}

/** Serials of hot-added devices that state none: above those of the devices at boot, one a port. */
const FIRST_HOT_SERIAL = 0x1000;

/**
 * The device as it will be once plugged in, checked by the rules for devices at boot. Whether the port is free now
 * is QEMU's to say: the plan knows only the beginning.
 * @throws UsageError
 */
export function planHotDevice(device: HotDevice, plan: MachinePlan): PlannedDevice {
  const refuse = (message: string, hint?: string): never => {
    throw new UsageError(`hot-add of ${device.id}: ${message}`, hint);
  };
  if (!ID.test(device.id)) refuse('not an id: lower-case letters, digits and -, a letter first');
  const used = [plan.hostBridges, plan.ports].flat().map(({ id }) => id);
  if (used.includes(device.id)) refuse(`${plan.name} has another part of this id`);
  const port = plan.ports.find(({ id }) => id === device.port);
  const portIds = plan.ports.map(({ id }) => id);
  if (!port) return refuse(`there is no port ${device.port}`, nameHint(device.port, portIds, 'ports'));
  const [fault] = capacityFaults(device);
  if (fault) refuse([...fault.key, fault.message].join(': '), fault.hint);
  const { serial } = device;
  if (serial !== undefined && !(Number.isSafeInteger(serial) && serial > 0)) {
    refuse(`serial ${serial} is no whole number above 0`);
  }
  const other = plan.devices.find((one) => one.serial === serial && one.id !== device.id);
  if (other) refuse(`${other.id} has serial ${other.serial} too`);
  return {
    id: device.id,
    serial: serial ?? FIRST_HOT_SERIAL + port.slot,
    volatileBytes: device.volatile ?? 0,
    persistentBytes: device.persistent ?? 0,
    labelBytes: device.labels ?? 0,
    ...(device.dynamic ? { dynamic: { bytes: device.dynamic.size, regions: device.dynamic.regions } } : {}),
    port: port.id,
    hostBridge: port.hostBridge,
  };
}

/**
 * The QMP commands that plug it in, in order.
 * @param attempt a number never used before for this id in this QEMU: QEMU 10.0 keeps the backends of an unplugged
 * CXL device for ever, so that their ids can't be used again
 */
export function hotAddCommands(device: PlannedDevice, attempt = 0): QmpCommand[] {
  const parts = typeThree(device, `-${attempt}`);
  return [
    ...parts.objects.map((object) => ({ execute: 'object-add', arguments: object })),
    { execute: 'device_add', arguments: parts.device },
  ];
}

/**
 * The QMP command that asks the guest to let go of it, which takes 5 s: the attention button's grace time. QEMU sends
 * no DEVICE_DELETED for a CXL device: it is gone when `qom-list /machine/peripheral` does not show it any more.
 */
export function hotRemoveCommands(device: Pick<PlannedDevice, 'id'>): QmpCommand[] {
  return [{ execute: 'device_del', arguments: { id: device.id } }];
}

/** The quicker way, from inside: the file in the guest to which `0` is written to power the device's slot off. */
export function slotPowerFile(port: string, plan: MachinePlan): string {
  const found = plan.ports.find(({ id }) => id === port);
  if (!found) {
    const portIds = plan.ports.map(({ id }) => id);
    throw new UsageError(`${plan.name} has no port ${port}`, nameHint(port, portIds, 'ports'));
  }
  return `/sys/bus/pci/slots/${found.slot}/power`;
}
