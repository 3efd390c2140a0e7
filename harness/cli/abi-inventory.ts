import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  documentationOf,
  parseDocumentation,
  takeInventory,
  type Documentation,
} from '../abi/inventory/index.js';
import { RigError, UsageError } from '../base/errors.js';
import type { Progress } from '../base/progress.js';
import { temporaryFolder } from '../base/owner.js';
import { bootGuest, chooseAccelerator, GuestDied, GuestTimeout } from '../guest/index.js';
import { readSourceFiles, type Profile, type ResolvedKernel } from '../kernel/index.js';
import { ABI_VERSION, type AbiReport } from '../report/abi/report.js';
import { prepareBootable } from '../run/prepare.js';
import { loadTopology } from '../topology/index.js';

/** Where kernel developers keep what they promise: `obsolete` is still promised, `removed` is not. */
const PROMISES = ['stable', 'testing', 'obsolete'];
const ABI_FOLDER = 'Documentation/ABI';

export interface InventoryOptions {
  readonly topology: string;
  readonly accel?: 'tcg' | 'kvm';
  /** a kernel tree whose Documentation/ABI is taken instead of that of the kernel's own sources */
  readonly documentation?: string;
  readonly mirror?: string;
}

/**
 * Boots a kernel and lists the attributes that it offers, with where each is documented.
 * @throws UsageError for an unknown topology or a folder without documentation
 * @throws RigError when the kernel can't be had or booted, or dies of it; whatever the signal's reason is
 */
export async function inventoryOf(
  profile: Profile,
  options: InventoryOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<AbiReport> {
  const { mirror } = options;
  const machine = await loadTopology(options.topology);
  const given =
    options.documentation === undefined ? undefined : await documentationIn(options.documentation);
  const bootable = await prepareBootable(profile, { progress, mirror, signal });
  const { kernel } = bootable;
  const documented = given ?? (await documentationOfSources(profile, kernel, { progress, mirror, signal }));
  const { accelerator } = await chooseAccelerator(options.accel);
  const dir = await temporaryFolder('abi');
  try {
    progress({ task: `boot ${kernel.release} on ${machine.name}` });
    const guest = await bootGuest({ ...bootable, machine, cmdline: [], accelerator, dir }, { signal });
    const kill = (): void => void guest.stop();
    signal.addEventListener('abort', kill);
    try {
      const inventory = await takeInventory(guest, machine, (moment) =>
        progress({ task: `list the attributes of ${kernel.release}`, detail: moment }),
      );
      return report(kernel, machine.name, inventory, documented);
    } catch (error) {
      signal.throwIfAborted();
      throw asRigError(error, kernel);
    } finally {
      signal.removeEventListener('abort', kill);
      await guest.stop();
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function asRigError(error: unknown, { release }: ResolvedKernel): unknown {
  const meanwhile = `while the attributes of ${release} were listed`;
  if (error instanceof GuestDied) {
    const { message, console } = error.death;
    return new RigError('qemu', `the guest died ${meanwhile}: ${message}`, undefined, console.slice(-20), {
      cause: error,
    });
  }
  if (error instanceof GuestTimeout) return new RigError('ssh', `${error.message} (${meanwhile})`);
  return error;
}

type Documented = { readonly of: string; readonly what: Documentation } | { readonly missing: string };

/** That the sources are not to be had is told beside the inventory: it is no reason to have none. */
async function documentationOfSources(
  profile: Profile,
  { release }: ResolvedKernel,
  options: { progress: Progress; mirror: string | undefined; signal: AbortSignal },
): Promise<Documented> {
  try {
    const folders = PROMISES.map((name) => `${ABI_FOLDER}/${name}`);
    const { label, files } = await readSourceFiles(profile, release, folders, options);
    const entries = [...files].flatMap(([path, text]) =>
      parseDocumentation(text, path.slice(ABI_FOLDER.length + 1)),
    );
    return { of: label, what: documentationOf(entries) };
  } catch (error) {
    if (!(error instanceof RigError || error instanceof UsageError)) throw error;
    return { missing: error.message };
  }
}

async function documentationIn(tree: string): Promise<Documented> {
  const top = [join(tree, ABI_FOLDER), join(tree, 'ABI'), tree].find((dir) =>
    existsSync(join(dir, 'testing')),
  );
  if (top === undefined) {
    throw new UsageError(`there is no ${ABI_FOLDER} in ${tree}`, 'give the top folder of kernel sources');
  }
  const entries = [];
  for (const promise of PROMISES) {
    for (const name of await readdir(join(top, promise)).catch((): string[] => [])) {
      entries.push(
        ...parseDocumentation(await readFile(join(top, promise, name), 'utf8'), `${promise}/${name}`),
      );
    }
  }
  return { of: tree, what: documentationOf(entries) };
}

function report(
  { profile, release, id, origin }: ResolvedKernel,
  topology: string,
  { attributes, moments, notReached }: Awaited<ReturnType<typeof takeInventory>>,
  documented: Documented,
): AbiReport {
  return {
    version: ABI_VERSION,
    kernel: { profile, release, id, origin },
    topology,
    moments: [...moments],
    notReached: [...notReached],
    documentation: 'what' in documented ? { of: documented.of } : { missing: documented.missing },
    attributes: attributes.map(({ aliases, example, ...attribute }) => {
      const file =
        'what' in documented ? documented.what.fileOf([attribute.path, example.path, ...aliases]) : undefined;
      return {
        ...attribute,
        modes: [...attribute.modes],
        on: [...attribute.on],
        example,
        ...(file !== undefined && { documented: file }),
      };
    }),
  };
}
