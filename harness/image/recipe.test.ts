import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DocumentError } from '../base/document/document.js';
import { packageRoot } from '../base/places.js';
import { ownFilesKey, readRecipe } from './recipe.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cxlrig-recipe-'));
});
afterEach(() => rm(dir, { recursive: true }));

const MINIMAL = `
suite: stable
packages: [busybox-static]
texts: []
exclude: []
applets: ls cat
modules: []
moduleSignatures: true
files:
  /init: { from: init, mode: 0o755 }
  /etc/passwd: |
    root:x:0:0:root:/root:/bin/sh
folders: { /root: 0o700 }
`;

test('the shipped recipe is valid and its init is executable', async () => {
  const recipe = await readRecipe();
  const init = recipe.files.find(({ path }) => path === '/init');
  expect(init?.mode).toBe(0o755);
  expect(init?.content).toEqual(await readFile(join(packageRoot, 'images', 'init')));
  expect(recipe.applets).toContain('devmem');
});

test('the shipped recipe gives each run’s keys the folders and permissions that the SSH server wants', async () => {
  const { folders, files } = await readRecipe();
  expect(folders).toContainEqual({ path: '/root', mode: 0o700 });
  expect(folders).toContainEqual({ path: '/root/.ssh', mode: 0o700 });
  // a file of the image would replace the run's
  expect(files.map(({ path }) => path).filter((path) => /^\/(root|etc\/dropbear)\//.test(path))).toEqual([]);
});

test('a file is taken from beside the recipe or from its text', async () => {
  await writeFile(join(dir, 'guest.yaml'), MINIMAL);
  await writeFile(join(dir, 'init'), '#!/bin/sh\n');
  const { files, applets } = await readRecipe(join(dir, 'guest.yaml'));
  expect(applets).toEqual(['ls', 'cat']);
  expect(files).toEqual([
    { path: '/init', mode: 0o755, content: Buffer.from('#!/bin/sh\n') },
    { path: '/etc/passwd', mode: 0o644, content: Buffer.from('root:x:0:0:root:/root:/bin/sh\n') },
  ]);
});

test('the key of its files follows their text and permissions', async () => {
  const keyWith = async (recipe: string, init: string) => {
    await writeFile(join(dir, 'guest.yaml'), recipe);
    await writeFile(join(dir, 'init'), init);
    return ownFilesKey(await readRecipe(join(dir, 'guest.yaml')));
  };
  const key = await keyWith(MINIMAL, 'a');
  expect(await keyWith(MINIMAL, 'a')).toBe(key);
  expect(await keyWith(MINIMAL, 'b')).not.toBe(key);
  expect(await keyWith(MINIMAL.replace('0o755', '0o700'), 'a')).not.toBe(key);
});

test.each([
  ['a path that leaves the image', '/../../etc/passwd: x'],
  ['a relative path', 'etc/passwd: x'],
  ['a source outside of the folder', '/x: { from: ../secret, mode: 0o644 }'],
])('%s is refused', async (_, file) => {
  await writeFile(join(dir, 'guest.yaml'), MINIMAL.replace('files:', `files:\n  ${file}`));
  await expect(readRecipe(join(dir, 'guest.yaml'))).rejects.toBeInstanceOf(DocumentError);
});
