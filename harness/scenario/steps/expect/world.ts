import type { z } from 'zod';
import { withNamesOfKernel, newMark, type State } from '../../../abi/index.js';
import type { Question, World } from '../../clauses/definition.js';
import { clauseOf, clausesOf } from '../../clauses/index.js';
import { stateClauses, type expectBody } from '../../language/expectations.js';
import { Unresolved } from '../outcome.js';
import { resolveAs } from '../resolve.js';
import type { StepScope } from '../scope.js';

type Body = z.output<typeof expectBody>;

/** What clauses are held against: a snapshot, and what they ask besides, as it is now. */
export async function worldOf(body: Body, scope: StepScope, state: State): Promise<World> {
  const { session, plan } = scope;
  const devices = [...session.hotDevices.values(), ...plan.devices, ...(plan.mocks ?? [])];
  const kernelPath = (path: string): string => withNamesOfKernel(session.context.abi, path);
  const answer = await ask(questionsOf(body, scope, { state, kernelPath }), scope);
  return {
    state,
    log: session.log,
    ranges: session.ranges,
    driverName: (name) => scope.driverName(name),
    kernelPath,
    idOf: (serial) => devices.find((device) => device.serial === serial)?.id,
    memdevOf: (id) => scope.memdevOf(id),
    answer,
  };
}

/** Everything that the clauses want to know besides. Of one whose captures have no value yet nothing can be asked. */
function questionsOf(
  body: Body,
  { session }: StepScope,
  world: Pick<World, 'state' | 'kernelPath'>,
): readonly Question[] {
  const questions = clausesOf(body).flatMap(({ key, clause }) => {
    const { asks } = clauseOf(key);
    if (!asks) return [];
    try {
      return asks(resolveAs<never>(stateClauses[key] as never, clause, session), world);
    } catch (error) {
      if (error instanceof Unresolved) return [];
      throw error;
    }
  });
  return [...new Set(questions)];
}

/** Asks in one round trip. */
async function ask(
  questions: readonly Question[],
  scope: StepScope,
): Promise<(question: Question) => string | undefined> {
  if (questions.length === 0) return () => undefined;
  const mark = newMark();
  const text = await scope.ask(questions.map((question) => `echo ${mark}; ${question}`).join('\n'));
  const answers = new Map(
    text
      .split(`${mark}\n`)
      .slice(1)
      // each begins with an empty line, to be told from none
      .flatMap((part, index) => (part === '' ? [] : [[questions[index], part.slice(1)] as const])),
  );
  return (question) => answers.get(question);
}
