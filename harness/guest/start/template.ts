import { createHash } from 'node:crypto';
import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cached, contentKey, findCached, markUsed } from '../../base/cache/cache.js';
import { evictOldest } from '../../base/cache/cache-eviction.js';
import { RigError } from '../../base/errors.js';
import { argsWithoutDevices } from '../../topology/index.js';
import { orAbort } from '../../base/or-abort.js';
import type { BootOptions } from './boot.js';
import { bootDeadline } from './come-up.js';
import { CONSOLE_LOG, INITRD, templateArguments } from './command-line.js';
import { diagnoseBoot, INIT_STARTED, TEMPLATE_READY } from './diagnosis.js';
import { fillTemplateDir } from './guest-dir.js';
import type { GuestSpec } from '../guest.js';
import { startMachine, type Machine } from './machine.js';
import { startedAgain, unlessStalled } from './progress.js';
import type { Qmp } from '../transport/qmp.js';
import type { QemuVersion } from './qemu-version.js';

/**
 * A booted system that was saved before it had seen a CXL device, and goes on as often as it is resumed. The cache keeps
 * it; nobody writes to it.
 */
export interface Template {
  readonly dir: string;
  /** file with the state of CPUs and devices; the memory is in files of its own beside it */
  readonly state: string;
  /** what the boot left on the console */
  readonly console: string;
}

/** Kind of the cache's entries, which `cxlrig kernel clean` and eviction know them by. */
const KIND = 'templates';

const STATE = 'state';
const SEAL = 'template.json';

/** To be changed with the way templates are made: images/init, forget and resume are part of the image's own id. */
const LAYOUT = '1';

/** Space that templates may take, in bytes on the disk: some 20 of them. `$CXLRIG_TEMPLATES_MIB` says it in MiB. */
const ROOM = 4 * 2 ** 30;

/** To save 350 KB; on a host that is busy or has a slow disk. */
const SAVE_MS = 30_000;

/** QEMU saves the machine's memory by leaving it in its files, which are shared while a template is made. */
export const TEMPLATE_CAPABILITIES = { capabilities: [{ capability: 'x-ignore-shared', state: true }] };

/**
 * The template for the guest; one is made when the cache has none. Two that want the same: one makes it, the other waits.
 * @throws RigError, GuestDied as `bootGuest`
 */
export async function templateFor(
  spec: GuestSpec,
  qemu: QemuVersion,
  { signal, onStall }: Pick<BootOptions, 'signal' | 'onStall'> = {},
): Promise<Template> {
  const key = await templateKey(spec, qemu);
  const makeAgain = (draft: GuestSpec): Promise<void> =>
    startedAgain(() => makeTemplate(draft, qemu, signal), onStall);
  for (let made = 0; ; made += 1) {
    const found = await findTemplate(key);
    if (found) return found;
    // other runs, which make room for theirs, may have evicted it in the moment before it was found
    if (made === MOST_TRIES)
      throw new RigError('qemu', 'the template that was just made is not whole', undefined);
    // the seal vouches for it: to hash a gigabyte takes longer than to boot
    await cached(KIND, key, (draft) => makeAgain({ ...spec, dir: draft }), { digests: false });
    await evictOldest(KIND, { maxBytes: room(), keep: key });
  }
}

const MOST_TRIES = 3;

/** Removes the template, which does not do. Guests that were resumed from it live on. */
export async function discardTemplate({ dir }: Template): Promise<void> {
  await rm(dir, { recursive: true, force: true });
}

/** Waits until QEMU has written, or read, the state. */
export async function migrated(qmp: Qmp, what: string): Promise<void> {
  const deadline = performance.now() + SAVE_MS;
  for (;;) {
    const answer = (await qmp.execute('query-migrate')) as { status?: string; 'error-desc'?: string };
    if (answer.status === 'completed') return;
    if (answer.status === 'failed' || performance.now() > deadline) {
      throw new RigError(
        'qemu',
        `QEMU could not ${what}: ${answer['error-desc'] ?? answer.status ?? 'no answer'}`,
      );
    }
    await sleep(4);
  }
}

/** QMP arguments that name a file for a migration. */
export function migrationFile(filename: string): Record<string, unknown> {
  return {
    channels: [{ 'channel-type': 'main', addr: { transport: 'file', filename, offset: 0 } }],
  };
}

function room(): number {
  const mib = Number(process.env['CXLRIG_TEMPLATES_MIB']);
  return mib > 0 ? mib * 2 ** 20 : ROOM;
}

async function findTemplate(key: string): Promise<Template | undefined> {
  const dir = await findCached(KIND, key);
  if (dir === undefined) return undefined;
  const template = {
    dir,
    state: join(dir, STATE),
    console: await readFile(join(dir, CONSOLE_LOG), 'utf8').catch(() => ''),
  };
  if (await isSound(template)) {
    await markUsed(dir);
    return template;
  }
  await discardTemplate(template);
  return undefined;
}

/** What must be the same for a template to be the right one. */
async function templateKey(spec: GuestSpec, { binary, version }: QemuVersion): Promise<string> {
  const [kernel, image] = await Promise.all([identityOf(spec.kernel.image), identityOf(spec.initramfs)]);
  const args = templateArguments({
    ...spec,
    dir: '/',
    machine: { ...spec.machine, qemuArgs: [], devices: [] },
  });
  return contentKey(
    ...[LAYOUT, spec.kernel.id, kernel, image, binary, version],
    JSON.stringify([args, argsWithoutDevices(spec.machine)]),
  );
}

/** Of a file of the cache, whose content does not change: a stat does for a hash. */
async function identityOf(path: string): Promise<string> {
  const { size, mtimeMs } = await stat(path);
  return `${path} ${size} ${mtimeMs}`;
}

async function makeTemplate(spec: GuestSpec, qemu: QemuVersion, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await fillTemplateDir(spec);
  const machine = await startMachine(spec, qemu, templateArguments(spec));
  try {
    await orAbort(bootAndSave(machine, spec), signal);
  } finally {
    await machine.end();
  }
  await rm(join(spec.dir, INITRD));
  await seal(spec.dir);
}

async function bootAndSave(machine: Machine, spec: GuestSpec): Promise<void> {
  const { console, qmp } = machine;
  const timeoutMs = bootDeadline(spec);
  try {
    await unlessStalled(machine, spec.kernel.slowness, console.waitFor(INIT_STARTED, { timeoutMs }));
    await console.waitFor(TEMPLATE_READY, { timeoutMs });
  } catch (error) {
    throw diagnoseBoot(error, console.since(0), timeoutMs);
  }
  await qmp.execute('migrate-set-capabilities', TEMPLATE_CAPABILITIES);
  await qmp.execute('stop');
  await qmp.execute('migrate', migrationFile(STATE));
  await migrated(qmp, 'save the template');
}

interface Seal {
  /** sha256 of the state */
  readonly state: string;
  /** of each memory file: name, and when it was written last */
  readonly memory: Readonly<Record<string, number>>;
}

/** Writes down by what it is seen later that nobody has touched the template. */
async function seal(dir: string): Promise<void> {
  const memory: Record<string, number> = {};
  for (const name of (await readdir(dir)).filter(isMemoryFile)) {
    await chmod(join(dir, name), 0o400);
    memory[name] = (await stat(join(dir, name))).mtimeMs;
  }
  const sealed: Seal = { state: await hashOf(join(dir, STATE)), memory };
  await writeFile(join(dir, SEAL), JSON.stringify(sealed));
}

async function isSound({ dir, state }: Template): Promise<boolean> {
  try {
    const sealed = JSON.parse(await readFile(join(dir, SEAL), 'utf8')) as Seal;
    const times = await Promise.all(
      Object.entries(sealed.memory).map(
        async ([name, time]) => (await stat(join(dir, name))).mtimeMs === time,
      ),
    );
    return times.length > 0 && times.every(Boolean) && sealed.state === (await hashOf(state));
  } catch {
    return false;
  }
}

/** By the names that argsWithMemoryFiles gives them. */
function isMemoryFile(name: string): boolean {
  return name === 'ram' || /^node\d+-memory$/.test(name);
}

async function hashOf(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
}
