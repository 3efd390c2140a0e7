import { randomUUID } from 'node:crypto';
import type { GuestShell } from '../../guest/guest.js';
import type { MachinePlan, PlannedDevice } from '../../topology/plan.js';
import { driverLine, loadModuleLine, writeLine, memoryBlocks, type ShLine } from '../lines.js';
import { readState } from '../observe.js';
import { createRegionLines, nextRegionLine } from '../region-lines.js';
import type { State } from '../state.js';
import { typeLines } from '../typing.js';
import { mergeAttributes, parseInventory, type Attribute } from './inventory.js';
import { inventoryScript } from './script.js';

/** The attributes of a kernel, and how they were brought about. */
export interface Inventory {
  readonly attributes: readonly Attribute[];
  /** the moments at which they were listed, in words */
  readonly moments: readonly string[];
  /** what was tried in vain, with the kernel's answer: attributes may be missing for it */
  readonly notReached: readonly string[];
}

const READ_MS = 120_000;
const TYPE_MS = 60_000;
/** A region's devices come by asynchronous probes; a driver that makes none is not waited for longer. */
const PROBE_MS = 8_000;
const LOOK_AGAIN_MS = 200;
const MIB = 2 ** 20;
/** What a device gives to a region: regions are made of whole 256 MiB. */
const SHARE = 256 * MIB;

const MODULES = ['kmem', 'device_dax', 'fsdev_dax', 'dax_pmem', 'nd_pmem', 'cxl_pmem'];

/**
 * Lists the attributes of the cxl, dax, nd and memory buses in a freshly booted guest: after boot, and with a region of
 * each kind bound to each driver that takes it, its dax device bound to each driver of the dax bus, and a namespace of
 * persistent memory. Memory stays offline, so that everything can be taken apart again.
 * @throws GuestTimeout, GuestDied
 */
export async function takeInventory(
  guest: GuestShell,
  plan: MachinePlan,
  progress: (moment: string) => void = () => undefined,
): Promise<Inventory> {
  const attributes: Attribute[] = [];
  const moments: string[] = [];
  const notReached: string[] = [];
  const visit: Visit = {
    guest,
    plan,
    async look(moment) {
      progress(moment);
      const { stdout } = await guest.type(inventoryScript(), { timeoutMs: READ_MS });
      attributes.push(...parseInventory(stdout.toString('utf8')));
      moments.push(moment);
    },
    async type(...lines) {
      const typed = await typeLines(guest, lines, { timeoutMs: TYPE_MS });
      const failed = typed.find(({ code }) => code !== 0);
      if (failed) notReached.push(`${failed.text}: ${failed.errno ?? `exit ${failed.code}`}`);
      return failed ? undefined : typed.map(({ stdout }) => stdout.trim());
    },
    lacks: (what) => void notReached.push(what),
  };
  await visit.look('after boot');
  await typeLines(
    guest,
    MODULES.map((name) => loadModuleLine(name)),
    { timeoutMs: TYPE_MS, keepGoing: true },
  );
  await visit.type(writeLine(`${memoryBlocks}/auto_online_blocks`, 'offline'));
  // a device hands out its volatile capacity before the persistent one
  for (const mode of ['ram', 'pmem'] as const) await visitRegion(mode, visit);
  return { attributes: mergeAttributes(attributes), moments, notReached };
}

interface Visit {
  readonly guest: GuestShell;
  readonly plan: MachinePlan;
  /** lists the attributes as they are now */
  readonly look: (moment: string) => Promise<void>;
  /** @returns what the lines printed; undefined when one failed, which is noted */
  readonly type: (...lines: ShLine[]) => Promise<string[] | undefined>;
  readonly lacks: (what: string) => void;
}

async function visitRegion(mode: 'ram' | 'pmem', visit: Visit): Promise<void> {
  const { guest, plan, look, type } = visit;
  const state = await readState(guest);
  const place = placeOf(mode, plan, state);
  if (!place) {
    visit.lacks(`the topology ${plan.name} has no ${mode} capacity for a region`);
    return;
  }
  const offered = await type(nextRegionLine(place.rootDecoder, mode));
  const region = offered?.[0] ?? '';
  const created =
    offered &&
    (await type(
      ...createRegionLines(region, {
        ...place,
        mode,
        ...(mode === 'pmem' && { uuid: randomUUID() }),
        ways: place.targets.length,
        size: SHARE * place.targets.length,
      }),
    ));
  if (!created) return;
  await look(`with a ${mode} region`);
  for (const driver of await bindable('cxl', /region/, visit)) {
    const bound = await typeLines(guest, [driverLine('cxl', driver, 'bind', region)], { timeoutMs: TYPE_MS });
    // a driver for regions of the other kind refuses this one: no attribute is missing for it
    if (bound.some(({ code }) => code !== 0)) continue;
    const after = await settled(guest, region);
    await look(`with a ${mode} region bound to ${driver}`);
    await visitDaxDevices(after, region, driver, visit);
    if (mode === 'pmem') await visitNamespaces(visit);
    await type(driverLine('cxl', driver, 'unbind', region));
  }
}

/** One device below each host bridge of a window, with as much of the capacity as a region takes of it. */
function placeOf(
  mode: 'ram' | 'pmem',
  plan: MachinePlan,
  state: State,
): { rootDecoder: string; granularity: number; targets: { decoder: string; dpaSize: number }[] } | undefined {
  for (const window of plan.windows) {
    const devices = window.targets.map((bridge) =>
      plan.devices.find((device) => device.hostBridge === bridge && capacity(device, mode) >= SHARE),
    );
    const decoders = devices.map((device) => device && freeDecoder(device, state));
    if (decoders.length === 0 || decoders.includes(undefined)) continue;
    return {
      rootDecoder: `decoder0.${window.index}`,
      granularity: window.granularity,
      targets: decoders.flatMap((decoder) => (decoder === undefined ? [] : [{ decoder, dpaSize: SHARE }])),
    };
  }
  return undefined;
}

function capacity(device: PlannedDevice, mode: 'ram' | 'pmem'): number {
  return mode === 'ram' ? device.volatileBytes : device.persistentBytes;
}

function freeDecoder({ serial }: PlannedDevice, state: State): string | undefined {
  const memdev = Object.entries(state.memdevs).find(([, one]) => one.serial === serial)?.[0];
  return Object.entries(state.decoders)
    .filter(([, decoder]) => memdev !== undefined && decoder.memdev === memdev && !decoder.dpaSize)
    .map(([name]) => name)
    .sort()[0];
}

/** Drivers that can be asked to take a device. */
async function bindable(bus: 'cxl' | 'dax', pattern: RegExp, { guest }: Visit): Promise<string[]> {
  const { stdout } = await guest.type(`ls -d /sys/bus/${bus}/drivers/*/bind`, { timeoutMs: TYPE_MS });
  const names = stdout
    .toString('utf8')
    .split('\n')
    .flatMap((path) => path.split('/').at(-2) ?? []);
  return names.filter((name) => pattern.test(name));
}

/** The state when the region's dax device or libnvdimm region is there and driven, or nothing came for long enough. */
async function settled(guest: GuestShell, region: string): Promise<State> {
  const deadline = performance.now() + PROBE_MS;
  for (;;) {
    const state = await readState(guest);
    const dax = Object.values(state.daxDevices).find((device) => device.region === region);
    const nd = Object.entries(state.ndRegions).find(([, one]) => one.region === region)?.[0];
    const isDriven =
      (dax !== undefined && (dax.driver !== 'kmem' || dax.state !== undefined)) ||
      (nd !== undefined && state.bindings.nd[nd] !== null);
    if (isDriven || performance.now() > deadline) return state;
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

/** Binds the region's dax devices to each driver of their bus, and leaves them without one. */
async function visitDaxDevices(state: State, region: string, owner: string, visit: Visit): Promise<void> {
  for (const [device, { driver, region: where }] of Object.entries(state.daxDevices)) {
    if (where !== region) continue;
    if (driver !== null && !(await visit.type(driverLine('dax', driver, 'unbind', device)))) return;
    for (const next of await bindable('dax', /./, visit)) {
      if (next === driver) continue;
      const hasId = await bindDax(device, next, visit);
      if (hasId === undefined) continue;
      await visit.look(`with the dax device of ${owner} bound to ${next}`);
      await visit.type(
        driverLine('dax', next, 'unbind', device),
        ...(hasId ? [driverLine('dax', next, 'remove_id', device)] : []),
      );
    }
  }
}

/**
 * Binds a dax device to a driver. Some take any device when asked; device_dax only one that it was told of, which
 * binds it too, unless the device waits to be bound (then it must be asked again).
 * @returns whether the driver was told of the device; undefined when it does not take it, which is noted
 */
async function bindDax(device: string, driver: string, { guest, type }: Visit): Promise<boolean | undefined> {
  const bind = driverLine('dax', driver, 'bind', device);
  const asked = await typeLines(guest, [bind], { timeoutMs: TYPE_MS });
  if (asked.every(({ code }) => code === 0)) return false;
  if (!(await type(driverLine('dax', driver, 'new_id', device)))) return undefined;
  const isBound = await guest.type(`[ -e /sys/bus/dax/drivers/${driver}/${device} ]`, { timeoutMs: TYPE_MS });
  if (isBound.code === 0 || (await type(bind))) return true;
  await type(driverLine('dax', driver, 'remove_id', device));
  return undefined;
}

async function visitNamespaces({ look, type }: Visit): Promise<void> {
  for (const mode of ['fsdax', 'devdax']) {
    if (!(await type({ text: `ndctl create-namespace -m ${mode}` }))) continue;
    await look(`with a ${mode} namespace`);
    await type({ text: 'ndctl destroy-namespace -f all' });
  }
}
