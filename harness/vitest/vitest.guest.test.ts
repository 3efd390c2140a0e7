import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../base/places.js';
import { readRun } from '../report/saved-run.js';
import { processesIn, workFolder } from '../testing/command.js';

const MINUTE = 60_000;
const vitest = join(packageRoot, 'node_modules/.bin/vitest');

async function runVitest(root: string, ...args: string[]) {
  const { all, exitCode } = await execa(vitest, ['run', '--root', root, ...args], {
    cwd: root,
    reject: false,
    all: true,
    stdin: 'ignore',
    env: { NO_COLOR: '1', VITEST: undefined, VITEST_POOL_ID: undefined, VITEST_WORKER_ID: undefined },
    timeout: 10 * MINUTE,
  });
  return { text: all, exitCode };
}

/** A vitest project of somebody who has cxlrig among the dependencies, with these tests. */
async function project(tests: string): Promise<string> {
  const root = await workFolder();
  await mkdir(join(root, 'node_modules'));
  await symlink(packageRoot, join(root, 'node_modules/cxlrig'));
  await symlink(join(packageRoot, 'node_modules/vitest'), join(root, 'node_modules/vitest'));
  await writeFile(join(root, 'package.json'), '{ "type": "module" }');
  await writeFile(
    join(root, 'vitest.config.ts'),
    `import { cxlrig } from 'cxlrig/vitest/plugin';\nexport default { plugins: [cxlrig({ out: 'runs' })] };\n`,
  );
  await writeFile(join(root, 'own.test.ts'), tests);
  return root;
}

async function onlyRun(dir: string) {
  const [name = ''] = await readdir(dir);
  return readRun(join(dir, name));
}

describe('cxlrig/vitest', () => {
  test('runs what is shipped: cases in TypeScript and in YAML side by side in one report', async () => {
    const out = await workFolder();
    const examples = join(packageRoot, 'scenarios/typescript');
    const config = join(out, 'vitest.config.mjs');
    await writeFile(
      config,
      `import { cxlrig } from ${JSON.stringify(join(packageRoot, 'dist/harness/vitest/plugin.js'))};
       export default { plugins: [cxlrig({ out: ${JSON.stringify(join(out, 'runs'))} })], test: { include: ['*.test.ts'], cache: false } };`,
    );
    const { text, exitCode } = await runVitest(examples, '--config', config);
    expect(text).toMatch(/8 cases of cxlrig: .*report\.html/);
    expect(exitCode).toBe(0);
    const { dir, summary, traces } = await onlyRun(join(out, 'runs'));
    expect(traces.map(({ verdict }) => verdict)).toEqual(Array(8).fill('pass'));
    expect(summary).toMatchObject({ exitCode: 0, environment: { kernels: [{ profile: 'stock' }] } });
    const ids = traces.map(({ case: { id } }) => id);
    expect(ids).toContain('current/refuse-bind [stage=create]');
    expect(ids).toContain('walk [memory blocks follow their model on the random walk 1]');
    // a guest serves what comes after, and leaves are as of a scenario
    expect((summary.guests?.resumed ?? 0) + (summary.guests?.booted ?? 0)).toBeLessThan(8);
    const walk = traces.find(({ case: { id } }) => id.includes('walk 1'));
    expect(walk?.steps.at(-2)).toMatchObject({ id: 'cleanup.1', kind: 'destroy-region', outcome: 'pass' });
    expect(await readFile(join(dir, walk?.artifacts ?? '', 'repro.sh'), 'utf8')).toContain(
      '/sys/devices/system/memory/auto_online_blocks',
    );
    expect(await readFile(join(dir, 'junit.xml'), 'utf8')).toContain('random walk 2');
  });

  test('makes of each failure what a scenario would make of it, at its place in the test', async () => {
    const root = await project(`import { test, scenarios } from 'cxlrig/vitest';
import { describe, expect } from 'vitest';

test('a refusal that nobody expected', async ({ cxl }) => {
  await cxl.bind('cxl_region', 'region7');
});
test('an expectation that does not hold', async ({ cxl, expectState }) => {
  const region = await cxl.createRegion({ targets: ['mem0'], size: '256M' });
  await expectState({ region: { name: region, driver: 'kmem' }, within: '200ms' });
});
test('an assertion of its own', async ({ guest }) => {
  expect(await guest.sh('echo 1')).toBe('2');
});
test('something that is left behind', async ({ guest }) => {
  await guest.write('/sys/devices/system/memory/auto_online_blocks', 'offline');
});
test('a refusal that is expected', async ({ cxl, guest }) => {
  await cxl.bind('cxl_region', 'region7', { fails: 'ENODEV' });
  expect(guest.state().regions).toEqual({});
});
describe('on a kernel without it', () => {
  test.use({ requires: [{ driver: { bus: 'cxl', name: 'no_such_region' } }] });
  test('is skipped', async ({ guest }) => {
    await guest.sh('false');
  });
});
describe('with a bug that is known', () => {
  test.use({ knownBugs: [{ because: 'commit 1234' }] });
  test('fails as declared', async ({ guest }) => {
    await guest.sh('false');
  });
});
test('no step of the language', async ({ guest }) => {
  await guest.step({ reed: { path: '/x' } } as never);
});
test('a device that the topology lacks', async ({ cxl }) => {
  await cxl.createRegion({ targets: ['mem9'] });
});
test('needs no guest, and has none', () => {
  expect(1).toBe(1);
});
`);
    const { text, exitCode } = await runVitest(root);
    expect(exitCode).toBe(1);
    const { summary, traces } = await onlyRun(join(root, 'runs'));
    const told = traces.map(({ case: { title }, verdict, reason }) => [
      title,
      verdict,
      reason?.split('\n')[0],
    ]);
    expect(told).toEqual([
      ['a refusal that nobody expected', 'fail', expect.stringContaining('ENODEV') as string],
      ['an expectation that does not hold', 'fail', expect.stringContaining('driver') as string],
      ['an assertion of its own', 'fail', expect.stringContaining("expected '1' to be '2'") as string],
      ['something that is left behind', 'fail', expect.stringContaining('auto_online_blocks') as string],
      ['a refusal that is expected', 'pass', undefined],
      ['is skipped', 'skip', expect.stringContaining('no_such_region') as string],
      ['fails as declared', 'known-bug', expect.stringContaining('commit 1234') as string],
      ['no step of the language', 'infra', expect.stringContaining('not a step of the language') as string],
      ['a device that the topology lacks', 'infra', expect.stringContaining('did you mean mem0') as string],
    ]);
    expect(summary.exitCode).toBe(1);
    const [refusal] = traces;
    expect(refusal?.steps[0]?.position).toMatchObject({ file: join(root, 'own.test.ts'), line: 5 });
    expect(traces[2]?.reason).toBeDefined();
    expect(text).toMatch(/6 failed/);
    expect(text).toMatch(/1 skipped/);
    expect(text).toMatch(/3 passed/);
    expect(await processesIn(root)).toEqual([]);
  });

  test('does what its page shows', async () => {
    const page = await readFile(join(packageRoot, 'scenarios/typescript/README.md'), 'utf8');
    const [config = '', example = ''] = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code);
    const root = await project(example);
    await writeFile(join(root, 'vitest.config.ts'), config);
    const { text, exitCode } = await runVitest(root);
    expect(text).toMatch(/6 cases of cxlrig: \.cxlrig\/runs\/.*report\.html/);
    expect(exitCode).toBe(0);
  });

  test('says what is missing where the project has no plugin', async () => {
    const root = await project(`import { test } from 'cxlrig/vitest';
test('with a guest', async ({ guest }) => { await guest.sh('true'); });
`);
    await writeFile(join(root, 'vitest.config.ts'), 'export default {};\n');
    const { text, exitCode } = await runVitest(root);
    expect(text).toContain('vitest does not know of cxlrig');
    expect(text).toContain('plugins: [cxlrig()]');
    expect(exitCode).toBe(1);
  });
});
