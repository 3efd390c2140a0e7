import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { DocumentError, parseDocument, type YamlDocument } from '../../base/document/document.js';
import { UsageError } from '../../base/errors.js';
import { faultsOfRanges } from './case-rules.js';
import { requirement, type Requirement } from '../language/language.js';
import { faultsOfList, type StepLists } from './step-lists.js';

/** Beside scenarios: what all of its folder have in common. Those of the folders in it have their own. */
const FOLDER_FILE = 'folder.yaml';

const listName = z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, 'not the name of a list: load-mocks');
const valueName = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'not the name of a value: size');

const stepList = z
  .strictObject({
    takes: z.record(valueName, z.unknown()).default({}).meta({
      description:
        'names that stand for a value in the steps, each with what it is when none is given; null: one must be',
    }),
    steps: z.array(z.record(z.string(), z.unknown())).min(1),
  })
  .superRefine((list, context) => {
    for (const { path, message } of faultsOfList(list))
      context.addIssue({ code: 'custom', path: [...path], message });
  });

const folderDocument = z
  .strictObject({
    cxlrig: z.literal(1).meta({ description: 'version of the scenario language' }),
    requires: z
      .array(requirement)
      .min(1)
      .superRefine((requires, context) => {
        for (const { path, message } of faultsOfRanges({ requires, knownBugs: [] }))
          context.addIssue({ code: 'custom', path: path.slice(1), message });
      })
      .optional()
      .meta({ description: 'what every scenario of the folder requires, before what it requires itself' }),
    steps: z
      .record(listName, stepList)
      .optional()
      .meta({ description: 'lists of steps, by the names that `use` takes' }),
  })
  .refine(({ requires, steps }) => requires !== undefined || steps !== undefined, {
    message: 'says nothing: it needs `requires`, `steps` or both',
  });

/** What the scenarios of a folder have in common. */
export interface Folder {
  readonly requires: readonly Requirement[];
  readonly lists: StepLists;
  /** absent when there is no such file */
  readonly document?: YamlDocument;
}

export function isFolderFile(path: string): boolean {
  return basename(path) === FOLDER_FILE;
}

/** The file that speaks for a scenario's folder, which need not be there. */
export function folderFileOf(scenario: string): string {
  return join(dirname(scenario), FOLDER_FILE);
}

/**
 * What a scenario has in common with those beside it.
 * @throws UsageError when the folder's file is wrong or cannot be read
 */
export async function folderOf(scenario: string): Promise<Folder> {
  const file = folderFileOf(scenario);
  try {
    return await loadFolder(file);
  } catch (error) {
    if (error instanceof UsageError && isMissing(error.cause)) return { requires: [], lists: {} };
    if (error instanceof DocumentError) {
      throw new UsageError(`what the folder says is wrong: ${error.inOneLine}`, `cxlrig check ${file}`, {
        cause: error,
      });
    }
    throw error;
  }
}

/** @throws DocumentError when it is wrong; UsageError when it cannot be read */
export async function loadFolder(file: string): Promise<Folder> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new UsageError(
      `${file} cannot be read: ${String(cause)}`,
      'it says what the scenarios beside it have in common',
      { cause },
    );
  });
  const document = parseDocument(text, file, folderDocument);
  const { requires = [], steps = {} } = document.value;
  return { requires, lists: steps, document };
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException | undefined)?.code ?? '');
}
