import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openRoot, type AptRootOptions } from './apt-root.js';
import { indexFiles, refreshIfOld, remembered } from './debian-index.js';
import { compareVersions } from './debian-packages.js';
import { RigError } from '../errors.js';
import type { Progress } from '../progress.js';
import { runTool } from '../tool.js';

/** One version of a source package in an archive. */
export interface DebianSourcePackage {
  readonly name: string;
  readonly version: string;
  readonly files: readonly DebianSourceFile[];
}

export interface DebianSourceFile {
  readonly name: string;
  /** path below the archive's address */
  readonly path: string;
  readonly sha256: string;
}

export interface DebianSources {
  /**
   * The newest version of a source package.
   * @throws RigError('download') when the suite has none of the name
   */
  resolve(name: string): Promise<DebianSourcePackage>;
  /**
   * Fetches one of its files into a folder, checked against the signed index.
   * @returns its path; undefined when the mirror does not have it: mirrors of sources often are not whole
   */
  download(file: DebianSourceFile, dir: string): Promise<string | undefined>;
}

export interface DebianSourcesOptions extends Pick<AptRootOptions, 'mirror' | 'root' | 'keyring'> {
  readonly suite: string;
  readonly progress: Progress;
}

/** Opens the source packages of a suite, in an apt root of their own: their index is fetched by whoever asks for one. */
export function debianSources({ suite, progress, ...options }: DebianSourcesOptions): DebianSources {
  let opened: ReturnType<typeof openRoot> | undefined;
  const root = () => (opened ??= openRoot({ ...options, suites: [suite], kind: 'source' }));
  return {
    async resolve(name) {
      const apt = await root();
      await refreshIfOld(apt, progress);
      return remembered(apt, `source ${name}`, async () => {
        const texts = await Promise.all((await indexFiles(apt)).map(([, file]) => readFile(file, 'utf8')));
        const found = texts
          .flatMap((text) => sourcesNamed(name, text))
          .sort((a, b) => compareVersions(b.version, a.version))[0];
        if (found) return found;
        throw new RigError(
          'download',
          `no source package '${name}' in ${suite} of the Debian archive ${apt.mirror}`,
          'check the name and the suite, or choose another mirror by CXLRIG_MIRROR',
        );
      });
    },

    async download({ name, path, sha256 }, dir) {
      const apt = await root();
      await mkdir(dir, { recursive: true });
      const target = join(dir, name);
      progress({ task: 'fetch the sources', detail: name });
      try {
        await runTool({
          program: '/usr/lib/apt/apt-helper',
          args: [
            '-c',
            apt.config,
            'download-file',
            `${apt.mirror.replace(/\/+$/, '')}/${path}`,
            target,
            `SHA256:${sha256}`,
          ],
          purpose: `fetch ${name}`,
          stage: 'download',
        });
        return target;
      } catch (error) {
        if (error instanceof RigError && /\b404\b|Not Found/.test(error.evidence.join('\n')))
          return undefined;
        throw error;
      }
    },
  };
}

/** The stanzas of a Sources file (deb822) of one name: pure. */
export function sourcesNamed(name: string, text: string): DebianSourcePackage[] {
  const found: DebianSourcePackage[] = [];
  const heading = `\nPackage: ${name}\n`;
  const whole = `\n${text}`;
  for (let at = whole.indexOf(heading); at >= 0; at = whole.indexOf(heading, at + 1)) {
    const start = whole.lastIndexOf('\n\n', at) + 1;
    const end = whole.indexOf('\n\n', at + 1);
    found.push(parseStanza(name, whole.slice(start, end < 0 ? undefined : end)));
  }
  return found;
}

function parseStanza(name: string, stanza: string): DebianSourcePackage {
  const field = (key: string) =>
    new RegExp(`^${key}:(.*(?:\n[ \t].*)*)`, 'm').exec(stanza)?.[1]?.trim() ?? '';
  const folder = field('Directory');
  return {
    name,
    version: field('Version'),
    files: field('Checksums-Sha256')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter((words) => words.length === 3)
      .map(([sha256 = '', , file = '']) => ({ name: file, path: `${folder}/${file}`, sha256 })),
  };
}
