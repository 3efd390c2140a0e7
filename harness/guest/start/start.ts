import { dirname } from 'node:path';
import { discardCorrupt } from '../../base/cache/cache.js';
import { RigError } from '../../base/errors.js';
import { bootGuest, type BootOptions } from './boot.js';
import { GuestDied, type GuestSpec, type RunningGuest } from '../guest.js';
import { knownQemu, type QemuVersion } from './qemu-version.js';
import { Stalled } from './progress.js';
import { resumeGuest } from './resume.js';
import { discardTemplate, templateFor, type Template } from './template.js';
import { coldReason } from './resumable.js';

export interface StartOptions extends BootOptions {
  /** why this guest must boot, if it must */
  readonly cold?: string | undefined;
}

/**
 * A guest that answers, as soon as may be: resumed from a template, which is made when there is none, unless there is a reason
 * to boot it. When it can't be resumed it is booted; `start` of the guest tells.
 * @throws as `bootGuest`: nothing that goes wrong with a template is seen but by its cost
 * @throws RigError (host) when the guest did not come up and the cache's kernel or image is not what was put there
 */
export async function startGuest(spec: GuestSpec, options: StartOptions = {}): Promise<RunningGuest> {
  const stalls: string[] = [];
  const onStall = (where: string): void => void stalls.push(where);
  try {
    const guest = await resumeOrBoot(spec, { ...options, onStall });
    return stalls.length === 0 ? guest : { ...guest, start: { ...guest.start, stalls } };
  } catch (error) {
    options.signal?.throwIfAborted();
    await refuseCorrupt(spec, error);
    throw error;
  }
}

async function resumeOrBoot(spec: GuestSpec, options: StartOptions): Promise<RunningGuest> {
  const reason = options.cold ?? (await coldReason(spec));
  if (reason !== undefined) return withReason(await bootGuest(spec, options), { reason });
  const qemu = await knownQemu();
  const failure = await resumed(spec, qemu, options);
  if (!(failure instanceof Failure)) return failure;
  options.signal?.throwIfAborted();
  return withReason(await bootGuest(spec, options), { reason: failure.message, fellBack: true });
}

/** Templates that could not be made by this process, and why: the next guest need not wait for the same to happen. */
const failed = new Map<string, string>();

class Failure {
  constructor(readonly message: string) {}
}

async function resumed(
  spec: GuestSpec,
  qemu: QemuVersion,
  options: StartOptions,
): Promise<RunningGuest | Failure> {
  const subject = JSON.stringify([spec.kernel.image, spec.initramfs, spec.machine.id, spec.cmdline]);
  const known = failed.get(subject);
  if (known !== undefined) return new Failure(known);
  let template: Template;
  try {
    template = await templateFor(spec, qemu, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    // a second boot of the same would be waited for in vain
    await refuseCorrupt(spec, error);
    const why = `no template could be made: ${wordsOf(error)}`;
    failed.set(subject, why);
    return new Failure(why);
  }
  try {
    return await resumeGuest(spec, template, qemu, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    // a guest that does not go on may be bad luck; one that QEMU can't even load is not
    if (error instanceof RigError && error.stage === 'qemu') {
      await discardTemplate(template);
    }
    if (error instanceof Stalled) options.onStall?.(error.where);
    return new Failure(`the resumed guest did not come up: ${wordsOf(error)}`);
  }
}

/**
 * A guest that does not come up may have been given a kernel or an image that the disk has spoilt since it was made.
 * @throws RigError when it was
 */
async function refuseCorrupt(spec: GuestSpec, cause: unknown): Promise<void> {
  for (const file of [spec.kernel.image, spec.initramfs]) {
    const corrupt = await discardCorrupt(dirname(file));
    if (corrupt === undefined) continue;
    throw new RigError(
      'host',
      `${corrupt} is corrupt, so the guest did not come up; it was removed from the cache`,
      'run it again, and it is made anew; when that happens often, check the disk',
      [],
      { cause },
    );
  }
}

function wordsOf(error: unknown): string {
  if (error instanceof RigError && error.evidence.length > 0) {
    return `${error.message} (${error.evidence.slice(-2).join(' / ')})`;
  }
  if (error instanceof GuestDied) return `the guest died: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}

function withReason(guest: RunningGuest, why: Omit<RunningGuest['start'], 'how'>): RunningGuest {
  return { ...guest, start: { ...guest.start, ...why } };
}
