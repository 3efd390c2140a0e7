import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { packageRoot } from '../base/places.js';

/** What a CI system would start of a nightly definition: shell lines and the environment that they get. */
export interface StartedJob {
  readonly lines: string;
  readonly env: Readonly<Record<string, string>>;
}

interface GithubWorkflow {
  readonly env: Record<string, unknown>;
  readonly jobs: Record<
    string,
    {
      readonly strategy?: { readonly matrix: Record<string, unknown[]> };
      readonly env?: Record<string, string>;
      readonly steps: { readonly id?: string; readonly run?: string }[];
    }
  >;
}

interface GitlabPipeline {
  readonly variables: Record<string, string>;
  readonly [job: string]: unknown;
}

interface GitlabJob {
  readonly script: string[];
  readonly parallel?: { readonly matrix: Record<string, string[]>[] };
}

export interface KubernetesJob {
  readonly spec: {
    readonly completions: number;
    readonly maxFailedIndexes: number;
    readonly template: {
      readonly spec: {
        readonly containers: [
          { readonly command: [string, string, string]; readonly env: { name: string; value: string }[] },
        ];
      };
    };
  };
}

/** The path of a definition that is shipped. */
export function nightly(name: string): string {
  return join(packageRoot, 'scripts/nightly', name);
}

/** The jobs that GitHub Actions makes of one job and its matrix: the lines are those of its steps that have an id. */
export async function githubJobs(name: string): Promise<StartedJob[]> {
  const workflow = (await read('github-actions.yml')) as GithubWorkflow;
  const job = workflow.jobs[name];
  if (!job) throw new Error(`no job ${name}`);
  const lines = job.steps
    .flatMap(({ id, run }) => (id !== undefined && run !== undefined ? [run] : []))
    .join('\n');
  return combinations(job.strategy?.matrix ?? {}).map((matrix) => {
    const filled = Object.entries(job.env ?? {}).map(([key, value]): [string, string] => [
      key,
      value.replace(/\$\{\{ matrix\.(\w+) \}\}/g, (_, axis: string) => String(matrix[axis])),
    ]);
    return { lines, env: { ...strings(workflow.env), ...Object.fromEntries(filled) } };
  });
}

/** The jobs that GitLab CI makes of one job and its matrix. */
export async function gitlabJobs(name: string): Promise<StartedJob[]> {
  const pipeline = (await read('gitlab-ci.yml')) as GitlabPipeline;
  const job = pipeline[name] as GitlabJob;
  const axes = job.parallel?.matrix ?? [{}];
  return axes
    .flatMap((matrix) => combinations(matrix))
    .map((values) => ({ lines: job.script.join('\n'), env: { ...pipeline.variables, ...strings(values) } }));
}

export async function kubernetesJob(): Promise<KubernetesJob> {
  return (await read('kubernetes.yaml')) as KubernetesJob;
}

/** What the Job's pod of an index starts, when so many kernels and shards are asked for. */
export async function kubernetesPod(index: number): Promise<StartedJob> {
  const { spec } = await kubernetesJob();
  const { command, env } = spec.template.spec.containers[0];
  return {
    lines: command[2],
    env: {
      ...Object.fromEntries(env.map(({ name, value }) => [name, value])),
      JOB_COMPLETION_INDEX: String(index),
    },
  };
}

/** Which kernels and shards the jobs of a matrix name, and how many shards they say there are. */
export function shardsOf(jobs: readonly StartedJob[]): {
  kernels: string[];
  shards: number[];
  declared: number;
} {
  const all = (name: string): string[] => [...new Set(jobs.map(({ env }) => env[name] ?? ''))];
  return { kernels: all('KERNEL'), shards: all('SHARD').map(Number), declared: Number(all('SHARDS')[0]) };
}

async function read(name: string): Promise<unknown> {
  return parse(await readFile(nightly(name), 'utf8')) as unknown;
}

function combinations(axes: Readonly<Record<string, readonly unknown[]>>): Record<string, unknown>[] {
  return Object.entries(axes).reduce<Record<string, unknown>[]>(
    (made, [axis, values]) => made.flatMap((one) => values.map((value) => ({ ...one, [axis]: value }))),
    [{}],
  );
}

function strings(values: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, String(value)]));
}
