import { z } from 'zod';
import { quote } from '../../base/sh-quote.js';
import { amount, text } from '../language/scalars.js';
import { parseTrace, plainEventName, tracing, type TraceEvent } from '../steps/trace-events.js';
import { amountWords, isAmount, SOME } from './amount.js';
import { defineClause, type Question } from './definition.js';

/** The trace's lines of one event: a busy trace is larger than what is read of a file. */
function eventsOf(event: string): Question {
  return `echo; grep -F ${quote(`: ${event}: `)} ${tracing}/trace | head -c ${MOST_OF_TRACE}`;
}

const MOST_OF_TRACE = 2 ** 20;

/** The kernel's own description of an event, whichever its system. */
function formatOf(event: string): Question {
  return `for f in ${tracing}/events/*/${quote(event)}/format; do [ -e $f ] && echo && cat $f; done`;
}

/** Events of the trace since the case began: how many there are with the values that the clause wants. */
export const trace = defineClause({
  schema: z
    .strictObject({
      event: text,
      count: amount.optional().meta({ description: 'so many of them, 0: none; at least one when absent' }),
      fields: z
        .record(z.string(), text)
        .optional()
        .meta({ description: 'only those with these values; numbers are compared as numbers' }),
    })
    .meta({ description: 'trace events since the case began' }),
  selectors: [],
  expectsByItself: true,
  asks: ({ event, fields }) => [
    eventsOf(plainEventName(event)),
    ...(fields === undefined ? [] : [formatOf(plainEventName(event))]),
  ],
  misses(clause, world) {
    const name = plainEventName(clause.event);
    const wanted = clause.count ?? SOME;
    const fields = Object.entries(clause.fields ?? {});
    const isHex = hexadecimalFields(world.answer(formatOf(name)) ?? '');
    const events = parseTrace(world.answer(eventsOf(name)) ?? '').filter((event) => event.name === name);
    const differing = ({ fields: has }: TraceEvent) =>
      fields.filter(([key, value]) => !isEqual(has[key], value, isHex(key)));
    const matching = events.filter((event) => differing(event).length === 0);
    if (isAmount(matching.length, wanted)) return [];
    const subject = `${tracing}/trace`;
    const nearest = events.toSorted((a, b) => differing(a).length - differing(b).length)[0];
    if (matching.length === 0 && nearest) {
      const [[key, value] = ['', ''], ...more] = differing(nearest);
      const is = nearest.fields[key];
      const others = more.length === 0 ? '' : `, and ${more.map(([other]) => other).join(', ')} differ too`;
      return [
        {
          message: `trace event ${name} came, but ${key} is ${is ?? 'no field of it'}, not ${value}${others}`,
          path: ['fields', key],
          subject,
          expected: { [key]: value },
          received: is === undefined ? Object.keys(nearest.fields) : { [key]: is },
        },
      ];
    }
    return [
      {
        message: `trace event ${name}${fields.length > 0 ? ' with these fields' : ''} came ${times(matching.length)}, not ${amountWords(wanted)}`,
        path: clause.count === undefined ? ['event'] : ['count'],
        subject,
        expected: amountWords(wanted),
        received: matching.length === 0 ? 'no such event' : matching.map(({ line }) => line),
      },
    ];
  },
});

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

/** Numbers may be written in another base than the kernel prints them; many of its events print hexadecimal without 0x. */
function isEqual(received: string | undefined, expected: string, isHex: boolean): boolean {
  if (received === undefined) return false;
  if (received === expected) return true;
  const is = isHex && /^[0-9a-f]+$/i.test(received) ? `0x${received}` : received;
  const [a, b] = [is, expected].map((text) =>
    /^(0x[0-9a-f]+|-?\d+)$/i.test(text) ? BigInt(text) : undefined,
  );
  return a !== undefined && a === b;
}

/** Which fields an event prints in hexadecimal without saying so: `dpa=%llx` in its `print fmt`. */
function hexadecimalFields(format: string): (key: string) => boolean {
  const [, printed = ''] = /^print fmt: "(.*)$/m.exec(format) ?? [];
  const keys = new Set(
    [...printed.matchAll(/(\w+)=['"\\]*%[-0]*\d*(?:ll|l|h|hh|z)?[xX]/g)].map(([, key]) => key),
  );
  return (key) => keys.has(key);
}
