import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vitest/config';

const worker = fileURLToPath(new URL('./worker.js', import.meta.url));

/** Makes a scenario file a test module: importing `x.yaml` defines one test a case. */
export function scenarioPlugin(): Plugin {
  return {
    name: 'cxlrig-scenario',
    enforce: 'pre',
    load(id) {
      const [file] = id.split('?');
      if (!file || !/\.ya?ml$/.test(file)) return undefined;
      return `import { defineCases } from ${JSON.stringify(worker)};\nawait defineCases(${JSON.stringify(file)});\n`;
    },
  };
}

/** Code that workers load as it is: our own build, which Vite has nothing to add to. */
export const externalCode = /\/dist\/harness\//;
