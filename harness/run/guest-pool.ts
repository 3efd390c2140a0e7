import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readState, type State } from '../abi/index.js';
import { RigError } from '../base/errors.js';
import { startGuest, type RunningGuest } from '../guest/index.js';
import type { ScenarioCase } from '../scenario/index.js';
import { coldReason } from './boot-choice.js';
import type { Briefing } from './briefing.js';
import type { PlannedCase } from './plan.js';

/** A guest lent to a case. */
export interface LentGuest {
  readonly guest: RunningGuest;
  /** the state right after it came up, which every case must leave behind */
  readonly atBoot: State;
  readonly reused: boolean;
  readonly casesBefore: number;
}

export interface GuestPool {
  /**
   * A guest in its boot state for the case: the one at hand when it is the right machine and clean, else a new one.
   * @param order.fresh it must be a new one
   */
  lend(planned: PlannedCase, scenarioCase: ScenarioCase, order: LendOrder): Promise<LentGuest>;
  /** takes it back; a guest that is not clean, or that a case had for its own, is ended */
  giveBack(clean: boolean): Promise<void>;
}

export interface LendOrder {
  readonly fresh: boolean;
  /** called when a new guest is about to start */
  readonly onBoot: () => void;
}

interface Held {
  readonly machine: string;
  readonly guest: RunningGuest;
  readonly atBoot: State;
  /** the case wanted a guest of its own: no other gets it */
  readonly isOwn: boolean;
  cases: number;
}

let pool: GuestPool | undefined;

/** The worker's own pool: one guest at a time, kept over files and cases for as long as it is clean. */
export function guestPool(briefing: Briefing): GuestPool {
  pool ??= makePool(briefing);
  return pool;
}

function makePool(briefing: Briefing): GuestPool {
  let held: Held | undefined;
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

  return {
    async lend(planned, scenarioCase, { fresh, onBoot }) {
      const machine = machineKey(planned, scenarioCase);
      const cold = coldReason(scenarioCase, planned, briefing);
      const fits = cold === undefined || held?.guest.start.how === 'cold';
      if (held && !fresh && held.machine === machine && fits && scenarioCase.boot === 'any') {
        held.cases += 1;
        return { guest: held.guest, atBoot: held.atBoot, reused: true, casesBefore: held.cases - 1 };
      }
      await end();
      onBoot();
      const bootable = briefing.bootables.find(({ kernel }) => kernel.profile === planned.kernel);
      if (!bootable) throw new RigError('kernel', `kernel ${planned.kernel} was not prepared for this run`);
      const dir = join(briefing.runDir, 'guests', `${process.pid}-${(boots += 1)}`);
      await mkdir(dir, { recursive: true });
      const guest = await startGuest(
        {
          kernel: bootable.kernel,
          initramfs: bootable.initramfs,
          machine: planned.machine,
          cmdline: scenarioCase.cmdline,
          accelerator: briefing.accelerator,
          dir,
        },
        { cold },
      );
      const atBoot = await readState(guest);
      held = { machine, guest, atBoot, isOwn: scenarioCase.boot !== 'any', cases: 1 };
      return { guest, atBoot, reused: false, casesBefore: 0 };
    },
    async giveBack(clean) {
      if (!clean || held?.isOwn) await end();
    },
  };
}

function machineKey(planned: PlannedCase, scenarioCase: ScenarioCase): string {
  return JSON.stringify([planned.kernel, planned.machine.id, scenarioCase.cmdline]);
}
