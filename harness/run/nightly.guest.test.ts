import { readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { cacheRoot, packageRoot } from '../base/places.js';
import { readRun } from '../report/saved-run.js';
import { workFolder } from '../testing/command.js';
import { githubJobs, gitlabJobs, kubernetesPod, type StartedJob } from '../testing/nightly.js';

const MINUTE = 60_000;
const SHARDS = 2;
/** Two scenarios of one machine: each shard gets cases of both. */
const SCENARIOS = 'current/region-to-kmem current/refuse-target';

/** Those of a matrix that a night with the stock kernel and so many shards would start. */
function smallNight(jobs: readonly StartedJob[]): StartedJob[] {
  return jobs.filter(({ env }) => env['KERNEL'] === 'stock' && Number(env['SHARD']) <= SHARDS);
}

/** Does what the CI system does: starts the lines in a checkout, with their environment. */
async function start({ lines, env }: StartedJob, dir: string): Promise<string> {
  const { exitCode, all } = await execa('sh', ['-e', '-c', lines], {
    cwd: dir,
    env: {
      ...env,
      CXLRIG_CACHE: cacheRoot(),
      RESULTS: join(dir, 'results'),
      SCENARIOS,
      SHARDS: String(SHARDS),
      CI: 'true',
    },
    all: true,
    reject: false,
    stdin: 'ignore',
    timeout: 15 * MINUTE,
  });
  expect(exitCode, all).toBe(0);
  return all;
}

test.each([
  ['GitHub Actions', async () => smallNight(await githubJobs('run')), () => githubJobs('report')],
  ['GitLab CI', async () => smallNight(await gitlabJobs('run')), () => gitlabJobs('report')],
  ['Kubernetes', () => Promise.all([0, 1].map((index) => kubernetesPod(index))), () => gitlabJobs('report')],
])(
  'what %s would start on its machines gives one page with every case once',
  { timeout: 20 * MINUTE },
  async (_, shardJobs, mergeJobs) => {
    const dir = await workFolder();
    await symlink(join(packageRoot, 'scripts'), join(dir, 'scripts'));
    await Promise.all((await shardJobs()).map((job) => start(job, dir)));
    expect((await readdir(join(dir, 'results'))).sort()).toEqual(['stock-1', 'stock-2']);
    for (const job of await mergeJobs()) await start(job, dir);
    const { traces, summary } = await readRun(join(dir, 'merged'));
    const ids = traces.map((trace) => trace.case.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(traces.map((trace) => trace.case.scenario)).size).toBe(2);
    expect(summary.counts).toMatchObject({ pass: ids.length, fail: 0, infra: 0 });
    expect(await readdir(join(dir, 'merged'))).toContain('report.html');
  },
);
