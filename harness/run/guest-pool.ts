import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readState, type State } from '../abi/index.js';
import { RigError } from '../base/errors.js';
import { startGuest, type RunningGuest } from '../guest/index.js';
import type { ScenarioCase } from '../scenario/index.js';
import type { Briefing } from './briefing.js';
import { fits, type HeldMachine } from './machine-group.js';
import type { PlannedCase } from './planned-case.js';

/** A guest lent to a case. */
export interface LentGuest {
  readonly guest: RunningGuest;
  /** the newest snapshot of it, which the case must leave behind, whatever things are called by then */
  readonly state: State;
  /** it was not started for this case */
  readonly reused: boolean;
  /** cases that have done something in it */
  readonly casesBefore: number;
}

export interface GuestPool {
  /**
   * A guest in its boot state for the case: the one at hand when it is the right machine and clean, else a new one.
   * @param order.fresh it must be one that nobody has used
   */
  lend(planned: PlannedCase, scenarioCase: ScenarioCase, order: LendOrder): Promise<LentGuest>;
  /** starts the guest of a case that comes after the one which is under way */
  prepare(planned: PlannedCase, scenarioCase: Pick<ScenarioCase, 'cmdline'>): void;
  /**
   * Takes it back; a guest that is not clean, or that a case had for its own and has used, is ended.
   * @param guest.state as the case left it: what is there as it was before may have other names, of which the next case
   *   must not find the old ones
   */
  giveBack(guest: { readonly clean: boolean; readonly used: boolean; readonly state?: State }): Promise<void>;
  /** what it has at hand */
  held(): HeldMachine | undefined;
}

/** What a pool does to a machine; tests put their own in its place. */
export interface GuestMaker {
  readonly start: typeof startGuest;
  readonly read: (guest: RunningGuest) => Promise<State>;
}

export interface LendOrder {
  readonly fresh: boolean;
  /** called when a new guest is about to start */
  readonly onBoot: () => void;
}

interface Held {
  readonly machine: Omit<HeldMachine, 'isUnused'>;
  readonly guest: RunningGuest;
  state: State;
  /** the case that has it wants it for its own: when it has used it, no other gets it */
  isOwn: boolean;
  cases: number;
}

const REAL: GuestMaker = { start: startGuest, read: readState };

/** A worker's pool: one guest at a time, kept from case to case for as long as it is clean. */
export function makeGuestPool(
  briefing: Pick<Briefing, 'bootables' | 'runDir' | 'accelerator'>,
  { start, read }: GuestMaker = REAL,
): GuestPool {
  let held: Held | undefined;
  let ready: Promise<Held> | undefined;
  let boots = 0;

  let ending: Promise<void> = Promise.resolve();

  /** The next guest need not wait for the last one's QEMU to quit, but for all that came before it. */
  const end = async (): Promise<void> => {
    const guest = held?.guest;
    held = undefined;
    await ending;
    if (guest) ending = guest.stop();
    ending.catch(() => undefined);
  };

  const heldMachine = (): HeldMachine | undefined => held && { ...held.machine, isUnused: held.cases === 0 };

  const begin = async (
    { kernel, machineKey, coldReason, isOwn, machine }: PlannedCase,
    { cmdline }: Pick<ScenarioCase, 'cmdline'>,
  ): Promise<Held> => {
    const bootable = briefing.bootables.find((one) => one.kernel.profile === kernel);
    if (!bootable) throw new RigError('kernel', `kernel ${kernel} was not prepared for this run`);
    const dir = join(briefing.runDir, 'guests', `${process.pid}-${(boots += 1)}`);
    await mkdir(dir, { recursive: true });
    const guest = await start(
      {
        kernel: bootable.kernel,
        initramfs: bootable.initramfs,
        machine,
        cmdline,
        accelerator: briefing.accelerator,
        dir,
      },
      { cold: coldReason },
    );
    const isCold = guest.start.how === 'cold';
    return { machine: { kernel, machineKey, isCold }, guest, state: await read(guest), isOwn, cases: 0 };
  };

  /** The guest that was made ready, if the case can use it; else it is ended. One that did not come up is begun again. */
  const takeReady = async (planned: PlannedCase): Promise<Held | undefined> => {
    const waited = await ready?.catch(() => undefined);
    ready = undefined;
    if (!waited || fits(planned, { ...waited.machine, isUnused: true })) return waited;
    await waited.guest.stop();
    return undefined;
  };

  return {
    prepare(planned, scenarioCase) {
      ready ??= begin(planned, scenarioCase);
      ready.catch(() => undefined);
    },
    async lend(planned, scenarioCase, { fresh, onBoot }) {
      const { isOwn } = planned;
      const machine = heldMachine();
      if (held && machine && fits(planned, machine) && (machine.isUnused || !fresh)) {
        held.isOwn = isOwn;
        return { guest: held.guest, state: held.state, reused: true, casesBefore: held.cases };
      }
      await end();
      onBoot();
      held = { ...((await takeReady(planned)) ?? (await begin(planned, scenarioCase))), isOwn };
      return { guest: held.guest, state: held.state, reused: false, casesBefore: 0 };
    },
    async giveBack({ clean, used, state }) {
      if (held && used) held.cases += 1;
      if (held && state) held.state = state;
      if (!clean || (used && held?.isOwn)) await end();
    },
    held: heldMachine,
  };
}
