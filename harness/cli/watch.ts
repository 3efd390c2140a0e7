import { watch, type FSWatcher } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UsageError } from '../base/errors.js';

/** What is looked at for changes. */
export interface Watched {
  /** files, and folders whose own files are meant */
  readonly places: readonly string[];
  /** sources: everything below them */
  readonly trees: readonly string[];
}

/** An editor writes a file in several goes, and a `git checkout` many of them. */
const QUIET_MS = 300;

/** Folders of a tree that nobody edits. */
const IGNORED = new Set(['.git', 'node_modules', '.cxlrig']);

/**
 * Waits until something changes, and then until nothing has for a moment.
 * @param ready called when every change is seen from now on
 * @returns the first name that changed; undefined when the signal aborted
 * @throws UsageError when the system has not as many watches as there are folders
 */
export async function nextChange(
  { places, trees }: Watched,
  signal: AbortSignal,
  ready: () => void,
): Promise<string | undefined> {
  const folders = new Map<string, Concern>();
  for (const place of places) await addPlace(place, folders);
  for (const tree of trees) for await (const folder of foldersBelow(tree)) folders.set(folder, anything);
  const watchers: FSWatcher[] = [];
  try {
    return await new Promise<string | undefined>((resolve, reject) => {
      let first: string | undefined;
      let quiet: NodeJS.Timeout | undefined;
      const changed = (folder: string, name: string | null): void => {
        if (name !== null && (IGNORED.has(name) || !folders.get(folder)?.(name))) return;
        first ??= join(folder, name ?? '');
        clearTimeout(quiet);
        quiet = setTimeout(() => resolve(first), QUIET_MS);
      };
      signal.addEventListener('abort', () => resolve(undefined), { once: true });
      if (signal.aborted) resolve(undefined);
      const failed = (error: Error): void => reject(tooMany(error));
      for (const folder of folders.keys()) {
        try {
          const watcher = watch(folder, (_, name) => changed(folder, name));
          watcher.on('error', failed);
          watchers.push(watcher);
        } catch (error) {
          failed(error as Error);
          return;
        }
      }
      ready();
    });
  } finally {
    for (const watcher of watchers) watcher.close();
  }
}

/** Whether a file of a folder is of interest. */
type Concern = (name: string) => boolean;

const anything: Concern = () => true;

/** A file is often replaced by its editor, so it is its folder that is watched; with it what it may name, which lies beside it. */
async function addPlace(path: string, folders: Map<string, Concern>): Promise<void> {
  if ((await stat(path)).isDirectory()) return void folders.set(path, anything);
  const [folder, own] = [dirname(path), basename(path)];
  const others = folders.get(folder);
  folders.set(folder, (name) => name === own || /\.ya?ml$/.test(name) || (others?.(name) ?? false));
}

async function* foldersBelow(folder: string): AsyncGenerator<string> {
  yield folder;
  for (const entry of await readdir(folder, { withFileTypes: true }))
    if (entry.isDirectory() && !IGNORED.has(entry.name)) yield* foldersBelow(join(folder, entry.name));
}

function tooMany(error: Error): Error {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ENOSPC' && code !== 'EMFILE') return error;
  return new UsageError(
    'the system lets nobody watch so many folders',
    'raise fs.inotify.max_user_watches and max_user_instances by sysctl',
    { cause: error },
  );
}
