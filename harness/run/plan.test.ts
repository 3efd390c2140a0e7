import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { makePlan } from './plan.js';
import type { RunRequest } from './request.js';

const file = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const plan = (path: string) => makePlan({ scenarios: [file(path)], kernels: [] } as unknown as RunRequest);

test('what is no scenario is refused as what it is', async () => {
  await expect(plan('scenarios/topologies/two-ports.yaml')).rejects.toMatchObject({
    message: expect.stringContaining('is a topology') as unknown,
    remedy: expect.stringContaining('topology: ./two-ports.yaml') as unknown,
  });
  await expect(plan('kernel-configs/minimal.yaml')).rejects.toThrow('is a kernel profile');
});

test('a scenario that is wrong is refused for what is wrong in it', async () => {
  await expect(plan('harness/scenario/load/broken/unknown-step.yaml')).rejects.toThrow('unknown-step.yaml:');
});
