import { inWordsOf, newMark, quote, type State } from '../../../abi/index.js';
import type { StepBody } from '../../language.js';
import { Unresolved } from '../outcome.js';
import { resolve } from '../resolve.js';
import type { StepScope } from '../scope.js';
import { parseTrace, plainEventName, tracing } from '../trace-events.js';
import type { World } from './clause.js';
import { clausesOf } from './clauses.js';

/** What clauses are held against: a snapshot, and what they speak about besides, as it is now. */
export async function worldOf(body: StepBody<'expect'>, scope: StepScope, state: State): Promise<World> {
  const { session, plan } = scope;
  const devices = [...session.hotDevices.values(), ...plan.devices, ...(plan.mocks ?? [])];
  const answer = await readBesides(body, scope);
  return {
    state,
    session,
    driverName: (name) => scope.driverName(name),
    idOf: (serial) => devices.find((device) => device.serial === serial)?.id,
    memdevOf: (id) => scope.memdevOf(id),
    file: (path) => answer(fileQuestion(path, scope)),
    opens: (node) => answer(opensQuestion(node)) !== undefined,
    driverOn: (bus, device) => {
      const link = answer(driverQuestion(bus, device));
      return link === undefined ? undefined : link.trim().split('/').at(-1) || null;
    },
    trace: parseTrace(answer(fileQuestion(TRACE, scope)) ?? ''),
    traceFormat: (event) => answer(formatQuestion(event)),
  };
}

const TRACE = `${tracing}/trace`;

/** As much of a file as an expectation can sensibly speak about: it may be a whole device. */
const MOST_OF_A_FILE = 64 * 1024;

/** sh that succeeds when there is such a thing, and then prints what is known of it. */
type Question = string;

function fileQuestion(path: string, { session }: StepScope): Question {
  const file = quote(inWordsOf(session.context.abi, path));
  return `[ -e ${file} ] && echo && head -c ${MOST_OF_A_FILE} ${file}`;
}

/** The kernel's own description of an event, whichever its system. */
function formatQuestion(event: string): Question {
  return `for f in ${tracing}/events/*/${quote(event)}/format; do [ -e $f ] && echo && cat $f; done`;
}

function driverQuestion(bus: string, device: string): Question {
  const folder = quote(`/sys/bus/${bus}/devices/${device}`);
  return `[ -e ${folder} ] && echo && readlink ${folder}/driver`;
}

/**
 * No part of a snapshot: the kernel asks for a module when a node is opened that no driver serves, which takes 50 ms and is
 * more than looking. `true`, not `:`, which POSIX lets end the shell when its redirection fails.
 */
function opensQuestion(node: string): Question {
  return `true < ${quote(`/dev/${node}`)} && echo`;
}

/** Asks everything that the clauses want to know in one round trip; undefined: there is no such thing. */
async function readBesides(
  body: StepBody<'expect'>,
  scope: StepScope,
): Promise<(question: Question) => string | undefined> {
  const questions = questionsOf(body, scope);
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

function questionsOf(body: StepBody<'expect'>, scope: StepScope): Question[] {
  const put = (text: string | undefined): string | undefined => text && putIn(text, scope);
  const questions = clausesOf(body).flatMap(({ key, clause }) => {
    const named = clause as {
      path?: string;
      bus?: string;
      device?: string;
      opens?: boolean;
      event?: string;
      fields?: object;
    };
    if (key === 'trace') {
      const event = put(named.event);
      const asked =
        named.fields === undefined || event === undefined ? [] : [formatQuestion(plainEventName(event))];
      return [fileQuestion(TRACE, scope), ...asked];
    }
    if (key === 'file') {
      const path = put(named.path);
      return path === undefined ? [] : fileQuestion(path, scope);
    }
    if (key === 'driver' && !['cxl', 'dax', 'nd'].includes(named.bus ?? '')) {
      const [bus, device] = [put(named.bus), put(named.device)];
      return bus === undefined || device === undefined ? [] : driverQuestion(bus, device);
    }
    if (key === 'dax' && named.opens !== undefined) {
      return Object.keys(scope.state().daxDevices).map(opensQuestion);
    }
    return [];
  });
  return [...new Set(questions)];
}

function putIn(text: string, { session }: StepScope): string | undefined {
  try {
    return resolve(text, session);
  } catch (error) {
    if (error instanceof Unresolved) return undefined;
    throw error;
  }
}
