import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { glob, isDynamicPattern } from 'tinyglobby';
import { nameHint } from '../../base/document/did-you-mean.js';
import { UsageError } from '../../base/errors.js';
import { packageRoot } from '../../base/places.js';
import { isFolderFile } from './folder.js';

/** Where the package's own scenarios lie. */
export const shippedScenarios: string = join(packageRoot, 'scenarios');

/** Folders below a scenario folder that hold no scenarios. */
const NO_SCENARIOS = 'topologies';

/**
 * What a scenario is called: its path below the innermost folder named `scenarios`, without .yaml (`current/kmem`);
 * its base name when it lies in none. Does not depend on the working folder, so that case ids are stable.
 */
export function scenarioName(file: string): string {
  const parts = resolve(file)
    .replace(/\.ya?ml$/, '')
    .split(sep);
  const folder = parts.lastIndexOf('scenarios', parts.length - 2);
  return folder === -1 ? (parts.at(-1) ?? file) : parts.slice(folder + 1).join('/');
}

/**
 * The scenario files that the arguments mean, absolute, each once, in the order of the arguments.
 * @param wanted files, folders, glob patterns, or names below scenarios/ (`current/kmem`, `current`); none: all that
 * the package ships
 * @throws UsageError when an argument means nothing, or two files have one name
 */
export async function findScenarios(wanted: readonly string[] = []): Promise<string[]> {
  const found = wanted.length === 0 ? await inFolder(shippedScenarios) : [];
  for (const one of wanted) found.push(...(await meaning(one)));
  const files = [...new Set(found.map((file) => resolve(file)))];
  refuseTwins(files);
  return files;
}

async function meaning(wanted: string): Promise<string[]> {
  const candidates = [wanted, join(shippedScenarios, wanted)];
  for (const candidate of candidates) {
    const kind = await kindOfPath(candidate);
    if (kind === 'file') return [candidate];
    if (kind === 'folder') return scenariosOf(candidate, wanted);
  }
  const named = join(shippedScenarios, `${wanted}.yaml`);
  if ((await kindOfPath(named)) === 'file') return [named];
  if (isDynamicPattern(wanted)) {
    const matched = [
      ...(await matching(wanted, process.cwd())),
      ...(await matching(wanted, shippedScenarios)),
    ];
    if (matched.length > 0) return matched;
  }
  throw new UsageError(`there is no scenario ${JSON.stringify(wanted)}`, await suggestion(wanted));
}

async function scenariosOf(folder: string, wanted: string): Promise<string[]> {
  const files = await inFolder(folder);
  if (files.length > 0) return files;
  throw new UsageError(
    `there is no scenario in the folder ${wanted}`,
    'scenarios are files that end in .yaml; topologies are none',
  );
}

async function inFolder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name) && !isFolderFile(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !relative(folder, dirname(file)).split(sep).includes(NO_SCENARIOS))
    .sort();
}

async function matching(pattern: string, cwd: string): Promise<string[]> {
  const patterns = /\.ya?ml$/.test(pattern) ? [pattern] : [`${pattern}.yaml`, pattern];
  const files = await glob(patterns, {
    cwd,
    absolute: true,
    ignore: [`**/${NO_SCENARIOS}/**`, '**/node_modules/**'],
  });
  return files.filter((file) => /\.ya?ml$/.test(file) && !isFolderFile(file)).sort();
}

async function suggestion(wanted: string): Promise<string> {
  const names = (await inFolder(shippedScenarios)).map(scenarioName);
  const folders = names.map((name) => dirname(name)).filter((name) => name !== '.');
  const looksLikePath = /\.ya?ml$/.test(wanted);
  const candidates = [...new Set([...names, ...folders])];
  if (!looksLikePath) return nameHint(wanted, candidates, 'scenarios');
  const besides = (await readdir(dirname(resolve(wanted))).catch(() => [])).filter((name) =>
    /\.ya?ml$/.test(name),
  );
  return nameHint(basename(wanted), besides, `scenarios in ${dirname(wanted)}`);
}

function refuseTwins(files: readonly string[]): void {
  const byName = new Map<string, string>();
  for (const file of files) {
    const name = scenarioName(file);
    const twin = byName.get(name);
    if (twin !== undefined) {
      throw new UsageError(
        `two scenarios are called ${name}: ${twin} and ${file}`,
        'rename one, or put them below a folder named scenarios/',
      );
    }
    byName.set(name, file);
  }
}

async function kindOfPath(path: string): Promise<'file' | 'folder' | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? 'file' : found.isDirectory() ? 'folder' : undefined;
  } catch {
    return undefined;
  }
}
