import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { RigError, UsageError } from '../../base/errors.js';
import { git, type Depot } from './depot.js';

/** One patch of a series. */
export interface Patch {
  /** what people call it: the file, or the mailbox and the number in it */
  readonly name: string;
  readonly subject?: string;
  readonly diff: Buffer;
  /** paths in the kernel tree that it touches */
  readonly touches: readonly string[];
}

/**
 * Reads series: folders of patches (in the order of their `series` file if there is one, else by name), mailboxes
 * (also gzipped, as the list archives give them) and single patch files.
 *
 * @throws UsageError when one is not to be read, has no patch in it, or lacks a part of `[PATCH 1/n]`
 */
export async function readSeries(depot: Depot, paths: readonly string[]): Promise<readonly Patch[]> {
  const patches: Patch[] = [];
  for (const path of paths) {
    const found = (await stat(path).catch(() => undefined))?.isDirectory()
      ? await readFolder(depot, path)
      : await readPatchFile(depot, path, basename(path));
    if (found.length === 0)
      throw new UsageError(
        `there is no patch in ${path}`,
        'give a folder of *.patch files, a mailbox, or a file that git format-patch or git diff wrote',
      );
    patches.push(...found);
  }
  return patches;
}

async function readFolder(depot: Depot, folder: string): Promise<Patch[]> {
  const names = await readdir(folder);
  const listed = names.includes('series')
    ? quiltSeries(await readFile(join(folder, 'series'), 'utf8'))
    : names.filter((name) => /\.(patch|diff|mbox|eml)$/.test(name)).sort(byNumberThenName);
  const patches: Patch[] = [];
  for (const name of listed) patches.push(...(await readPatchFile(depot, join(folder, name), name)));
  return patches;
}

/** quilt(1): a patch a line, options behind it, comments by #. */
function quiltSeries(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim().split(/\s+/)[0] ?? '')
    .filter((name) => name !== '');
}

function byNumberThenName(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

async function readPatchFile(depot: Depot, file: string, name: string): Promise<Patch[]> {
  const raw = await readFile(file).catch((cause: unknown) => {
    throw new UsageError(
      `the patch ${file} can't be read`,
      'give an existing folder, mailbox or patch; whatever follows --patches is taken for one',
      { cause },
    );
  });
  const content = raw[0] === 0x1f && raw[1] === 0x8b ? gunzipSync(raw) : raw;
  if (!isMail(content)) return (await parsed(depot, { name, diff: content })) ?? [];
  return readMails(depot, content, name);
}

/** `From ` of a mailbox, or a header as the first line. A diff starts with `diff `, `---` or prose. */
function isMail(content: Buffer): boolean {
  const firstLine = content.subarray(0, 1000).toString('latin1').trimStart().split('\n')[0] ?? '';
  return /^From |^(From|Date|Subject|Message-I[dD]|Received|Return-Path|MIME-Version|X-[\w-]+):/.test(
    firstLine,
  );
}

/** Takes mails apart as `git am` does. Cover letters and replies hold no patch of the series. */
async function readMails(depot: Depot, content: Buffer, name: string): Promise<Patch[]> {
  const work = await mkdtemp(join(depot.scratch, 'mails-'));
  const purpose = `read the mails of ${name}`;
  try {
    await git(depot, ['mailsplit', '-b', `-o${work}`], { purpose, input: content });
    const mails = (await readdir(work)).sort();
    const found: Mail[] = [];
    for (const mail of mails) {
      const [message, patch] = [join(work, `${mail}.message`), join(work, `${mail}.patch`)];
      const input = await readFile(join(work, mail));
      const headers = await git(depot, ['mailinfo', message, patch], { purpose, input });
      const rawSubject = /^subject:[ \t]*(.*(?:\r?\n[ \t].*)*)/im.exec(input.toString('utf8'))?.[1] ?? '';
      const subject = /^Subject: (.*)$/m.exec(headers.toString())?.[1] ?? '';
      found.push({ rawSubject: rawSubject.replace(/\s+/g, ' '), subject, diff: await readFile(patch) });
    }
    const ordered = orderMails(found, name);
    const patches: Patch[] = [];
    for (const [index, { subject, diff }] of ordered.entries()) {
      const label = mails.length === 1 ? name : `${name} [${index + 1}/${ordered.length}]`;
      patches.push(...((await parsed(depot, { name: label, subject, diff })) ?? []));
    }
    return patches;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

interface Mail {
  readonly rawSubject: string;
  readonly subject: string;
  readonly diff: Buffer;
}

/**
 * The patches of a thread in the order of their numbers: archives keep mails in the order they came.
 * @throws UsageError when a number is missing or is there twice
 */
function orderMails(mails: readonly Mail[], name: string): readonly Mail[] {
  const patches = mails.filter(
    ({ rawSubject, diff }) =>
      /^(---|diff --git) /m.test(diff.toString('latin1')) && !/^\s*Re:/i.test(rawSubject),
  );
  const numbered = patches.map((mail) => ({ mail, part: /\[[^\]]*\b(\d+)\/(\d+)\]/.exec(mail.rawSubject) }));
  const totals = new Set(numbered.map(({ part }) => part?.[2]));
  const [total] = totals;
  if (patches.length < 2 || totals.size !== 1 || total === undefined) return patches;
  const numbers = numbered.map(({ part }) => Number(part?.[1]));
  for (let number = 1; number <= Number(total); number++) {
    const times = numbers.filter((other) => other === number).length;
    if (times === 1) continue;
    throw new UsageError(
      `${name}: patch ${number}/${total} is ${times === 0 ? 'missing' : `there ${times} times`}`,
      'give a mailbox with one version of the whole series (b4 am makes one)',
    );
  }
  return [...numbered].sort((a, b) => Number(a.part?.[1]) - Number(b.part?.[1])).map(({ mail }) => mail);
}

/** @returns nothing for a text without a diff, such as a cover letter */
async function parsed(depot: Depot, patch: Omit<Patch, 'touches'>): Promise<Patch[] | undefined> {
  if (!/^(--- |diff --git )/m.test(patch.diff.toString('latin1'))) return undefined;
  try {
    const listed = await git(depot, ['apply', '--numstat', '-z'], {
      purpose: `read the patch ${patch.name}`,
      input: patch.diff,
    });
    return [{ ...patch, touches: touchedPaths(listed.toString()) }];
  } catch (error) {
    if (!(error instanceof RigError) || error.stage === 'host') throw error;
    throw new UsageError(
      `${patch.name} is no patch that git can read: ${error.evidence.join('; ')}`,
      'was it damaged on its way, for instance by a mail program that wrapped its lines?',
      { cause: error },
    );
  }
}

/** `added TAB removed TAB path NUL`; a rename has an empty path there and two more fields. */
function touchedPaths(numstat: string): string[] {
  return numstat
    .split('\0')
    .map((field) => field.replace(/^(\d+|-)\t(\d+|-)\t/, ''))
    .filter((path) => path !== '');
}
