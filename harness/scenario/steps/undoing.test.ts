import { expect, test } from 'vitest';
import type { State } from '../../abi/index.js';
import type { Step } from '../case.js';
import type { Deed } from './context.js';
import { undoing } from './undoing.js';

const step = { position: { file: 'a.yaml', line: 3, column: 1 } } as Step;
const region = (name: string, isGone = false): Deed => ({
  kind: 'region',
  region: { kind: 'region', name, decoders: [`${name}-decoder`], isGone },
  step,
});
const set: Deed = { kind: 'set', path: '/sys/a', before: 'offline', step };

function documents(done: readonly Deed[], state: Partial<State>): unknown[] {
  const whole = { regions: {}, decoders: {}, ...state } as State;
  return undoing({ done: new Set(done), state: whole, broken: undefined }).map(({ document }) => document);
}

test('what was done is undone in reverse order', () => {
  const regions = { region0: {}, region1: {} } as unknown as State['regions'];
  expect(documents([set, region('region0'), region('region1')], { regions })).toEqual([
    { 'destroy-region': { region: 'region1' } },
    { 'destroy-region': { region: 'region0' } },
    { name: '/sys/a as it was', write: { path: '/sys/a', value: 'offline' } },
  ]);
});

test('a region that is gone needs nothing, unless its decoders still hold DPA', () => {
  const held = (dpaSize: number, of?: string): State['decoders'] =>
    ({ 'region0-decoder': { dpaSize, region: of } }) as unknown as State['decoders'];
  expect(documents([region('region0', true)], { decoders: held(0) })).toEqual([]);
  expect(documents([region('region0', true)], { decoders: held(4096, 'region1') })).toEqual([]);
  expect(documents([region('region0', true)], { decoders: held(4096) })).toHaveLength(1);
});

test('another region of the same name is left to whoever made it', () => {
  const regions = { region0: {} } as unknown as State['regions'];
  expect(documents([region('region0', true)], { regions })).toEqual([]);
});
