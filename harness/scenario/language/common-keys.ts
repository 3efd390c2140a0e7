import type { Fault } from '../load/case-knowledge.js';
import {
  commonKeys,
  simpleSteps,
  type CommonKey,
  type SimpleStepKind,
  type StepDefinition,
} from '../kinds/index.js';
import type { StepDocument, StepKind } from './language.js';

type Honoured = Pick<StepDefinition, 'honours' | 'instead'>;

/** Of the kinds that hold further steps. */
const OUTER: Readonly<Record<Exclude<StepKind, SimpleStepKind>, Honoured>> = {
  parallel: { honours: ['timeout', 'loop'], instead: { fails: 'write it on the steps of the branches' } },
  repeat: { honours: ['timeout'], instead: { fails: 'write it on the steps that are repeated' } },
};

const ALL: Readonly<Record<StepKind, Honoured>> = { ...simpleSteps, ...OUTER };

const OF_PARALLEL =
  'it stands beside `parallel`; to do steps over and over one after the other, write `repeat`';

/** As LANGUAGE.md has them. */
export function honouredKeys(kind: StepKind): readonly CommonKey[] {
  return ALL[kind].honours;
}

/** Common keys that would mean nothing on this step. */
export function faultsOfCommonKeys(kind: StepKind, step: StepDocument): Fault[] {
  const { honours, instead } = ALL[kind];
  return commonKeys
    .filter((key) => step[key] !== undefined && !honours.includes(key))
    .map((key) => {
      const hint = key === 'loop' ? OF_PARALLEL : instead?.[key === 'may-fail' ? 'fails' : key];
      return {
        path: [key],
        message: `\`${key}\` means nothing on \`${kind}\``,
        ...(hint !== undefined && { hint }),
      };
    });
}
