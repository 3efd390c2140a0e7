import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { DocumentError } from '../../base/document/diagnostic.js';
import { loadScenarioText } from './load.js';

const folder = fileURLToPath(new URL('./broken/', import.meta.url));

describe('each broken scenario is refused with exactly these faults', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

  test('there are at least ten of them', () => {
    expect(files.length).toBeGreaterThanOrEqual(10);
  });

  test.each(files)('%s', async (name) => {
    const text = await readFile(join(folder, name), 'utf8');
    const error: unknown = await loadScenarioText(text, `broken/${name}`).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(DocumentError);
    await expect(`${(error as DocumentError).message}\n`).toMatchFileSnapshot(
      join(folder, name.replace(/\.yaml$/, '.txt')),
    );
  });
});
