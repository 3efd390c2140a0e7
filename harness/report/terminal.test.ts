import { expect, test } from 'vitest';
import { caseText } from './terminal.js';
import { fixtureCase } from './testing/fixture-run.js';

test('a line that failed is shown with the end of what it printed', async () => {
  const trace = await fixtureCase('wrong-zone');
  const line = { text: './some-test', channel: 'sh', at: 0, milliseconds: 1, code: 127 } as const;
  const numbers = Array.from({ length: 9 }, (_, index) => `line ${index}`).join('\n');
  const steps = trace.steps.map((step) => ({ ...step, lines: [{ ...line, stdout: `${numbers}\n` }] }));
  const text = caseText({ ...trace, steps }, '.', { color: false });
  expect(text).toContain('typed     ./some-test   -> exit 127\n');
  expect(text).toContain('printed   line 8\n');
  expect(text).not.toContain('line 2');
});
