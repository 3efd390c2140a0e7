import { setTimeout as sleep } from 'node:timers/promises';
import { diffStates, readState, typeLines, type State, type TypedShLine } from '../../abi/index.js';
import { quote } from '../../base/sh-quote.js';
import type { GuestShell } from '../../guest/guest.js';
import type { MachinePlan } from '../../topology/plan.js';
import type { StepDocument } from '../language/language.js';
import { observed } from './observed.js';
import { stableNames } from './stable-names.js';
import { isContext, stepOf, wordsOf, type SimpleLine } from './typed-step.js';

/** Types a person's lines into a guest and writes down what they did to it. */
export interface Recorder {
  /**
   * @returns what came of the line
   * @throws GuestTimeout, GuestDied; the line is in the draft all the same
   */
  type(text: string): Promise<TypedShLine>;
  /** names the next step */
  remark(text: string): void;
  /** the steps so far */
  readonly steps: readonly StepDocument[];
}

const LINE_TIMEOUT_MS = 120_000;

/** Probing goes on after a write returns: the state is what it is when it stays the same for a moment. */
const SETTLE_LOOKS = 12;
const SETTLE_PAUSE_MS = 150;

export async function startRecorder(guest: GuestShell, machine: MachinePlan): Promise<Recorder> {
  // in shells of its own: reading the state must not change the folder of the one that is typed into
  const aside: GuestShell = {
    exec: (line, options) => guest.exec(line, options),
    type: (line, options) => guest.exec(line, options),
  };
  let state = await readState(aside);
  let name: string | undefined;
  const steps: StepDocument[] = [];
  const context: string[] = [];
  const names = stableNames(machine);

  const add = (step: StepDocument): void => {
    const replaced = names.replaceIn(step, state);
    steps.push(...replaced.first, replaced.step);
    name = undefined;
  };

  return {
    steps,
    remark: (text) => {
      name = text;
    },
    async type(text) {
      const simple = await expandWords(guest, text);
      const known = simple === undefined ? {} : { simple };
      const stood = standsOn(text, context);
      let line: TypedShLine | undefined;
      try {
        [line] = await typeLines(guest, [{ text, ...(simple && { subject: simple.path }) }], {
          timeoutMs: LINE_TIMEOUT_MS,
        });
      } finally {
        // the last thing that a guest was told is the most telling one
        if (!line) add(stepOf({ text, ...known, stdout: '', code: 0, context: stood }, name));
      }
      if (!line) throw new Error(`the guest's shell did not take the line: ${text}`);
      if (isContext(text) && line.code === 0) {
        context.push(text.trim());
        return line;
      }
      const before = state;
      const { errno } = line;
      add(
        stepOf(
          {
            text,
            ...known,
            stdout: line.stdout,
            code: line.code,
            context: stood,
            ...(errno !== undefined && { errno }),
          },
          name,
        ),
      );
      state = await settledState(aside, state);
      const expectation = observed(diffStates(before, state), state, machine);
      if (expectation) steps.push({ expect: expectation });
      return line;
    },
  };
}

async function settledState(guest: GuestShell, before: State): Promise<State> {
  let last = await readState(guest);
  for (let look = 0; look < SETTLE_LOOKS; look++) {
    await sleep(SETTLE_PAUSE_MS);
    const next = await readState(guest);
    // what has not changed at all gets one more look only: most lines that change something do it at once
    if (diffStates(last, next).length === 0 && (look > 0 || diffStates(before, next).length === 0))
      return next;
    last = next;
  }
  return last;
}

/** Has the guest's own shell put variables and its folder into the words of a simple line. */
async function expandWords(guest: GuestShell, text: string): Promise<SimpleLine | undefined> {
  const words = wordsOf(text);
  if (!words) return undefined;
  const value = words.kind === 'write' ? words.value : '';
  // nothing is run twice: a line that substitutes a command is not simple
  if (/[$]\(|`/.test(text)) return undefined;
  const ask = `command eval ${quote(`printf '%s\\n' "$(echo ${value})" "$PWD" ${words.path}`)}`;
  const { stdout } = await guest.type(ask, { timeoutMs: LINE_TIMEOUT_MS });
  const answer = stdout.toString('utf8').split('\n');
  // a pattern that matches several files, or a value of several lines, is for the shell alone
  if (answer.length !== 4) return undefined;
  const [said = '', folder = '', target = ''] = answer;
  const path = target.startsWith('/') ? target : `${folder === '/' ? '' : folder}/${target}`;
  return words.kind === 'write' ? { kind: 'write', path, value: said } : { kind: 'read', path };
}

/** The lines before that the line stands on: folders always, variables when it uses them. */
function standsOn(text: string, context: readonly string[]): string[] {
  return context.filter((line) => {
    const variable = /^(?:export\s+)?([A-Za-z_]\w*)=/.exec(line)?.[1];
    return variable === undefined || [...text.matchAll(/\$\{?(\w+)/g)].some(([, name]) => name === variable);
  });
}
