import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { silent } from '../../base/progress.js';
import { loadProfile } from '../profile.js';
import type { SourceTree } from '../sources/source-tree.js';
import { openSource } from '../sources/sources.js';

/** One commit: what becomes of one file. */
export interface Edit {
  readonly subject: string;
  readonly path: string;
  readonly change: (text: string) => string;
}

/**
 * A bare git repository whose first commit is the kernel source that a profile names, and whose others edit it.
 * Nothing but the edited files, as they were and as they become, is stored in it; the rest is where the sources were unpacked: to store a whole kernel
 * takes minutes.
 *
 * @returns the ids of the commits, the unchanged sources first
 */
export async function kernelRepository(
  dir: string,
  profile: string,
  edits: readonly Edit[],
): Promise<readonly string[]> {
  const { source } = await loadProfile(profile);
  return editedRepository(dir, await openSource(source, { progress: silent, mirror: undefined }), edits);
}

/** The same of any sources. */
export async function editedRepository(
  dir: string,
  { depot, tree: base, pristine }: SourceTree,
  edits: readonly Edit[],
): Promise<readonly string[]> {
  await mkdir(dir, { recursive: true });
  const git = async (args: readonly string[], input = ''): Promise<string> => {
    const identity = ['-c', 'user.name=A Developer', '-c', 'user.email=developer@example.org'];
    const { stdout } = await execa('git', [...identity, ...args], {
      cwd: dir,
      input,
      stripFinalNewline: true,
      env: { GIT_INDEX_FILE: join(dir, 'edits.index') },
    });
    return stdout;
  };
  await git(['init', '-q', '--bare', '.']);
  await writeFile(join(dir, 'objects/info/alternates'), `${join(depot.dir, 'objects')}\n`);
  await git(['read-tree', base]);
  const commits = [await git(['commit-tree', base], 'The sources as Debian has them\n')];
  const texts = new Map<string, string>();
  const original = async (path: string): Promise<string> => {
    if (!pristine)
      return (await execa('git', ['show', `${base}:${path}`], { cwd: dir, stripFinalNewline: false })).stdout;
    const file = join(pristine.dir, path);
    await git(['hash-object', '-w', '--no-filters', file]);
    return readFile(file, 'utf8');
  };
  for (const { subject, path, change } of edits) {
    const text = texts.get(path) ?? (await original(path));
    const changed = change(text);
    if (changed === text) throw new Error(`"${subject}" changes nothing in ${path}`);
    texts.set(path, changed);
    const blob = await git(['hash-object', '-w', '--stdin'], changed);
    await git(['update-index', '--cacheinfo', `100644,${blob},${path}`]);
    const tree = await git(['write-tree', '--missing-ok']);
    commits.push(await git(['commit-tree', tree, '-p', commits.at(-1) ?? ''], `${subject}\n`));
  }
  await git(['update-ref', 'refs/heads/main', commits.at(-1) ?? '']);
  await git(['symbolic-ref', 'HEAD', 'refs/heads/main']);
  return commits;
}
