import { basename, dirname } from 'node:path';
import { profileDocument } from '../kernel/profile.js';
import { isFolderFile } from '../scenario/index.js';
import { scenarioDocument } from '../scenario/language/language.js';
import { toolsDocument } from '../tools/index.js';
import { topologySchema } from '../topology/index.js';

export type Language = 'scenario' | 'folder' | 'topology' | 'kernel' | 'tools';

/** What a file is meant to be: a folder's by its name, else the language that has most of its keys; between equals, the one of its folder. */
export function languageOf(raw: unknown, path: string): Language {
  if (isFolderFile(path)) return 'folder';
  const keys = typeof raw === 'object' && raw !== null ? Object.keys(raw) : [];
  const folder = basename(dirname(path));
  const fit = ([language, known]: readonly [Language, readonly string[]]): number =>
    keys.filter((key) => known.includes(key)).length + (FOLDERS[folder] === language ? 0.5 : 0);
  return KEYS.reduce((best, one) => (fit(one) > fit(best) ? one : best))[0];
}

const KEYS: readonly [readonly [Language, readonly string[]], ...(readonly [Language, readonly string[]])[]] =
  [
    ['scenario', Object.keys(scenarioDocument.shape)],
    ['topology', Object.keys(topologySchema.shape)],
    ['kernel', Object.keys(profileDocument.shape)],
    ['tools', Object.keys(toolsDocument.shape)],
  ];

const FOLDERS: Readonly<Record<string, Language>> = {
  topologies: 'topology',
  'kernel-configs': 'kernel',
  tools: 'tools',
};
