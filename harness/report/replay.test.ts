import { describe, expect, test } from 'vitest';
import { diffStates } from '../abi/diff.js';
import type { State } from '../abi/state.js';
import { sampleRun } from './testing/sample-run.js';
import type { StepTrace } from '../trace/trace.js';
import { applyChanges, replay } from './replay.js';

async function sampleTrace() {
  const { traces } = await sampleRun();
  const [trace] = traces;
  if (!trace?.initialState) throw new Error('the sample has no such case');
  return { ...trace, initialState: trace.initialState };
}

function step(id: string, kind: string, before: State, after: State): StepTrace {
  return {
    id,
    kind,
    title: id,
    position: { file: 'x.yaml', line: 1, column: 1 },
    startedAt: 0,
    milliseconds: 0,
    outcome: 'pass',
    lines: [],
    changes: diffStates(before, after),
    log: '',
    splats: [],
    qmp: [],
  };
}

describe('replaying a trace', () => {
  test('leads exactly to the states that the changes were taken from', async () => {
    const trace = await sampleTrace();
    const passages = replay(trace);
    expect(passages).toHaveLength(trace.steps.length);
    for (const [index, { before, after }] of passages.entries()) {
      expect(diffStates(before, after)).toEqual(trace.steps[index]?.changes);
    }
    const last = passages.at(-1)?.after;
    expect(last && diffStates(trace.initialState, last)).toEqual([]);
  });

  test('finds names with dots in them, and takes away what is gone', async () => {
    const { initialState } = await sampleTrace();
    const daxDevices = { 'dax0.0': { driver: 'kmem', size: 1 } };
    const later: State = { ...initialState, daxDevices };
    const there = applyChanges(initialState, diffStates(initialState, later));
    expect(there.daxDevices).toEqual(daxDevices);
    expect(applyChanges(there, diffStates(later, initialState))).toEqual(initialState);
  });

  test('takes the state after a step with steps in it from the whole, not from the last one within', async () => {
    const { initialState: first } = await sampleTrace();
    const second: State = { ...first, autoOnlineBlocks: 'offline' };
    const third: State = { ...first, deviceNodes: ['dax0.0'] };
    const passages = replay({
      initialState: first,
      steps: [
        step('1', 'repeat', first, third),
        step('1.1.1', 'write', first, second),
        step('1.1.2', 'write', second, third),
        step('2', 'write', third, second),
      ],
    });
    expect(passages.map(({ before }) => before)).toEqual([first, first, second, third]);
    expect(passages.map(({ after }) => after)).toEqual([third, second, third, second]);
  });

  test('shows the branches of a parallel step the states of the whole', async () => {
    const { initialState: first } = await sampleTrace();
    const second: State = { ...first, autoOnlineBlocks: 'offline' };
    const passages = replay({
      initialState: first,
      steps: [step('1', 'parallel', first, second), step('1.1.1', 'write', first, first)],
    });
    expect(passages[1]).toEqual({ before: first, after: second });
  });

  test('has nothing to show of a case without a guest', () => {
    expect(replay({ steps: [] })).toEqual([]);
  });
});
