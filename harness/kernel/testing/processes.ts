import { execa } from 'execa';
import { packageRoot } from '../../base/places.js';

/**
 * Runs statements that use `kernel` (harness/kernel/index.ts) in processes of their own, all at the same time.
 * @returns of each `well`, or what it said when it failed
 */
export async function inOtherProcesses(scripts: readonly string[]): Promise<readonly string[]> {
  return Promise.all(
    scripts.map(async (script) => {
      const { failed, stderr } = await execa(
        'node',
        ['--input-type=module', '-e', LOADER.replace('SCRIPT', () => script)],
        {
          cwd: packageRoot,
          reject: false,
          stdin: 'ignore',
        },
      );
      return failed ? stderr : 'well';
    }),
  );
}

/** A process of its own has no TypeScript. */
const LOADER = `
import { createServer } from 'vite';
const server = await createServer({ configFile: false, logLevel: 'silent', server: { middlewareMode: true, hmr: false, watch: null } });
const kernel = await server.ssrLoadModule('/harness/kernel/index.ts');
SCRIPT
process.exit(0);
`;
