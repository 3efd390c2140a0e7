import { mkdir } from 'node:fs/promises';
import { prepareGdb, type RunningGuest } from '../guest/index.js';
import type { RunEvent } from '../trace/trace.js';

/** Hands a guest to gdb while a case stands still in it. */
export interface CaseDebugger {
  /** called before each step; waits there where the person asked for it */
  beforeStep(id: string): Promise<void>;
  /** called when a step has failed and nothing has been cleaned up yet */
  afterFailure(): Promise<void>;
}

/** Times as long as usual that a line or an expectation may take when a person sits at its breakpoints. */
export const WITH_A_PERSON = 30;

/**
 * @param step where to stop; absent: where the case fails
 * @param dir folder of the case's artifacts, which gets a script for gdb
 */
export function caseDebugger(
  guest: RunningGuest,
  {
    step,
    dir,
    emit,
  }: { readonly step?: string | undefined; readonly dir: string; readonly emit: (event: RunEvent) => void },
): CaseDebugger {
  const halt = async (where: string): Promise<void> => {
    await mkdir(dir, { recursive: true });
    const command = await prepareGdb(guest, dir);
    const goesOn = guest.halt();
    const detail = `the guest is stopped ${where}; in another terminal: ${command}\n\`continue\` there goes on with the case, Ctrl-C here ends it`;
    emit({ type: 'guest', at: Date.now(), phase: 'kept', detail });
    await Promise.race([goesOn, guest.death]);
  };
  return {
    beforeStep: (id) => (id === step ? halt(`before step ${id}`) : Promise.resolve()),
    afterFailure: () => (step === undefined ? halt('where it failed') : Promise.resolve()),
  };
}
