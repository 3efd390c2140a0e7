import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { diffStates } from './diff.js';
import { leftoverWords } from './leftover-words.js';
import { leftoversOf } from './leftovers.js';
import { parseState } from './parse-state.js';
import type { State } from './state.js';

const read = (name: string): State =>
  parseState(readFileSync(new URL(`fixtures/state-${name}.txt`, import.meta.url), 'utf8'));
const boot = read('7.3-boot');
const online = read('7.3-region-online');

const words = (before: State, after: State, steps: Parameters<typeof leftoverWords>[3] = []): string[] =>
  leftoverWords(leftoversOf(before, after), before, after, steps);

test('what a region leaves is told by the kernel’s names, with values', () => {
  const told = words(boot, online);
  expect(told).toContain('region0 is there');
  expect(told).toContain('dax0.0 is there');
  expect(told).toContain('memory block 186 is there');
  expect(told.find((line) => line.startsWith('decoder2.0:'))).toMatch(/dpa_size 0 -> 0x20000000/);
  expect(told.filter((line) => line.includes('@'))).toEqual([]);
});

test('a thing is told once, by its state when that changed, and with the step that did it', () => {
  const [block] = [online.memoryBlocks[186]].flatMap((one) => one ?? []);
  if (!block) throw new Error('the fixture has no such block');
  const offline = {
    ...online,
    memoryBlocks: { ...online.memoryBlocks, 186: { ...block, state: 'offline' } },
  };
  offline.memoryBlocks[186] = {
    ...offline.memoryBlocks[186],
    state: 'offline',
    zones: ['Normal', 'Movable'],
  };
  const changes = diffStates(online, offline);
  const steps = [
    { id: '1', changes },
    { id: '2', changes: [] },
  ];
  expect(words(online, offline, steps)).toEqual(['memory block 186: online -> offline, by step 1']);
});

test('what is gone is told by the name that it had, a setting by its file', () => {
  const policy = { ...online, autoOnlineBlocks: 'offline' };
  expect(words(online, policy)).toEqual([`auto_online_blocks: ${online.autoOnlineBlocks} -> offline`]);
  expect(words(online, boot)).toContain('region0 is gone');
});

test('of memory that came online where it can’t go again it is said first, with what to write instead', () => {
  const inZone = (zone: string): State => ({
    ...online,
    memoryBlocks: Object.fromEntries(
      Object.entries(online.memoryBlocks).map(([number, block]) => [
        number,
        number in boot.memoryBlocks ? block : { ...block, zones: [zone] },
      ]),
    ),
  });
  const [hint, ...rest] = words(boot, inZone('Normal'));
  expect(hint).toMatch(/zone Normal.*`set` auto_online_blocks to online_movable/);
  expect(rest).toEqual(words(boot, inZone('Movable')));
});
