import { nameHint } from '../base/did-you-mean.js';
import type { DocumentPath } from '../base/yaml.js';
import { parseDuration } from './duration.js';
import { clauseSelectors } from './expectations.js';
import type { z } from 'zod';
import type { expectBody } from './expectations.js';
import { notARegion, unknownDevice, type CaseKnowledge, type Fault } from './case-knowledge.js';

type Body = z.output<typeof expectBody>;

/** What is certainly wrong with an expectation. Paths begin in the body of `expect`. */
export function faultsOfExpectation(body: Body, known: CaseKnowledge): Fault[] {
  const clauses = Object.keys(body).filter((key) => key !== 'within' && key !== 'stays-for');
  if (clauses.length === 0) {
    return [
      {
        path: [],
        message: 'this expects nothing',
        hint: `add one of: ${[...Object.keys(clauseSelectors), 'same-as'].join(', ')}`,
      },
    ];
  }
  const found = [...faultsOfStaying(body['stays-for'], known), ...faultsOfSameAs(body['same-as'], known)];
  for (const key of clauseKeys(body)) {
    for (const { clause, path } of entries(body[key], key)) {
      found.push(...emptyClause(key, clause, path), ...faultsOfNames(key, clause, path, known));
    }
  }
  return found;
}

type ClauseKey = keyof typeof clauseSelectors;
type Clause = Readonly<Record<string, unknown>>;

function clauseKeys(body: Body): ClauseKey[] {
  return (Object.keys(clauseSelectors) as ClauseKey[]).filter((key) => body[key] !== undefined);
}

function entries(value: unknown, key: string): { clause: Clause; path: DocumentPath }[] {
  if (!Array.isArray(value)) return [{ clause: value as Clause, path: [key] }];
  return value.map((clause: unknown, index) => ({ clause: clause as Clause, path: [key, index] }));
}

/** A clause that only says what it speaks about, or expects something of a thing that must not be there. */
function emptyClause(key: ClauseKey, clause: Clause, path: DocumentPath): Fault[] {
  if (key === 'trace') return [];
  if (key === 'log' && clause['count'] !== undefined && clause['matches'] === undefined) {
    return [
      {
        path: [...path, 'count'],
        part: 'key',
        message: '`count` counts the lines that match: add `matches`',
      },
    ];
  }
  const expected = Object.keys(clause).filter((name) => !clauseSelectors[key].includes(name));
  if (expected.length === 0) {
    const exists = 'exists' in clause || !['memory', 'node', 'namespace', 'log', 'extents'].includes(key);
    return [
      {
        path,
        message: `this expects nothing of the ${key}`,
        hint: exists ? 'say what must hold of it, or `exists: true`' : 'say what must hold of it',
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

const REGION_KEYS: Readonly<Partial<Record<ClauseKey, string>>> = {
  region: 'name',
  decoder: 'region',
  dax: 'of',
  extents: 'of',
  memory: 'of',
  namespace: 'of',
};

const DEVICE_KEYS: Readonly<Partial<Record<ClauseKey, string>>> = {
  region: 'targets',
  decoder: 'endpoint-of',
  memdev: 'device',
  extents: 'device',
};

function faultsOfNames(key: ClauseKey, clause: Clause, path: DocumentPath, known: CaseKnowledge): Fault[] {
  const regionKey = REGION_KEYS[key];
  const deviceKey = DEVICE_KEYS[key];
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
