import { nameHint } from '../../base/document/did-you-mean.js';
import type { DocumentPath } from '../../base/document/yaml.js';
import { parseDuration } from '../language/duration.js';
import { clauseOf, clauses, clausesOf, type ClauseKey } from '../clauses/index.js';
import type { z } from 'zod';
import type { expectBody } from '../language/expectations.js';
import { notARegion, unknownDevice, type CaseKnowledge, type Fault } from './case-knowledge.js';

type Body = z.output<typeof expectBody>;

/** What is certainly wrong with an expectation. Paths begin in the body of `expect`. */
export function faultsOfExpectation(body: Body, known: CaseKnowledge): Fault[] {
  const asked = Object.keys(body).filter((key) => key !== 'within' && key !== 'stays-for');
  if (asked.length === 0) {
    return [
      {
        path: [],
        message: 'this expects nothing',
        hint: `add one of: ${[...Object.keys(clauses), 'same-as'].join(', ')}`,
      },
    ];
  }
  const found = [...faultsOfStaying(body['stays-for'], known), ...faultsOfSameAs(body['same-as'], known)];
  for (const { key, clause, path } of clausesOf(body)) {
    const written = clause as Written;
    found.push(...faultsOfClause(key, written, path), ...faultsOfNames(key, written, path, known));
  }
  return found;
}

type Written = Readonly<Record<string, unknown>>;

/** A clause that only says what it speaks about, or expects something of a thing that must not be there. */
function faultsOfClause(key: ClauseKey, clause: Written, path: DocumentPath): Fault[] {
  const { selectors, expectsByItself, schema, faults } = clauseOf(key);
  const own = faults?.(clause) ?? [];
  if (own.length > 0)
    return own.map((fault) => ({ path: [...path, fault.key], part: 'key', message: fault.message }));
  const expected = Object.keys(clause).filter((name) => !selectors.includes(name));
  if (expected.length === 0 && expectsByItself !== true) {
    const mayBeAbsent = 'exists' in schema.shape;
    return [
      {
        path,
        message: `this expects nothing of the ${key}`,
        hint: mayBeAbsent ? 'say what must hold of it, or `exists: true`' : 'say what must hold of it',
      },
    ];
  }
  const [besides] = expected.filter((name) => name !== 'exists');
  if (clause['exists'] === false && besides !== undefined) {
    return [
      {
        path: [...path, besides],
        part: 'key',
        message: `with \`exists: false\` nothing is there that \`${besides}\` could speak about`,
      },
    ];
  }
  return [];
}

function faultsOfNames(key: ClauseKey, clause: Written, path: DocumentPath, known: CaseKnowledge): Fault[] {
  const { regionKey, deviceKey } = clauseOf(key);
  const region = regionKey === undefined ? undefined : clause[regionKey];
  const devices = deviceKey === undefined ? undefined : clause[deviceKey];
  return [
    ...(regionKey !== undefined && typeof region === 'string'
      ? notARegion(region, [...path, regionKey], known)
      : []),
    ...(deviceKey !== undefined && typeof devices === 'string'
      ? unknownDevice(devices, [...path, deviceKey], known)
      : []),
    ...(deviceKey !== undefined && Array.isArray(devices)
      ? devices.flatMap((name: unknown, index) =>
          unknownDevice(String(name), [...path, deviceKey, index], known),
        )
      : []),
  ];
}

function faultsOfStaying(duration: string | undefined, { timeoutMs }: CaseKnowledge): Fault[] {
  const milliseconds = duration === undefined ? undefined : parseDuration(duration);
  if (milliseconds === undefined || milliseconds < timeoutMs) return [];
  return [
    {
      path: ['stays-for'],
      message: `the case ends after ${timeoutMs / 1000}s: nothing can stay true for ${duration ?? ''}`,
      hint: 'give the scenario a longer `timeout`',
    },
  ];
}

function faultsOfSameAs(sameAs: Body['same-as'], { snapshots }: CaseKnowledge): Fault[] {
  if (sameAs === undefined) return [];
  const name = typeof sameAs === 'string' ? sameAs : sameAs.snapshot;
  const known = ['boot', ...snapshots];
  if (name.includes('${') || known.includes(name)) return [];
  return [
    {
      path: typeof sameAs === 'string' ? ['same-as'] : ['same-as', 'snapshot'],
      message: `no earlier step keeps a snapshot as ${JSON.stringify(name)}`,
      hint: nameHint(name, known, 'snapshots'),
    },
  ];
}
