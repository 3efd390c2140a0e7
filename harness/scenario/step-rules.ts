import { errnoTable } from '../abi/errno-table.js';
import { nameHint } from '../base/did-you-mean.js';
import { UsageError } from '../base/errors.js';
import { parseSize } from '../base/size.js';
import type { DocumentPath } from '../base/yaml.js';
import { planHotDevice } from '../topology/hot-plug.js';
import {
  notARegion,
  unknownDevice,
  unknownWindow,
  type CaseKnowledge,
  type Fault,
} from './case-knowledge.js';
import { capturesMadeBy } from './captures.js';
import { faultsOfCommonKeys } from './common-keys.js';
import { faultsOfCapacity } from './capacity-rules.js';
import { faultsOfExpectation } from './expect-rules.js';
import { isStepKind, MOST_TURNS, type StepBody, type StepDocument, type StepKind } from './language.js';
import { injectionFaults, qmpFaults } from './qmp-commands.js';

/** What is certainly wrong with a step, for a known topology and after known earlier steps. */

export function faultsOfStep(step: StepDocument, known: CaseKnowledge): Fault[] {
  const kind = Object.keys(step).find(isStepKind);
  if (!kind) return [];
  const found = [
    ...faultsOfCommonKeys(kind, step),
    ...faultsOfErrno('fails', step),
    ...faultsOfErrno('may-fail', step),
    ...faultsOfBody(kind, step, known),
  ];
  for (const { name } of capturesMadeBy(step)) known.captures.add(name);
  return found;
}

const errnoNames = errnoTable.map(([, name]) => name);

/** Second names for a number: what a shell prints does not tell them apart, so one is asked for. */
const errnoAliases: Readonly<Record<string, string>> = {
  EWOULDBLOCK: 'EAGAIN',
  EDEADLOCK: 'EDEADLK',
  ENOTSUP: 'EOPNOTSUPP',
  EFSBADCRC: 'EBADMSG',
  EFSCORRUPTED: 'EUCLEAN',
};

type Rule<K extends StepKind> = (body: StepBody<K>, known: CaseKnowledge) => Fault[];

/** Paths of these faults begin in the step's body. */
const RULES: { readonly [K in StepKind]?: Rule<K> } = {
  'create-region': (body, known) => [
    ...body.targets.flatMap((target, index) => unknownDevice(target, ['targets', index], known)),
    ...unknownWindow(body.window, ['window'], known),
  ],
  'destroy-region': ({ region }, known) => notARegion(region, ['region'], known),
  'memory-block': ({ of, block, index }, known) => {
    if (of !== undefined && block !== undefined) {
      return [
        { path: ['block'], message: 'a block is named by its number or as one `of` a region, not both' },
      ];
    }
    if (of === undefined && block === undefined) {
      return [{ path: [], message: 'which blocks? name a region by `of`, or one block by `block`' }];
    }
    return index !== undefined && of === undefined
      ? [{ path: ['index'], message: '`index` counts the blocks of a region: it needs `of`' }]
      : notARegion(of, ['of'], known);
  },
  qmp: (body) => qmpFaults(body.execute, body.arguments),
  'hot-add': (body, known) => {
    known.hotDevices.add(body.id);
    return faultsOfHotAdd(body, known);
  },
  'hot-remove': ({ device }, known) => unknownDevice(device, ['device'], known),
  inject: (body, known) => [
    ...unknownDevice(body.device, ['device'], known),
    ...injectionFaults(body.type, body),
  ],
  'add-capacity': (body, known) => faultsOfCapacity(body, known),
  'release-capacity': (body, known) => faultsOfCapacity(body, known),
  capture: (body, known) => faultsOfCapture(body, known),
  snapshot: ({ as }, known) => {
    known.snapshots.add(as);
    return [];
  },
  expect: (body, known) => faultsOfExpectation(body, known),
  parallel: (branches, known) =>
    branches.flatMap((branch, index) =>
      branch.flatMap((step, number) => within([index, number], faultsOfStep(step, known))),
    ),
  repeat: ({ times, steps }, known) => {
    const turns = known.turns * (typeof times === 'number' ? times : 1);
    if (turns > MOST_TURNS) {
      return [
        {
          path: ['times'],
          message: `these steps would run ${turns} times; at most ${MOST_TURNS} are allowed`,
        },
      ];
    }
    return steps.flatMap((step, index) => within(['steps', index], faultsOfStep(step, { ...known, turns })));
  },
};

function faultsOfErrno(key: 'fails' | 'may-fail', step: StepDocument): Fault[] {
  const names = step[key];
  if (names == null) return [];
  return [names].flat().flatMap((name, index): Fault[] => {
    if (name.includes('${') || errnoNames.includes(name)) return [];
    const alias = Object.hasOwn(errnoAliases, name) ? errnoAliases[name] : undefined;
    return [
      {
        path: Array.isArray(names) ? [key, index] : [key],
        message: alias ? `${name} is another name of ${alias}` : `Linux has no errno ${name}`,
        hint: alias ? `write ${alias}` : nameHint(name, errnoNames, 'errno names'),
      },
    ];
  });
}

function faultsOfHotAdd(body: StepBody<'hot-add'>, { plan }: CaseKnowledge): Fault[] {
  if (!plan) return [];
  const sizes = { volatile: body.volatile, persistent: body.persistent, labels: body.labels };
  const bytes = Object.entries(sizes).flatMap(([key, size]) => {
    const value = typeof size === 'string' ? parseSize(size) : size;
    return value === undefined ? [] : [[key, value] as const];
  });
  // a size that is a capture is known only later
  const open = Object.values(sizes).some((size) => typeof size === 'string' && size.includes('${'));
  if (open || body.port.includes('${')) return [];
  try {
    const { id, port, serial } = body;
    planHotDevice({ id, port, serial, ...Object.fromEntries(bytes) }, plan);
    return [];
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return [
      { path: [], message: error.message, ...(error.remedy === undefined ? {} : { hint: error.remedy }) },
    ];
  }
}

const OF_REGION = ['dax-of', 'node-of', 'namespace-of', 'block-of'] as const;
const OF_DEVICE = ['region-of', 'memdev-of', 'endpoint-decoder-of'] as const;

function faultsOfCapture(body: StepBody<'capture'>, known: CaseKnowledge): Fault[] {
  const [first, second] = [...OF_REGION, ...OF_DEVICE].filter((key) => body[key] !== undefined);
  if (first === undefined) {
    return [{ path: [], message: `what is captured? one of: ${[...OF_REGION, ...OF_DEVICE].join(', ')}` }];
  }
  if (second !== undefined) {
    return [
      { path: [second], part: 'key', message: `one capture takes one thing: ${first} is here already` },
    ];
  }
  return [
    ...OF_REGION.filter((key) => key !== 'node-of').flatMap((key) => notARegion(body[key], [key], known)),
    ...OF_DEVICE.flatMap((key) => unknownDevice(body[key] ?? '${}', [key], known)),
  ];
}

function faultsOfBody(kind: StepKind, step: StepDocument, known: CaseKnowledge): Fault[] {
  const rule = RULES[kind] as ((body: unknown, known: CaseKnowledge) => Fault[]) | undefined;
  return within([kind], rule?.(step[kind], known) ?? []);
}

function within(path: DocumentPath, faults: readonly Fault[]): Fault[] {
  return faults.map((fault) => ({ ...fault, path: [...path, ...fault.path] }));
}
