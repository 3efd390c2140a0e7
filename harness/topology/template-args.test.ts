import { expect, test } from 'vitest';
import { argsWithMemoryFiles, argsWithoutDevices } from './template-args.js';
import { loadTopology } from './load.js';

const valuesOf = (args: readonly string[], option: string): string[] =>
  args.filter((_, n) => args[n - 1] === option);

test('machines that differ in their devices alone are the same without them', async () => {
  const shapes = await Promise.all(
    ['one-volatile', 'one-persistent', 'mixed'].map(async (name) =>
      argsWithoutDevices(await loadTopology(name)).join(' '),
    ),
  );
  expect(shapes[0]).not.toContain('cxl-type3');
  expect(shapes[0]).toContain('cxl-rp');
  expect(new Set(shapes).size).toBe(1);
});

test('machines of another shape are not', async () => {
  const shapes = await Promise.all(
    ['one-volatile', 'passthrough', 'two-ports', 'one-switch', 'two-nodes', 'hmat', 'none'].map(
      async (name) => JSON.stringify(argsWithoutDevices(await loadTopology(name))),
    ),
  );
  expect(new Set(shapes).size).toBe(shapes.length);
});

test('the memory becomes a file of the folder that guests may only read', async () => {
  const { qemuArgs, memoryBytes } = await loadTopology('one-volatile');
  const args = argsWithMemoryFiles(qemuArgs, memoryBytes, { folder: '/t,1', access: 'private' });
  expect(JSON.parse(valuesOf(args, '-object')[0] ?? '')).toEqual({
    'qom-type': 'memory-backend-file',
    id: 'ram',
    size: 2 ** 30,
    'mem-path': '/t,1/ram',
    share: false,
    readonly: true,
    rom: 'off',
  });
  expect(valuesOf(args, '-M')).toContain('memory-backend=ram');
});

test('the memory of each node becomes a file of its own', async () => {
  const { qemuArgs, memoryBytes } = await loadTopology('two-nodes');
  const args = argsWithMemoryFiles(qemuArgs, memoryBytes, { folder: '/t', access: 'shared' });
  const paths = valuesOf(args, '-object').flatMap(
    (json) => (JSON.parse(json) as { 'mem-path'?: string })['mem-path'] ?? [],
  );
  expect(paths).toEqual(['/t/node0-memory', '/t/node1-memory']);
  expect(valuesOf(args, '-M')).not.toContain('memory-backend=ram');
});
