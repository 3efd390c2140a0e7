import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { nameHint, parseDocument } from '../base/document/document.js';
import { readText } from '../base/document/read-text.js';
import { UsageError } from '../base/errors.js';
import { packageRoot } from '../base/places.js';
import { yamlNames } from '../base/document/yaml.js';
import { absolutePath } from '../base/document/written-path.js';

/** The language of tool profiles, version 1. Relative paths are relative to the profile's file. */

const path = z.string().min(1);

const source = z
  .strictObject({
    'debian-packages': z
      .strictObject({})
      .optional()
      .meta({ description: "the guest image's own packages: nothing is built" }),
    'debian-source': z
      .strictObject({
        package: z.string().min(1).default('ndctl').meta({ description: 'a source package' }),
        suite: z.string().min(1).meta({ description: 'stable, testing, ...' }),
      })
      .optional(),
    tree: path.optional().meta({ description: 'a local ndctl tree; nothing is ever written into it' }),
    git: z
      .strictObject({
        repository: z.string().min(1).meta({ description: 'a path or an address that git clones from' }),
        revision: z.string().min(1).meta({ description: 'a branch, a tag or a full commit id' }),
      })
      .optional(),
  })
  .refine((value) => Object.values(value).filter((kind) => kind !== undefined).length === 1, {
    message: 'tools come from exactly one source: debian-packages, debian-source, tree or git',
  });

export const toolsDocument = z
  .strictObject({
    cxlrig: z.literal(1).meta({ description: 'version of the profile language' }),
    description: z.string().min(1),
    source,
    patches: z
      .array(path)
      .optional()
      .meta({ description: 'series to apply, in order: folders, mailboxes or patch files' }),
  })
  .superRefine((value, context) => {
    if (value.source['debian-packages'] !== undefined && value.patches !== undefined)
      context.addIssue({
        code: 'custom',
        path: ['patches'],
        message: "Debian's packages are not built here, so they take no patches",
      });
  });

export type ToolsSource = z.output<typeof source>;

/** Which cxl, daxctl and ndctl a guest has. All paths are absolute. */
export interface ToolsProfile {
  /** as `--tools` takes it: the file's name for shipped ones, the path otherwise */
  readonly name: string;
  readonly description: string;
  readonly file: string;
  readonly source: ToolsSource;
  readonly patches: readonly string[];
}

/** Where the shipped profiles are. */
export const toolProfiles: string = join(packageRoot, 'images', 'tools');

/** Whether the tools are compiled here: then they can be patched. */
export function areBuilt({ source: { 'debian-packages': packages } }: ToolsProfile): boolean {
  return packages === undefined;
}

/**
 * A profile by its name (shipped) or by a path.
 * @throws UsageError naming what there is when there is no such profile, DocumentError when the file is not right
 */
export async function loadTools(nameOrPath: string, folder: string = toolProfiles): Promise<ToolsProfile> {
  const shipped = join(folder, `${nameOrPath}.yaml`);
  if (/^[\w.+-]+$/.test(nameOrPath) && existsSync(shipped)) return readProfile(shipped, nameOrPath);
  const file = resolve(nameOrPath);
  const isPath = nameOrPath.includes('/') || nameOrPath.endsWith('.yaml');
  if (isPath && existsSync(file)) return readProfile(file, nameOrPath);
  throw new UsageError(
    isPath ? `there is no profile of tools ${file}` : `there are no tools '${nameOrPath}'`,
    nameHint(nameOrPath, await yamlNames(folder), 'the profiles'),
  );
}

/** All shipped profiles, by name. */
export async function listTools(folder: string = toolProfiles): Promise<readonly ToolsProfile[]> {
  return Promise.all((await yamlNames(folder)).map((name) => loadTools(name, folder)));
}

async function readProfile(file: string, name: string): Promise<ToolsProfile> {
  const remedy = 'a profile is a .yaml file; a tree of ndctl goes by --ndctl-tree';
  const text = await readText(file, 'a tools profile', remedy);
  const { value } = parseDocument(text, file, toolsDocument);
  const base = dirname(file);
  return {
    name,
    file,
    description: value.description,
    source: withAbsolutePaths(value.source, base),
    patches: (value.patches ?? []).map((written) => absolutePath(written, base)),
  };
}

function withAbsolutePaths(written: ToolsSource, base: string): ToolsSource {
  const { tree, git } = written;
  if (tree !== undefined) return { tree: absolutePath(tree, base) };
  if (git && !/^[\w+.-]+:/.test(git.repository))
    return { git: { ...git, repository: absolutePath(git.repository, base) } };
  return written;
}
