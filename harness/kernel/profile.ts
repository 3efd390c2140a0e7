import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { nameHint, parseDocument } from '../base/document/document.js';
import { readText } from '../base/document/read-text.js';
import { UsageError } from '../base/errors.js';
import { packageRoot } from '../base/places.js';
import { yamlNames } from '../base/document/yaml.js';
import { absolutePath, expandHome } from '../base/document/written-path.js';
import type { ToolsProfile } from '../tools/profile.js';

/** The language of kernel profiles, version 1. Relative paths are relative to the profile's file. */

const path = z.string().min(1);

const debianImage = z.strictObject({
  package: z
    .string()
    .min(1)
    .meta({ description: 'a kernel image package, or the metapackage that depends on the newest' }),
  suite: z.string().min(1).meta({ description: 'stable, stable-backports, testing, ...' }),
});

const debianSource = z.strictObject({
  package: z
    .string()
    .min(1)
    .default('linux-source')
    .meta({ description: 'linux-source for the newest of the suite, or one by name: linux-source-6.12' }),
  suite: z.string().min(1).meta({ description: 'stable, stable-backports, testing, ...' }),
});

const git = z.strictObject({
  repository: z.string().min(1).meta({ description: 'a path or an address that git clones from' }),
  revision: z.string().min(1).meta({ description: 'a branch, a tag or a full commit id' }),
});

const ready = z.strictObject({
  image: path.meta({ description: 'a bzImage, or a vmlinux with a PVH entry' }),
  modules: path.meta({ description: 'the folder .../lib/modules/<release>' }),
  config: path
    .optional()
    .meta({ description: "the kernel's .config; looked for beside the modules if absent" }),
});

const source = z
  .strictObject({
    'debian-image': debianImage.optional(),
    'debian-source': debianSource.optional(),
    tree: path.optional().meta({ description: 'a local kernel tree; nothing is ever written into it' }),
    git: git.optional(),
    ready: ready.optional(),
  })
  .refine((value) => Object.values(value).filter((kind) => kind !== undefined).length === 1, {
    message: 'a kernel comes from exactly one source: debian-image, debian-source, tree, git or ready',
  });

const option = z
  .string()
  .regex(/^(CONFIG_\w+=.+|# CONFIG_\w+ is not set)$/, 'not a line of a .config, such as CONFIG_NUMA=y');

const config = z.strictObject({
  base: z.string().min(1).default('tinyconfig').meta({
    description: "tinyconfig, defconfig, another target of kbuild, tree (the tree's own .config) or a file",
  }),
  fragments: z
    .array(z.string().min(1))
    .default([])
    .meta({ description: 'names in kernel-configs/fragments/, or files; a later one overrides' }),
  options: z
    .array(option)
    .default([])
    .meta({ description: 'single lines of a .config, after the fragments' }),
  modules: z
    .array(z.string().regex(/^(?!.*\.\.)\w[\w./-]*$/, 'a folder of the kernel sources: tools/testing/cxl'))
    .optional()
    .meta({
      description:
        "folders of the sources whose modules are built as well; they stand before the kernel's own of the same name: tools/testing/cxl",
    }),
});

export const profileDocument = z
  .strictObject({
    cxlrig: z.literal(1).meta({ description: 'version of the profile language' }),
    description: z.string().min(1),
    source,
    config: config.optional(),
    patches: z
      .array(path)
      .optional()
      .meta({ description: 'series to apply, in order: folders, mailboxes or patch files' }),
    cmdline: z
      .array(z.string().regex(/^\S+$/, 'one option of the kernel command line, without blanks'))
      .default([]),
    abi: z.record(z.string(), z.string()).default({}).meta({
      description:
        'names of the ABI that differ between kernels, of drivers and of parts of paths: sysram_region: cxl_sysram_region',
    }),
  })
  .superRefine((value, context) => {
    const readyMade = value.source['debian-image']
      ? 'debian-image'
      : value.source.ready
        ? 'ready'
        : undefined;
    for (const key of ['config', 'patches'] as const) {
      if (readyMade !== undefined && value[key] !== undefined)
        context.addIssue({
          code: 'custom',
          path: [key],
          message: `a kernel from ${readyMade} is not built here, so it takes no ${key}`,
        });
    }
  });

export type ProfileDocument = z.output<typeof profileDocument>;
export type KernelSource = ProfileDocument['source'];
export type ConfigRequest = z.output<typeof config>;

/** A kernel profile: which kernel, how configured, what it calls things. All paths are absolute. */
export interface Profile {
  /** as `--kernel` takes it: the file's name for shipped ones, the path otherwise */
  readonly name: string;
  readonly file: string;
  readonly description: string;
  readonly source: KernelSource;
  readonly config: ConfigRequest;
  readonly patches: readonly string[];
  readonly cmdline: readonly string[];
  readonly abi: Readonly<Record<string, string>>;
  /** the tools of its guests, as the command line has them; absent: the packages' */
  readonly tools?: ToolsProfile;
}

/** Whether the kernel is compiled here: then it can be patched and configured. */
export function isBuilt({ source }: Profile): boolean {
  return source['debian-image'] === undefined && source.ready === undefined;
}

/** Where the shipped profiles, config fragments and series are. */
export const kernelConfigs: string = join(packageRoot, 'kernel-configs');

/**
 * A profile by its name (shipped) or by a path.
 * @throws UsageError naming what there is when there is no such profile, DocumentError when the file is not right
 */
export async function loadProfile(nameOrPath: string, folder: string = kernelConfigs): Promise<Profile> {
  const shipped = join(folder, `${nameOrPath}.yaml`);
  if (/^[\w.+-]+$/.test(nameOrPath) && existsSync(shipped)) return readProfile(shipped, nameOrPath);
  const file = resolve(expandHome(nameOrPath));
  if (looksLikePath(nameOrPath) && existsSync(file)) return readProfile(file, nameOrPath);
  const names = await yamlNames(folder);
  throw new UsageError(
    looksLikePath(nameOrPath)
      ? `there is no kernel profile ${file}`
      : `there is no kernel profile '${nameOrPath}'`,
    unknownProfileRemedy(nameOrPath, names),
  );
}

/** All shipped profiles, by name. */
export async function listProfiles(folder: string = kernelConfigs): Promise<readonly Profile[]> {
  const names = await yamlNames(folder);
  return Promise.all(names.map((name) => loadProfile(name, folder)));
}

/** The file of a config fragment: a shipped one by its name, or any by its path. */
export function fragmentPath(nameOrPath: string): string {
  return isAbsolute(nameOrPath) ? nameOrPath : join(kernelConfigs, 'fragments', `${nameOrPath}.config`);
}

/** The names of the shipped fragments. */
export async function fragmentNames(): Promise<readonly string[]> {
  const files = await readdir(join(kernelConfigs, 'fragments'));
  return files.filter((file) => file.endsWith('.config')).map((file) => basename(file, '.config'));
}

const FOLDER_REMEDY =
  'a profile is a .yaml file; a kernel tree goes by --kernel-tree, and saved runs by: cxlrig compare RUN RUN';

async function readProfile(file: string, name: string): Promise<Profile> {
  const text = await readText(file, 'a kernel profile', FOLDER_REMEDY);
  const { value } = parseDocument(text, file, profileDocument);
  const base = dirname(file);
  return {
    name,
    file,
    description: value.description,
    source: withAbsolutePaths(value.source, base),
    config: withAbsoluteFiles(value.config ?? config.parse({}), base),
    patches: (value.patches ?? []).map((written) => absolutePath(written, base)),
    cmdline: value.cmdline,
    abi: value.abi,
  };
}

function withAbsolutePaths(written: KernelSource, base: string): KernelSource {
  const { tree, git: repository, ready: kernel } = written;
  if (tree !== undefined) return { tree: absolutePath(tree, base) };
  if (repository && !/^[\w+.-]+:/.test(repository.repository))
    return { git: { ...repository, repository: absolutePath(repository.repository, base) } };
  if (kernel)
    return {
      ready: {
        image: absolutePath(kernel.image, base),
        modules: absolutePath(kernel.modules, base),
        ...(kernel.config === undefined ? {} : { config: absolutePath(kernel.config, base) }),
      },
    };
  return written;
}

/** A fragment or base that is written with a slash is a file; without one it is a name. */
function withAbsoluteFiles(written: ConfigRequest, base: string): ConfigRequest {
  const file = (name: string) => (looksLikePath(name) ? absolutePath(name, base) : name);
  return { ...written, base: file(written.base), fragments: written.fragments.map(file) };
}

function unknownProfileRemedy(name: string, names: readonly string[]): string {
  const hint = nameHint(name, names, 'the profiles');
  const all = names.length > 0 && !hint.includes(':') ? ` (there are: ${names.join(', ')})` : '';
  return `${hint}${all}`;
}

function looksLikePath(text: string): boolean {
  return text.includes('/') || text.endsWith('.yaml') || text.startsWith('~');
}
