import { readFile } from 'node:fs/promises';
import { UsageError } from '../errors.js';

/**
 * The text of a file that the user named.
 * @param what it should be: `a kernel profile`
 * @param instead what to type where it is a folder
 * @throws UsageError when it can't be read
 */
export async function readText(file: string, what: string, instead: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EISDIR')
      throw new UsageError(`${file} is a folder, not ${what}`, instead);
    throw new UsageError(`${file} cannot be read as ${what}: ${String(error)}`, undefined, { cause: error });
  }
}
