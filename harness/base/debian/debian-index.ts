import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import lockfile from 'proper-lockfile';
import { INDEX_TARGET, modifiedAt, runApt, sourcesList, writeWhole, type AptRoot } from './apt-root.js';
import { RigError } from '../errors.js';
import type { Progress } from '../progress.js';

/**
 * Sees to it that there is an index, and that it is not too old if a mirror can be asked; else says so and leaves it.
 * @throws RigError('download') when there is none and it can't be had
 */
export async function refreshIfOld(apt: AptRoot, progress: Progress): Promise<void> {
  const now = Date.now();
  const refreshed = await modifiedAt(join(apt.dir, 'refreshed'));
  if (refreshed !== undefined && now - refreshed < apt.maxAgeMs) return;
  const failed = await modifiedAt(join(apt.dir, 'refresh-failed'));
  if (refreshed !== undefined && failed !== undefined && now - failed < FAILED_REFRESH_PAUSE_MS) return;
  try {
    await refresh(apt, progress, now);
  } catch (error) {
    if (refreshed === undefined || !(error instanceof RigError) || error.stage !== 'download') throw error;
    await writeWhole(join(apt.dir, 'refresh-failed'), '');
    progress({
      task: 'Debian package index',
      detail: `could not be refreshed; the one of ${new Date(refreshed).toISOString()} is used`,
    });
  }
}

/** Over a slow line; whoever fetches shows signs of life all the while. */
const WAIT_FOR_REFRESH_MS = 30 * 60_000;

/** Fetches the index unless another process did so after `since`. */
export async function refresh(apt: AptRoot, progress: Progress, since: number): Promise<void> {
  const unlock = await lockfile
    .lock(apt.dir, {
      stale: 60_000,
      retries: { retries: WAIT_FOR_REFRESH_MS / 500, minTimeout: 500, maxTimeout: 500, factor: 1 },
      // taken over while this process slept: then the other one refreshes too, which apt's own lock keeps apart
      onCompromised: () => undefined,
    })
    .catch((cause: unknown) => {
      throw new RigError(
        'download',
        'another run has been fetching the Debian package index for half an hour',
        `end it, or remove ${apt.dir}.lock if there is none`,
        [],
        { cause },
      );
    });
  try {
    const stamp = join(apt.dir, 'refreshed');
    if (((await modifiedAt(stamp)) ?? 0) > since) return;
    const task = 'fetch the Debian package index';
    progress({ task });
    const codenames = await fetchCodenames(apt);
    const suites = apt.suites.map((suite) => byCodename(suite, codenames));
    await writeWhole(join(apt.dir, 'debian.sources'), sourcesList(apt, suites, INDEX_TARGET[apt.kind]));
    await runApt(apt, ['update', '--error-on=any'], (fraction) => progress({ task, fraction }));
    await writeWhole(join(apt.dir, 'codenames.json'), JSON.stringify(codenames));
    // with a text of its own, for only what differs is written; its age is what is looked at
    await writeWhole(stamp, new Date().toISOString());
  } finally {
    await unlock().catch(() => undefined);
  }
}

/** The name of a suite in the archive today. */
export async function codenameOf(apt: AptRoot, suite: string): Promise<string> {
  return byCodename(suite, await readCodenames(apt));
}

/** The suites and the files of their index in the private root. */
export async function indexFiles(apt: AptRoot): Promise<readonly (readonly [string, string])[]> {
  const { stdout } = await runApt(apt, [
    'indextargets',
    '--format',
    '$(RELEASE) $(FILENAME)',
    `Created-By: ${INDEX_TARGET[apt.kind]}`,
  ]);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const space = line.indexOf(' ');
      return [line.slice(0, space), line.slice(space + 1)] as const;
    });
}

/** Answers already given on this index, so that a run whose kernel and image are built needs no apt at all. */
export async function remembered<T>(apt: AptRoot, question: string, ask: () => Promise<T>): Promise<T> {
  const file = join(apt.dir, 'answers.json');
  const index = await modifiedAt(join(apt.dir, 'refreshed'));
  const known = await readAnswers(file, index);
  if (question in known) return known[question] as T;
  const answer = await ask();
  const current = await readAnswers(file, index);
  await writeWhole(file, JSON.stringify({ index, answers: { ...current, [question]: answer } }));
  return answer;
}

async function readAnswers(file: string, index: number | undefined): Promise<Record<string, unknown>> {
  try {
    const saved = JSON.parse(await readFile(file, 'utf8')) as {
      index?: number;
      answers?: Record<string, unknown>;
    };
    return saved.index === index ? (saved.answers ?? {}) : {};
  } catch {
    return {};
  }
}

/** After a refresh failed, how long the stale index serves before the next try: away from the network a try takes long. */
const FAILED_REFRESH_PAUSE_MS = 10 * 60_000;

/** `stable-backports` is the alias `stable` and the rest. */
const ALIASED = /^(stable|oldstable|testing)(-.*)?$/;

/** What an alias stands for today, as `{"stable": "trixie"}`. */
type Codenames = Readonly<Record<string, string>>;

function byCodename(suite: string, codenames: Codenames): string {
  const [, alias = '', rest = ''] = ALIASED.exec(suite) ?? [];
  const codename = codenames[alias];
  return codename === undefined ? suite : codename + rest;
}

/**
 * Asks the archive what the aliases stand for, by their signed Release files. The packages are then fetched by
 * codename: caching mirrors often hold an aliased suite in an older state, because hardly anybody asks for it.
 */
async function fetchCodenames(apt: AptRoot): Promise<Codenames> {
  const aliases = new Set(
    apt.suites.map((suite) => ALIASED.exec(suite)?.[1]).filter((name) => name !== undefined),
  );
  if (aliases.size === 0) return {};
  const lists = join(apt.dir, 'state/alias-lists');
  const sources = join(apt.dir, 'alias.sources');
  await mkdir(join(lists, 'partial'), { recursive: true });
  await writeWhole(sources, sourcesList(apt, [...aliases], 'none'));
  await runApt(apt, [
    'update',
    '--error-on=any',
    '-o',
    `Dir::State::lists=${lists}`,
    '-o',
    `Dir::Etc::sourcelist=${sources}`,
  ]);
  const codenames: Record<string, string> = {};
  for (const file of await readdir(lists)) {
    const alias = /_dists_([a-z]+)_(?:In)?Release$/.exec(file)?.[1];
    if (alias === undefined) continue;
    const codename = /^Codename: ([a-z]+)$/m.exec(await readFile(join(lists, file), 'utf8'))?.[1];
    if (codename !== undefined) codenames[alias] = codename;
  }
  return codenames;
}

async function readCodenames(apt: AptRoot): Promise<Codenames> {
  return JSON.parse(await readFile(join(apt.dir, 'codenames.json'), 'utf8')) as Codenames;
}
