import { errnoTable } from '../../abi/errno-table.js';
import { nameHint } from '../../base/document/did-you-mean.js';
import type { DocumentPath } from '../../base/document/yaml.js';
import type { CaseKnowledge, Fault } from './case-knowledge.js';
import { capturesMadeBy } from '../language/captures.js';
import { faultsOfCommonKeys } from '../language/common-keys.js';
import { parseDuration } from '../language/duration.js';
import { simpleSteps, type SimpleStepKind, type StepDefinition } from '../kinds/index.js';
import {
  isStepKind,
  MOST_TURNS,
  type StepBody,
  type StepDocument,
  type StepKind,
} from '../language/language.js';

/** What is certainly wrong with a step, for a known topology and after known earlier steps. */

export function faultsOfStep(step: StepDocument, known: CaseKnowledge): Fault[] {
  const kind = Object.keys(step).find(isStepKind);
  if (!kind) return [];
  const found = [
    ...faultsOfCommonKeys(kind, step),
    ...faultsOfErrno('fails', step),
    ...faultsOfErrno('may-fail', step),
    ...faultsOfExit(kind, step),
    ...faultsOfLoop(step, known),
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

/** Of the kinds that hold further steps. */
const OUTER = {
  parallel: (branches: StepBody<'parallel'>, known: CaseKnowledge): Fault[] =>
    branches.flatMap((branch, index) =>
      branch.flatMap((step, number) => within([index, number], faultsOfStep(step, known))),
    ),
  repeat: ({ times, steps }: StepBody<'repeat'>, known: CaseKnowledge): Fault[] => {
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
} as const;

function faultsOfLoop({ loop }: StepDocument, { timeoutMs }: CaseKnowledge): Fault[] {
  const milliseconds = parseDuration(loop?.for ?? '');
  if (milliseconds === undefined || milliseconds < timeoutMs) return [];
  return [
    {
      path: ['loop', 'for'],
      message: `the case's own time is over by then: it has ${timeoutMs / 1000} s`,
      hint: 'give the scenario a longer `timeout`',
    },
  ];
}

/** A program that must fail by an errno ends with whatever status it likes: who says both waits for what can't be. */
function faultsOfExit(kind: StepKind, step: StepDocument): Fault[] {
  const body: unknown = step[kind];
  if (typeof body !== 'object' || body === null || !('exit' in body) || body.exit === undefined) return [];
  return (['fails', 'may-fail'] as const).flatMap((key) =>
    step[key] == null
      ? []
      : {
          path: [key],
          part: 'key',
          message: `\`${key}\` asks for an errno, and \`exit\` for a status that decides by itself`,
          hint: 'write one of them; what is printed is asked for by `stderr`',
        },
  );
}

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

function faultsOfBody(kind: StepKind, step: StepDocument, known: CaseKnowledge): Fault[] {
  const outer = OUTER[kind as keyof typeof OUTER] as
    ((body: unknown, known: CaseKnowledge) => Fault[]) | undefined;
  if (outer) return within([kind], outer(step[kind], known));
  const definition: StepDefinition = simpleSteps[kind as SimpleStepKind];
  return within([kind], definition.faults?.(step[kind], known) ?? []);
}

function within(path: DocumentPath, faults: readonly Fault[]): Fault[] {
  return faults.map((fault) => ({ ...fault, path: [...path, ...fault.path] }));
}
