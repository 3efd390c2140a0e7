import { describe, expect, test } from 'vitest';
import { sampleRun } from '../../../testing/sample-run.js';
import { cellKind, memoryMap, type MapNode } from './memory-blocks.js';
import { replay } from '../../../replay.js';

async function mapAfter(step: number): Promise<MapNode[]> {
  const { traces } = await sampleRun();
  const [trace] = traces;
  const passage = trace && replay(trace)[step - 1];
  if (!passage) throw new Error('the sample has no such step');
  return memoryMap(passage.after, passage.before);
}

const shape = (nodes: readonly MapNode[]) =>
  nodes.flatMap(({ node, groups }) =>
    groups.map(({ region, cells }) => ({
      node,
      region,
      changes: cells.map(({ change }) => change ?? 'same'),
    })),
  );

describe('the memory map', () => {
  test('shows a region without memory blocks by itself', async () => {
    expect(shape(await mapAfter(1)).at(-1)).toEqual({ node: undefined, region: 'region0', changes: [] });
  });

  test('groups blocks by node and region, and marks those that appeared', async () => {
    expect(shape(await mapAfter(2))).toEqual([
      { node: 0, region: undefined, changes: Array.from({ length: 8 }, () => 'same') },
      { node: 1, region: 'region0', changes: ['appeared', 'appeared', 'appeared', 'appeared'] },
    ]);
  });

  test('marks the block whose state changed', async () => {
    expect(shape(await mapAfter(4))[1]?.changes).toEqual(['same', 'same', 'changed', 'same']);
  });

  test('keeps blocks that vanished on show for that one step', async () => {
    expect(shape(await mapAfter(5))[1]?.changes).toEqual(['vanished', 'vanished', 'vanished', 'vanished']);
  });
});

test('dynamic capacity is told by its place in its region, with what the step did to it', async () => {
  const { traces } = await sampleRun();
  const state = traces[0] && replay(traces[0])[1]?.after;
  if (!state) throw new Error('the sample has no such step');
  const extent = (offset: number) => ({ region: 'region0', offset, length: 128, dax: 'dax0.0' });
  const map = memoryMap(
    { ...state, extents: { 'extent0.2': extent(256), 'extent0.1': extent(128) } },
    { ...state, extents: { 'extent0.0': extent(0), 'extent0.1': extent(128) } },
  );
  const [region] = map.flatMap(({ groups }) => groups).filter((group) => group.region === 'region0');
  expect(region?.extents.map(({ name, change = 'same' }) => [name, change])).toEqual([
    ['extent0.0', 'vanished'],
    ['extent0.1', 'same'],
    ['extent0.2', 'appeared'],
  ]);
});

test.each([
  ['online', ['Movable'], 'movable'],
  ['online', ['DMA32'], 'dma'],
  ['online', ['none'], 'other'],
  ['offline', ['Normal', 'Movable'], 'offline'],
  ['going-offline', ['Movable'], 'going-offline'],
])('a block that is %s in %j is drawn as %s', (state, zones, kind) => {
  expect(cellKind({ state, zones, node: 0, physAddress: 0 })).toBe(kind);
});
