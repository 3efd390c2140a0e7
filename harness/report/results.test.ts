import { expect, test } from 'vitest';
import { countGuests } from './results.js';
import type { CaseTrace } from '../trace/trace.js';

const on = (guest?: Partial<NonNullable<CaseTrace['guest']>>): CaseTrace => ({ guest }) as CaseTrace;

test('guests are counted once, by how they came up', () => {
  const traces = [
    on({ reused: false, boot: 'resumed' }),
    on({ reused: true, boot: 'resumed' }),
    on({ reused: false, boot: 'cold', stalls: ['here', 'there'] }),
    on({ reused: false, boot: 'cold', fellBack: true }),
    on({ reused: false }), // of an older run
    on(),
  ];
  expect(countGuests(traces)).toEqual({ resumed: 1, booted: 3, fellBack: 1, stalls: 2 });
});
