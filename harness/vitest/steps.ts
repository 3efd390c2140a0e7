import type { z } from 'zod';
import type { SourcePosition } from '../base/document/diagnostic.js';
import type { StepFailure, StepTrace } from '../trace/trace.js';
import type { Played } from '../run/case.js';
import type { Step } from '../scenario/index.js';
import { faultsOfStep } from '../scenario/load/step-rules.js';
import {
  kindOf,
  step as stepSchema,
  type StepDocument,
  type StepKind,
} from '../scenario/language/language.js';
import { runNextStep, startTracingLines, type StepSession } from '../scenario/steps/index.js';
import type { CaseKnowledge } from '../scenario/load/case-knowledge.js';
import { positionOf } from './position.js';

/** A step did not do what the test says; the same is in the case's trace. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed';
}

/** What a test asks and can't be: told at its place, nothing is done in the guest. */
export class Mistake extends Error {
  override readonly name = 'Mistake';
}

/** A region of the test: as text it is a reference, which each step resolves when it comes to it. */
export class Region {
  constructor(
    private readonly reference: string,
    private readonly find: () => string,
  ) {}

  /** as the kernel calls it: region0 */
  get name(): string {
    return this.find();
  }
  /** its dax device, also one that is still to come */
  get dax(): string {
    return this.part('dax');
  }
  /** the NUMA node of its memory */
  get node(): string {
    return this.part('node');
  }
  /** what `${r.<name>}` is in YAML: `block0`, `ed0`, `mem0`, `start`, `namespace` */
  part(name: string): string {
    return `\${${this.reference}.${name}}`;
  }
  toString(): string {
    return `\${${this.reference}}`;
  }
}

/** Anything of the language, with a Region wherever it has a text. */
export type Loose<T> = T extends string
  ? T | Region
  : T extends readonly unknown[]
    ? { [K in keyof T]: Loose<T[K]> }
    : T extends object
      ? { [K in keyof T]: Loose<T[K]> }
      : T;

export type StepInput = Loose<z.input<typeof stepSchema>>;
export type CommonKeys = Pick<StepDocument, 'name' | 'fails' | 'may-fail' | 'timeout' | 'allow-splats'>;

/** The steps of a test, which come one after the other while it runs. */
export interface PlayedSteps {
  /**
   * Runs a step of the language; where the test called it is its place in the trace.
   * @throws StepFailed when it did not do what it should
   */
  run(document: StepInput): Promise<void>;
  /** records trace events from now on, for expectations to speak about */
  record(events: readonly string[]): Promise<void>;
  /** a step for the end, whatever happens; the last one comes first */
  atEnd(document: StepInput): void;
  /** runs those, if the guest still can */
  end(): Promise<void>;
  /** what a captured text is */
  text(capture: string): string;
  region(capture: string): Region;
  /** another name for a capture */
  newName(prefix: string): string;
  readonly session: StepSession;
  played(failure: StepFailure | undefined): Played;
}

/** @param place of the test, for what tells of no better one */
export function playSteps(session: StepSession, place: SourcePosition): PlayedSteps {
  const { guest, plan } = session.context;
  const knowledge: CaseKnowledge = {
    plan,
    timeoutMs: Infinity,
    hotDevices: new Set(),
    snapshots: new Set(),
    captures: new Set(),
    turns: 1,
  };
  const traces: StepTrace[] = [];
  const ends: { readonly document: StepDocument; readonly position: SourcePosition }[] = [];
  let steps = 0;
  let names = 0;

  const check = (input: StepInput): StepDocument => {
    const plain = plainOf(input);
    const { data, error } = stepSchema.safeParse(plain);
    if (!data) {
      const told = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
      throw new Mistake(`not a step of the language: ${told.join('; ')}`);
    }
    if (guest.start.how !== 'cold' && plan.cpus > 1 && holdsParallel(data))
      throw new Mistake(
        "steps in parallel need a guest that was booted, as the CPUs of a resumed one take turns: test.use({ boot: 'cold' })",
      );
    const [fault] = faultsOfStep(data, knowledge);
    if (!fault) return data;
    const hint = fault.hint === undefined ? '' : ` (${fault.hint})`;
    throw new Mistake(`${fault.path.join('.')}: ${fault.message}${hint}`);
  };

  return {
    session,
    async run(input) {
      const failed = new StepFailed();
      const document = check(input);
      const position = positionOf(failed, place);
      const [own, ...inner] = await runNextStep(makeStep(document, position), `${(steps += 1)}`, session);
      traces.push(own, ...inner);
      if (session.lacking !== undefined) throw because(failed, session.lacking);
      if (own.failure) throw because(failed, wordsOf(own, own.failure));
      if (own.outcome === 'skipped') throw because(failed, 'the guest is gone');
    },
    async record(events) {
      if (events.length === 0) return;
      session.tracedEvents = events;
      const name = `record the trace events ${events.join(', ')}`;
      const document = { name, exec: { sh: startTracingLines(events).join(' && ') } };
      traces.push(...(await runNextStep(makeStep(document, place), '0', session)));
    },
    atEnd(input) {
      const failed = new StepFailed();
      ends.unshift({ document: check(input), position: positionOf(failed, place) });
    },
    async end() {
      for (const [index, { document, position }] of ends.entries())
        traces.push(
          ...(await runNextStep(makeStep(document, position), `cleanup.${index + 1}`, session, {
            isCleanup: true,
          })),
        );
    },
    text: (capture) => {
      const found = session.captures.get(capture);
      return found?.kind === 'value' ? String(found.value) : (found?.name ?? '');
    },
    region: (capture) =>
      new Region(capture, () => {
        const found = session.captures.get(capture);
        return found?.kind === 'region' ? found.name : '';
      }),
    newName: (prefix) => `${prefix}${(names += 1)}`,
    played: (failure) => ({ steps: traces, ...(failure && { failure }) }),
  };
}

function because(failed: StepFailed, message: string): StepFailed {
  failed.message = message;
  return failed;
}

function wordsOf({ title }: StepTrace, { message, subject, expected, received }: StepFailure): string {
  const lines = { subject, expected, received };
  return [
    `${title}: ${message}`,
    ...Object.entries(lines).flatMap(([name, value]) =>
      value === undefined
        ? []
        : [`${name.padEnd(9)} ${typeof value === 'string' ? value : JSON.stringify(value)}`],
    ),
  ].join('\n');
}

function plainOf(value: unknown): unknown {
  if (value instanceof Region) return value.toString();
  if (Array.isArray(value)) return value.map(plainOf);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plainOf(inner)]));
}

function makeStep(document: StepDocument, position: SourcePosition): Step {
  const nested = (list: readonly StepDocument[]): Step[] => list.map((one) => makeStep(one, position));
  const branches = document.repeat ? [nested(document.repeat.steps)] : (document.parallel ?? []).map(nested);
  return { document, position, at: () => position, branches };
}

function holdsParallel(document: StepDocument): boolean {
  const kind: StepKind = kindOf(document);
  if (kind === 'parallel') return true;
  return (document.repeat?.steps ?? []).some(holdsParallel);
}
