import { join } from 'node:path';
import { build } from 'esbuild';
import { packageRoot } from '../../base/places.js';

/** The page's program and its style, each as one text. */
export interface AppBundle {
  readonly script: string;
  readonly style: string;
}

let bundle: Promise<AppBundle> | undefined;

/**
 * Bundles the page's sources, which ship with the package, when the first report is made (some 50 ms): there is no
 * second build step that could be forgotten, and the page is never older than the code that fills it.
 */
export function appBundle(): Promise<AppBundle> {
  return (bundle ??= makeBundle());
}

const APP = join(packageRoot, 'harness', 'report', 'html', 'app');

async function makeBundle(): Promise<AppBundle> {
  const { outputFiles } = await build({
    entryPoints: [join(APP, 'main.ts'), join(APP, 'style.css')],
    bundle: true,
    write: false,
    outdir: APP,
    minify: true,
    format: 'iife',
    target: 'es2022',
    // the checkout's tsconfig.json is not in the package, and only for the type checker
    tsconfigRaw: {},
    charset: 'utf8',
    logLevel: 'silent',
  });
  const text = (ending: string): string => {
    const file = outputFiles.find(({ path }) => path.endsWith(ending));
    if (!file) throw new Error(`esbuild made no ${ending} of the report page`);
    return file.text.trim();
  };
  return { script: text('.js'), style: text('.css') };
}
