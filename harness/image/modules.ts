import { copyFile, mkdir, readFile, stat, symlink, truncate } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RigError } from '../base/errors.js';
import { runTool } from '../base/tool.js';
import type { ResolvedKernel } from '../kernel/resolved.js';
import type { Recipe } from './recipe.js';

/**
 * Puts the kernel's modules which the recipe's patterns name, uncompressed, with all that they depend on and the
 * indexes that modprobe reads, into an image's tree. depmod runs here because in a guest it takes half a minute.
 *
 * @throws RigError('image') when a module that modules.dep names is missing
 */
export async function installModules(
  kernel: Pick<ResolvedKernel, 'modulesDir' | 'release' | 'config' | 'cmdline'>,
  recipe: Pick<Recipe, 'modules' | 'moduleSignatures'>,
  tree: string,
): Promise<void> {
  const dependencies = parseModulesDep(await readFile(join(kernel.modulesDir, 'modules.dep'), 'utf8'));
  const selected = selectModules(dependencies, recipe.modules);
  const target = join(tree, 'usr/lib/modules', kernel.release);
  await mkdir(target, { recursive: true });
  for (const path of selected) await copyModule(kernel.modulesDir, path, target);
  await decompress(selected.map((path) => join(target, path)));
  if (!recipe.moduleSignatures && !(await insistsOnSignatures(kernel))) {
    for (const path of selected) await cutSignature(join(target, uncompressedName(path)));
  }
  for (const name of BUILTIN_INDEXES) await copyIfThere(join(kernel.modulesDir, name), join(target, name));
  // some versions of depmod look below lib, some below usr/lib
  await symlink('usr/lib', join(tree, 'lib'));
  await runTool({
    program: 'depmod',
    args: ['--basedir', tree, kernel.release],
    purpose: `index the modules of ${kernel.release}`,
    stage: 'image',
  });
}

/** A modules.dep file: each module's path and the paths of all modules that it needs. */
export function parseModulesDep(text: string): ReadonlyMap<string, readonly string[]> {
  const dependencies = new Map<string, readonly string[]>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0)
      dependencies.set(
        line.slice(0, colon),
        line
          .slice(colon + 1)
          .split(' ')
          .filter(Boolean),
      );
  }
  return dependencies;
}

/** Paths of the modules that patterns name and of those that they need, sorted. modules.dep is transitively closed. */
export function selectModules(
  dependencies: ReadonlyMap<string, readonly string[]>,
  patterns: readonly string[],
): string[] {
  const matchers = patterns.map(patternMatcher);
  const selected = new Set<string>();
  for (const [path, needed] of dependencies) {
    if (!matchers.some((matches) => matches.test(uncompressedName(path)))) continue;
    selected.add(path);
    for (const other of needed) selected.add(other);
  }
  return [...selected].sort();
}

/** depmod complains without the first two and modprobe knows the built-in modules by the others. */
const BUILTIN_INDEXES = ['modules.order', 'modules.builtin', 'modules.builtin.modinfo'];

const DECOMPRESSORS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  '.xz': ['xz', '--decompress', '--force'],
  '.zst': ['zstd', '-q', '--decompress', '--rm', '--force'],
  '.gz': ['gzip', '--decompress', '--force'],
};

async function copyModule(from: string, path: string, to: string): Promise<void> {
  await mkdir(dirname(join(to, path)), { recursive: true });
  try {
    await copyFile(join(from, path), join(to, path));
  } catch (error) {
    throw new RigError(
      'image',
      `modules.dep of ${from} names ${path}, which can't be read`,
      `make the modules again, or run depmod for them`,
      [],
      { cause: error },
    );
  }
}

async function decompress(paths: readonly string[]): Promise<void> {
  for (const [suffix, [program, ...args]] of Object.entries(DECOMPRESSORS)) {
    const compressed = paths.filter((path) => path.endsWith(suffix));
    if (compressed.length === 0) continue;
    await runTool({
      program,
      args: [...args, '--', ...compressed],
      purpose: 'decompress kernel modules',
      stage: 'image',
    });
  }
}

async function insistsOnSignatures({
  config,
  cmdline,
}: Pick<ResolvedKernel, 'config' | 'cmdline'>): Promise<boolean> {
  const isForced = /^CONFIG_MODULE_SIG_FORCE=y$/m.test(await readFile(config, 'utf8'));
  return isForced || cmdline.some((option) => /^(module\.sig_enforce|lockdown)\b/.test(option));
}

/** Cuts a module's signature off; leaves a module without one as it is. */
async function cutSignature(path: string): Promise<void> {
  const module = await readFile(path);
  const length = lengthWithoutSignature(module);
  if (length !== module.length) await truncate(path, length);
}

/**
 * Bytes of a module before its appended signature (include/linux/module_signature.h): module, name of the signer, its
 * key, signature, 12 bytes that tell the lengths of these three, magic text.
 */
export function lengthWithoutSignature(module: Buffer): number {
  const trailer = module.length - SIGNATURE_MAGIC.length - 12;
  if (trailer < 0 || !module.subarray(trailer + 12).equals(SIGNATURE_MAGIC)) return module.length;
  const ofSigner = module.readUInt8(trailer + 3);
  const ofKey = module.readUInt8(trailer + 4);
  const ofSignature = module.readUInt32BE(trailer + 8);
  return Math.max(0, trailer - ofSigner - ofKey - ofSignature);
}

const SIGNATURE_MAGIC = Buffer.from('~Module signature appended~\n');

async function copyIfThere(from: string, to: string): Promise<void> {
  const there = await stat(from).then(
    () => true,
    () => false,
  );
  if (there) await copyFile(from, to);
}

function uncompressedName(path: string): string {
  return path.replace(/\.ko\.(xz|zst|gz)$/, '.ko');
}

function patternMatcher(pattern: string): RegExp {
  const source = pattern.replace(/\*\*|\*|[.+?^${}()|[\]\\]/g, (found) =>
    found === '**' ? '.*' : found === '*' ? '[^/]*' : `\\${found}`,
  );
  return new RegExp(`^${source}$`);
}
