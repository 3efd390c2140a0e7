import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { nameHint } from '../base/document/did-you-mean.js';
import { UsageError } from '../base/errors.js';
import { packageRoot } from '../base/places.js';
import { parseDocument } from '../base/document/document.js';
import { planTopology } from './build-plan.js';
import { topologySchema } from './language.js';
import type { MachinePlan } from './plan.js';

export interface LoadTopologyOptions {
  /** the file that names the topology: a path counts from its folder. The working folder when absent. */
  readonly relativeTo?: string;
}

export interface TopologyListing {
  readonly name: string;
  readonly description: string;
  readonly file: string;
}

const NAME = /^[a-z0-9][a-z0-9-]*$/;

/**
 * The machine of a topology, by name or by path (what has a `/` or ends in .yaml).
 * @throws UsageError when there is none; DocumentError when it is wrong
 */
export async function loadTopology(
  nameOrPath: string,
  options: LoadTopologyOptions = {},
): Promise<MachinePlan> {
  const { file, text } = await readTopologyFile(nameOrPath, options);
  return planTopology(text, file, topologyName(file));
}

/**
 * The file of a topology and what is in it.
 * @throws UsageError when there is none
 */
export async function readTopologyFile(
  nameOrPath: string,
  { relativeTo }: LoadTopologyOptions = {},
): Promise<{ readonly file: string; readonly text: string }> {
  const file = isPath(nameOrPath)
    ? resolve(relativeTo === undefined ? '.' : dirname(relativeTo), nameOrPath)
    : await findByName(nameOrPath);
  return { file, text: await readTopology(file, nameOrPath) };
}

/** The topologies that go by name, in alphabetical order. */
export async function listTopologies(): Promise<TopologyListing[]> {
  const files = await filesByName();
  return Promise.all(
    [...files].map(async ([name, file]) => {
      const document = parseDocument(await readTopology(file, name), file, topologySchema);
      return { name, description: document.value.description, file };
    }),
  );
}

function isPath(text: string): boolean {
  return text.includes('/') || /\.ya?ml$/.test(text);
}

async function findByName(name: string): Promise<string> {
  const files = await filesByName();
  const file = files.get(name);
  if (file !== undefined) return file;
  throw new UsageError(
    `there is no topology ${JSON.stringify(name)}`,
    `${nameHint(name, [...files.keys()], 'topologies')} (or give the path of a .yaml file)`,
  );
}

async function filesByName(): Promise<Map<string, string>> {
  const folder = join(packageRoot, 'scenarios', 'topologies');
  const files = new Map<string, string>();
  for (const entry of await readdir(folder)) {
    const name = topologyName(entry);
    if (entry.endsWith('.yaml') && NAME.test(name)) files.set(name, join(folder, entry));
  }
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function topologyName(file: string): string {
  return basename(file).replace(/\.ya?ml$/, '');
}

async function readTopology(file: string, asked: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'it is not there' : String(error);
    throw new UsageError(
      `the topology ${asked} cannot be read (${file}): ${why}`,
      'give the name of a shipped topology or the path of a .yaml file',
      { cause: error },
    );
  });
}
