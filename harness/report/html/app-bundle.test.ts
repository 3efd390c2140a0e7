import { build } from 'esbuild';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { packageRoot } from '../../base/places.js';

test('every source of the report page is in the package, which bundles it where it is installed', async () => {
  const { metafile } = await build({
    absWorkingDir: packageRoot,
    entryPoints: ['harness/report/html/app/main.ts', 'harness/report/html/app/style.css'],
    bundle: true,
    write: false,
    metafile: true,
    outdir: 'nowhere',
  });
  const pack = await execa('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: packageRoot });
  const [{ files }] = JSON.parse(pack.stdout) as [{ files: { path: string }[] }];
  const packed = new Set(files.map(({ path }) => path));
  expect(Object.keys(metafile.inputs).filter((source) => !packed.has(source))).toEqual([]);
});
