import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../base/errors.js';
import { chooseProfile } from '../kernel/index.js';
import type { CaseTrace } from '../trace/trace.js';
import { runAttempts } from '../run/attempts.js';
import type { Bootable, Briefing } from '../run/briefing.js';
import { recordedEvents } from '../run/case-events.js';
import { runCase, type Play } from '../run/case.js';
import { makeGuestPool, type GuestPool } from '../run/guest-pool.js';
import { machineOf, planCase } from '../run/plan.js';
import { prepareBootable } from '../run/prepare.js';
import type { ScenarioCase } from '../scenario/index.js';
import { KERNELS_USED, type SharedRun } from './shared.js';

/** What a worker of vitest has for all its tests: the run, its kernels, and the guest at hand. */
export interface Rig {
  /** Runs a case to its verdict; its trace is in the run's folder then. */
  run(scenarioCase: ScenarioCase, kernel: string | undefined, play?: Play): Promise<CaseTrace>;
  /** ends the guest that is at hand */
  close(): Promise<void>;
}

export function makeRig(shared: SharedRun | undefined): Rig {
  if (!shared)
    throw new Error(
      "vitest does not know of cxlrig: put into vitest.config.ts import { cxlrig } from 'cxlrig/vitest/plugin', and plugins: [cxlrig()]",
    );
  const { runDir, accelerator, qemuVersion } = shared;
  const bootables: Bootable[] = [];
  const briefing: Briefing = {
    runDir,
    accelerator,
    qemuVersion,
    bootables,
    keepOnFailure: false,
    evidence: false,
    retries: 0,
  };
  const pool: GuestPool = makeGuestPool(briefing);
  const taken = new Map<string, number>();

  const prepare = async (name: string): Promise<string> => {
    const profile = await chooseProfile({ profile: name });
    if (bootables.some(({ kernel }) => kernel.profile === profile.name)) return profile.name;
    const bootable = await prepareBootable(profile, {
      // the setup has shown it for the kernel that all tests have
      progress: ({ task, fraction }) => {
        if (fraction === undefined) process.stderr.write(`${task}\n`);
      },
      mirror: shared.mirror,
    });
    bootables.push(bootable);
    const dir = join(runDir, KERNELS_USED);
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, `${profile.name.replaceAll('/', '-')}.json`), JSON.stringify(bootable));
    return profile.name;
  };

  return {
    async run(scenarioCase, kernelName = shared.kernel, play) {
      const kernel = await withRemedy(prepare(kernelName));
      const machine = await withRemedy(machineOf(scenarioCase));
      // a test of vitest may be run again, and then has another place for what it leaves
      const key = kernelName === shared.kernel ? scenarioCase.id : `${scenarioCase.id} @${kernelName}`;
      const number = (taken.get(key) ?? 0) + 1;
      taken.set(key, number);
      const named = number === 1 ? scenarioCase : { ...scenarioCase, id: `${scenarioCase.id} #${number}` };
      const planned = planCase(named, kernel, machine, { isOneOfSeveral: kernelName !== shared.kernel });
      await mkdir(join(runDir, planned.artifacts), { recursive: true });
      const events = recordedEvents(runDir, planned, () => undefined);
      const run = { planned, scenarioCase: named, briefing, pool, emit: events.emit };
      // only vitest can run a test again
      const trace = await (play ? runCase({ ...run, play, attempt: 0 }) : runAttempts(run));
      events.close();
      return trace;
    },
    async close() {
      await pool.giveBack({ clean: false, used: false });
    },
  };
}

/** vitest prints the message of an error only. */
async function withRemedy<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof UsageError && error.remedy !== undefined) error.message += `\n${error.remedy}`;
    throw error;
  }
}
