import { createReadStream, createWriteStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { runTool } from './tool.js';

/**
 * Packs what is below a folder as an initramfs layer: a newc archive in which all belongs to root.
 *
 * Not compressed: to unpack zstd costs the kernel 345 million instructions at each boot, which is a second under TCG.
 */
export async function packLayer(tree: string, target: string): Promise<void> {
  await runTool({
    program: 'cpio',
    args: ['--create', '--null', '--format=newc', '--owner=+0:+0', '--reproducible', '--quiet'],
    purpose: `pack ${tree}`,
    stage: 'image',
    cwd: tree,
    input: (await pathsBelow(tree)).map((path) => `${path}\0`).join(''),
    stdoutTo: target,
  });
}

/**
 * Joins layers to one initramfs: the kernel reads archives one after the other, a later one over an earlier one. Each
 * must begin at a multiple of 4 bytes; cpio pads its archives to 512.
 */
export async function joinLayers(layers: readonly string[], target: string): Promise<void> {
  await pipeline(async function* () {
    for (const layer of layers) yield* createReadStream(layer) as AsyncIterable<Buffer>;
  }, createWriteStream(target));
}

/** Relative paths, sorted, so that a folder comes before what is in it. */
async function pathsBelow(tree: string): Promise<string[]> {
  const entries = await readdir(tree, { recursive: true, withFileTypes: true });
  return entries.map(({ parentPath, name }) => relative(tree, join(parentPath, name))).sort();
}
