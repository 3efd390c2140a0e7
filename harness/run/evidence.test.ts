import { expect, test } from 'vitest';
import { sampleRun } from '../report/testing/sample-run.js';
import type { CaseTrace, StepTrace } from '../trace/trace.js';
import { evidenceIn } from './evidence.js';

const { traces } = await sampleRun();
const [sample] = traces as [CaseTrace];

function step(id: string, log: string, calls?: string): StepTrace {
  const [like] = sample.steps as [StepTrace];
  return { ...like, id, log, outcome: 'pass', ...(calls !== undefined && { calls }) };
}

test('evidence is of the step that failed and of those before it which have something to show', () => {
  const position = { file: 'a.yaml', line: 1, column: 1 };
  const failure = { message: 'EINVAL', position, step: '3', blame: 'kernel' } as const;
  const again: CaseTrace = {
    ...sample,
    verdict: 'fail',
    failure,
    artifacts: 'cases/a/evidence',
    steps: [
      step('1', '[ 1.0] cxlrig: echo 1 > a\n'),
      step('2', '[ 1.0] cxlrig: echo 1 > a\n[ 1.1] cxl region0: mem0 added\n'),
      step('3', '', 'target0_store();'),
      step('cleanup.1', '[ 1.2] cxl region0: gone\n'),
    ],
  };
  expect(evidenceIn(again, again)).toMatchObject({
    verdict: 'fail',
    artifacts: 'cases/a/evidence',
    steps: [{ id: '2' }, { id: '3', calls: 'target0_store();' }],
  });
});
