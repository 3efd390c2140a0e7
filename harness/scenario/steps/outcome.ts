import { errnoOf, type TypedShLine } from '../../abi/index.js';
import type { Blame, StepFailure } from '../../trace/trace.js';

/** Path within a step's body: `['memory', 0, 'state']`. */
export type BodyPath = readonly (string | number)[];

/** The kernel (or a tool of its) refused a line. What `fails:` speaks about. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  constructor(readonly line: TypedShLine) {
    // a shell that may not make a file in sysfs says so, when what is wrong is that there is none
    const missing =
      line.errno === 'ENOENT' && errnoOf(line.stderr) !== 'ENOENT' && line.subject !== undefined;
    const said = missing ? `there is no ${line.subject}` : line.stderr.trim();
    super(`${line.text}: ${line.errno ?? `exit status ${line.code}`}${said === '' ? '' : ` (${said})`}`);
  }
}

export interface Mismatch {
  readonly message: string;
  /** where in the step's body what does not hold is written */
  readonly path: BodyPath;
  readonly expected?: unknown;
  readonly received?: unknown;
  /** the sysfs path or the state path in question */
  readonly subject?: string;
  readonly blame?: Blame;
}

/** Something was asked for, done, and is not so. */
export class Unmet extends Error {
  override readonly name = 'Unmet';
  constructor(readonly mismatch: Mismatch) {
    super(mismatch.message);
  }
}

/** A `${reference}` that has no value (yet). */
export class Unresolved extends Error {
  override readonly name = 'Unresolved';
  constructor(
    readonly reference: string,
    message: string,
    /** the kernel has not made it, or the scenario asks for what cannot be */
    readonly blame: Blame = 'kernel',
  ) {
    super(message);
  }
}

/** What was to be asked says that it lacks something here: the rest of the case is not run, and nothing failed. */
export class Lacking extends Error {
  override readonly name = 'Lacking';
}

/** A cleanup step that finds nothing to do. */
export class NothingToDo extends Error {
  override readonly name = 'NothingToDo';
}

/** The guest does not answer because its machine stands still: nobody can tell what the kernel would do. */
export class MachineStopped extends Error {
  override readonly name = 'MachineStopped';
  constructor(
    /** as QMP's query-status calls it */
    readonly status: string,
    readonly line: string,
  ) {
    super(`the machine stands still (QMP: ${status})`);
  }
}

/** A step fails as the first of the steps within it did, at that one's place. */
export class InnerFailure extends Error {
  override readonly name = 'InnerFailure';
  constructor(readonly failure: StepFailure) {
    super(failure.message);
  }
}
