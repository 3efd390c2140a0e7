import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { DocumentError, parseDocument } from '../base/document.js';
import { UsageError } from '../base/errors.js';
import { faultsOfRanges } from './case-rules.js';
import { requirement, type Requirement } from './language.js';

/** Beside scenarios: what all of its folder have in common. Those of the folders in it have their own. */
const FOLDER_FILE = 'folder.yaml';

const folderDocument = z.strictObject({
  cxlrig: z.literal(1).meta({ description: 'version of the scenario language' }),
  requires: z
    .array(requirement)
    .min(1)
    .superRefine((requires, context) => {
      for (const { path, message } of faultsOfRanges({ requires, knownBugs: [] }))
        context.addIssue({ code: 'custom', path: path.slice(1), message });
    })
    .meta({ description: 'what every scenario of the folder requires, before what it requires itself' }),
});

export function isFolderFile(path: string): boolean {
  return basename(path) === FOLDER_FILE;
}

/** The file that speaks for a scenario's folder, which need not be there. */
export function folderFileOf(scenario: string): string {
  return join(dirname(scenario), FOLDER_FILE);
}

/**
 * What a scenario requires because of the folder that it lies in.
 * @throws UsageError when the folder's file is wrong or cannot be read
 */
export async function requiredByFolderOf(scenario: string): Promise<readonly Requirement[]> {
  const file = folderFileOf(scenario);
  try {
    return await loadFolder(file);
  } catch (error) {
    if (error instanceof UsageError && isMissing(error.cause)) return [];
    if (error instanceof DocumentError) {
      throw new UsageError(`what the folder requires is wrong: ${error.inOneLine}`, `cxlrig check ${file}`, {
        cause: error,
      });
    }
    throw error;
  }
}

/** @throws DocumentError when it is wrong; UsageError when it cannot be read */
export async function loadFolder(file: string): Promise<readonly Requirement[]> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new UsageError(
      `${file} cannot be read: ${String(cause)}`,
      'it says what the scenarios beside it require',
      { cause },
    );
  });
  return parseDocument(text, file, folderDocument).value.requires;
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException | undefined)?.code ?? '');
}
