import { copyFile, mkdtemp, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { RigError, UsageError } from '../../base/errors.js';
import { git, type GitContext } from './depot.js';
import type { Patch } from './series.js';
import type { SourceTree } from './source-tree.js';

/**
 * Applies a series to sources as strictly as `git am`: in order, without fuzz, all or nothing. Only an index is
 * touched, so no half-patched file ever exists.
 *
 * @returns the name of the git tree after each patch, in order
 * @throws UsageError showing the patch and the hunk that does not apply
 */
export async function applySeries(source: SourceTree, patches: readonly Patch[]): Promise<readonly string[]> {
  if (patches.length === 0) return [];
  const work = await mkdtemp(join(source.depot.scratch, 'series-'));
  const context: GitContext = {
    index: join(work, 'index'),
    alternates: source.alternates,
    purpose: `apply patches to ${source.label}`,
  };
  try {
    if (source.pristine) await copyFile(source.pristine.index, join(work, 'index'));
    else await git(source.depot, ['read-tree', source.tree], context);
    await storePristine(
      source,
      patches.flatMap(({ touches }) => touches),
    );
    const trees: string[] = [];
    for (const [index, patch] of patches.entries()) {
      await applyPatch(source, patches, index, context);
      const tree = await git(source.depot, ['write-tree', '--missing-ok'], {
        ...context,
        purpose: `name the sources after ${patch.name}`,
      });
      trees.push(tree.toString().trim());
    }
    return trees;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Puts files of an unpacked copy into the depot, where git can patch them and check them out. */
export async function storePristine(source: SourceTree, paths: readonly string[]): Promise<void> {
  if (!source.pristine || paths.length === 0) return;
  const context = {
    index: source.pristine.index,
    workTree: source.pristine.dir,
    purpose: 'read files of the sources',
  };
  const wanted = new Set(paths);
  const listed = await git(source.depot, ['ls-files', '-z', '--stage'], context);
  const entries = listed
    .toString()
    .split('\0')
    .map((entry) => ({ mode: entry.slice(0, 6), path: entry.slice(entry.indexOf('\t') + 1) }))
    .filter(({ path }) => wanted.has(path));
  const files = entries.filter(({ mode }) => mode.startsWith('100')).map(({ path }) => path);
  if (files.length > 0) {
    await git(source.depot, ['hash-object', '-w', '--no-filters', '--stdin-paths'], {
      ...context,
      input: `${files.join('\n')}\n`,
    });
  }
  for (const { path } of entries.filter(({ mode }) => mode === '120000')) {
    const input = await readlink(join(source.pristine.dir, path));
    await git(source.depot, ['hash-object', '-w', '--no-filters', '--stdin'], { ...context, input });
  }
}

async function applyPatch(
  source: SourceTree,
  patches: readonly Patch[],
  index: number,
  context: GitContext,
): Promise<void> {
  const patch = patches[index];
  if (!patch) return;
  const input = { ...context, input: patch.diff };
  try {
    await git(source.depot, ['apply', '--cached', '--whitespace=nowarn'], input);
  } catch (error) {
    if (!(error instanceof RigError) || error.stage === 'host') throw error;
    const already = await git(source.depot, ['apply', '--cached', '--check', '--reverse'], input).then(
      () => true,
      () => false,
    );
    throw refusal(source, patches, index, error.evidence, already);
  }
}

function refusal(
  source: SourceTree,
  patches: readonly Patch[],
  index: number,
  words: readonly string[],
  already: boolean,
): UsageError {
  const patch = patches[index];
  const { name = '', subject } = patch ?? {};
  const base = index === 0 ? source.label : `${source.label} with the ${index} before it`;
  const title = subject === undefined ? '' : ` ("${subject}")`;
  const which = patches.length === 1 ? '' : ` (patch ${index + 1} of ${patches.length})`;
  const reasons = words
    .map((line) => /^error: (.*)$/.exec(line)?.[1])
    .filter((reason) => reason !== undefined)
    .filter((reason) => !/: patch does not apply$/.test(reason));
  const hunks = reasons
    .map((reason) => /^patch failed: (.*):(\d+)$/.exec(reason))
    .filter((match) => match !== null)
    .map(([, file = '', line]) => hunkAt(patch?.diff.toString() ?? '', file, Number(line)));
  return new UsageError(
    [
      `${name}${title}${which} does not apply to ${base}`,
      ...reasons.map((reason) => `  ${reason}`),
      ...hunks,
    ].join('\n'),
    already
      ? 'its changes are in these sources already: leave it out'
      : `rebase the series, or give the tree that it was made for: ${source.flag ?? '--kernel-tree'} DIR`,
  );
}

/** The hunk of a diff that starts at this line of the old file, as it stands in the patch. */
export function hunkAt(diff: string, file: string, line: number): string {
  const lines = diff.split('\n');
  const section = lines.findIndex(
    (text) =>
      /^(---|\+\+\+) /.test(text) &&
      text
        .slice(4)
        .replace(/\t.*/, '')
        .replace(/^[^/]*\//, '') === file,
  );
  const start = lines.findIndex((text, at) => at > section && new RegExp(`^@@ -${line}[ ,]`).test(text));
  if (section < 0 || start < 0) return '';
  const length = lines.slice(start + 1).findIndex((text) => !/^[ +\-\\]/.test(text) || /^-- ?$/.test(text));
  return lines.slice(start, length < 0 ? undefined : start + 1 + length).join('\n');
}
