import { inject, test as vitestTest, type RunnerTestCase, type TestAPI } from 'vitest';
import type { z } from 'zod';
import type { State } from '../abi/index.js';
import type { SourcePosition } from '../base/document/diagnostic.js';
import type { CaseTrace, StepFailure } from '../trace/trace.js';
import { findScenarios, loadScenario, type ScenarioCase } from '../scenario/index.js';
import { timeoutOf } from '../scenario/load/case-rules.js';
import type { simpleSteps } from '../scenario/kinds/index.js';
import type { expectBody, KnownBug, Requirement } from '../scenario/language/language.js';
import { nameOfFile, positionOf } from './position.js';
import { makeRig, type Rig } from './rig.js';
import { SHARED_RUN } from './shared.js';
import {
  playSteps,
  type CommonKeys,
  type Loose,
  type PlayedSteps,
  type Region,
  type StepInput,
} from './steps.js';

export { Mistake, StepFailed, type Region, type StepInput } from './steps.js';

/** What a YAML scenario says beside its steps. */
export interface CaseOptions {
  /** name of a topology, or path of one relative to the test's file */
  topology: string;
  /** kernel profile; the plugin's when absent */
  kernel: string | undefined;
  /** fresh: a guest of its own; cold: one that was booted for this case */
  boot: 'any' | 'fresh' | 'cold';
  /** additions to the kernel command line */
  cmdline: readonly string[];
  requires: readonly Requirement[];
  knownBugs: readonly KnownBug[];
  /** regular expressions on splat titles that are no failure */
  allowSplats: readonly string[];
  /** commits, documents, reports that say so */
  references: readonly string[];
  /** of the case, from the guest's being ready on: `2m` */
  timeout: string;
  /** trace events that expectations will speak about */
  events: readonly string[];
  /** after the case the state equals the one before it */
  leavesNoTrace: boolean;
}

type Exec = z.input<(typeof simpleSteps)['exec']['schema']>;
type CreateRegion = Loose<z.input<(typeof simpleSteps)['create-region']['schema']>>;

/** The guest of a test: everything that is done in it is a step of the case's trace. */
export interface Guest {
  /** Runs a shell line. @returns its standard output, trimmed */
  sh(line: string, more?: Omit<Exec, 'sh' | 'as'> & CommonKeys): Promise<string>;
  /** @returns the content of a file, trimmed */
  read(path: string, common?: CommonKeys): Promise<string>;
  /** One write() of the value and a newline; undone by the test, or by `set`. */
  write(path: string, value: string | number, common?: CommonKeys): Promise<void>;
  /** Writes a setting, and writes what it was again when the test ends. */
  set(path: string, value: string | number): Promise<void>;
  /** Any step of the scenario language. */
  step(document: StepInput): Promise<void>;
  /** A step for the end of the test, whatever happens; the last one comes first. */
  atEnd(document: StepInput): void;
  /** the CXL, DAX and memory side of the guest, as it was after the last step */
  state(): State;
}

export interface Cxl {
  /** Creates, programs and commits a region, and destroys it when the test ends, if it is still there. */
  createRegion(body: CreateRegion, common?: CommonKeys): Promise<Region>;
  destroyRegion(region: Region, common?: CommonKeys): Promise<void>;
  bind(driver: string, device: string | Region, common?: CommonKeys): Promise<void>;
  unbind(driver: string, device: string | Region, common?: CommonKeys): Promise<void>;
  /** @returns the JSON that `cxl list` prints */
  list(args?: string): Promise<unknown>;
}

/** Waits until all of it is true of the state, as `expect` of a scenario does. */
export type ExpectState = (body: Loose<z.input<typeof expectBody>>, name?: string) => Promise<void>;

interface CaseFixtures {
  /** the steps of the case; the others are views on it */
  readonly played: PlayedSteps;
  readonly guest: Guest;
  readonly cxl: Cxl;
  readonly expectState: ExpectState;
}

interface RigFixtures {
  $worker: { readonly rig: Rig };
  $test: CaseOptions;
}

const withRig = vitestTest.extend<RigFixtures>({
  rig: [
    // eslint-disable-next-line no-empty-pattern -- vitest reads from the pattern what a fixture needs
    async ({}, use) => {
      const rig = makeRig(inject(SHARED_RUN));
      await use(rig);
      await rig.close();
    },
    { scope: 'worker' },
  ],
  topology: 'one-volatile',
  kernel: undefined,
  boot: 'any',
  cmdline: [],
  requires: [],
  knownBugs: [],
  allowSplats: [],
  references: [],
  timeout: '120s',
  events: [],
  leavesNoTrace: true,
});

const withCase = withRig.extend<CaseFixtures>({
  played: async (
    {
      rig,
      topology,
      kernel,
      boot,
      cmdline,
      requires,
      knownBugs,
      allowSplats,
      references,
      timeout,
      events,
      leavesNoTrace,
      task,
      skip,
    },
    use,
  ) => {
    const place = placeOf(task);
    const scenarioCase: ScenarioCase = {
      ...namesOf(task),
      references,
      file: place.file,
      position: place,
      values: {},
      topology,
      boot,
      cmdline,
      requires,
      knownBugs,
      allowSplats,
      timeoutMs: timeoutOf(timeout),
      steps: [],
      cleanup: [],
      leavesNoTrace,
    };
    const trace = await rig.run(scenarioCase, kernel, async (session) => {
      const steps = playSteps(session, place);
      await steps.record(events);
      await use(steps);
      await steps.end();
      return steps.played(failureOutsideOfSteps(task, place));
    });
    settle(trace, task, skip);
  },

  guest: async ({ played }, use) => {
    await use(guestOf(played));
  },

  cxl: async ({ played }, use) => {
    await use(cxlOf(played));
  },

  expectState: async ({ played }, use) => {
    const expectState: ExpectState = (body, name) =>
      played.run({ expect: body, ...(name !== undefined && { name }) });
    await use(expectState);
  },
});

/**
 * vitest's `test` with a guest: `test('...', async ({ guest, cxl, expectState }) => ...)`. `test.use({ topology: 'two-ports' })` says
 * what holds for the tests of the file, or of the `describe` that it stands in.
 */
export const test: CaseTest = Object.assign(withCase, {
  use(options: Partial<CaseOptions>): void {
    withCase.override(options);
  },
});

export type CaseTest = TestAPI<CaseOptions & CaseFixtures> & { use(options: Partial<CaseOptions>): void };

/**
 * Defines a test for each case of YAML scenarios, in the same run: `await scenarios('current/refuse-bind')`. The kernel is that of
 * `test.use`, all else is the scenario's.
 * @param names as `cxlrig run` takes them: shipped ones, files and folders
 */
export async function scenarios(...names: string[]): Promise<void> {
  for (const file of await findScenarios(names))
    for (const scenarioCase of (await loadScenario(file)).cases)
      withCase(scenarioCase.id, async ({ rig, kernel, task, skip }) => {
        settle(await rig.run(scenarioCase, kernel), task, skip);
      });
}

type Task = Readonly<RunnerTestCase>;

function placeOf({ file, location }: Task): SourcePosition {
  return { file: file.filepath, line: location?.line ?? 1, column: location?.column ?? 1 };
}

function namesOf(task: Task): Pick<ScenarioCase, 'id' | 'scenario' | 'title' | 'description'> {
  const suites: string[] = [];
  for (let { suite } = task; suite; { suite } = suite) suites.unshift(suite.name);
  const scenario = nameOfFile(task.file.filepath, process.cwd());
  return {
    id: `${scenario} [${[...suites, task.name].join(' > ')}]`,
    scenario,
    title: task.name,
    description: suites.join(' > '),
  };
}

/** An assertion of the test itself that did not hold, or what else it threw. What a step failed by, its trace says. */
function failureOutsideOfSteps({ result }: Task, place: SourcePosition): StepFailure | undefined {
  const [error] = (result?.errors ?? []).filter(({ name }) => name !== 'StepFailed');
  if (!error) return undefined;
  const { message, expected, actual } = error;
  return {
    message,
    position: positionOf({ name: error.name ?? 'Error', message, ...stackOf(error) }, place),
    ...(expected !== undefined && { expected }),
    ...(actual !== undefined && { received: actual }),
    blame: error.name === 'Mistake' ? 'scenario' : 'kernel',
  };
}

function stackOf({ stack }: { readonly stack?: string | undefined }): { stack?: string } {
  return stack === undefined ? {} : { stack };
}

/** Makes vitest's result of a test what the verdict is. */
function settle(trace: CaseTrace, task: Task, skip: (note?: string) => never): void {
  const hasFailed = task.result?.state === 'fail';
  switch (trace.verdict) {
    case 'pass':
    case 'fixed':
      return;
    case 'known-bug':
      // it has to fail then
      if (hasFailed) (task as RunnerTestCase).fails = true;
      return;
    case 'skip':
      return skip(trace.reason);
    case 'fail':
    case 'infra':
      if (!hasFailed) throw new Error(`${trace.verdict}: ${trace.reason ?? ''}`);
  }
}

function guestOf(played: PlayedSteps): Guest {
  const guest: Guest = {
    async sh(line, { fails, timeout, name, 'may-fail': mayFail, 'allow-splats': splats, ...body } = {}) {
      const as = played.newName('text');
      const common = { name, fails, timeout, 'may-fail': mayFail, 'allow-splats': splats };
      await played.run({ exec: { sh: line, as, ...body }, ...defined(common) });
      return played.text(as);
    },
    async read(path, common) {
      const as = played.newName('text');
      await played.run({ read: { path, as }, ...common });
      return played.text(as);
    },
    write: (path, value, common) => played.run({ write: { path, value: String(value) }, ...common }),
    async set(path, value) {
      const as = played.newName('before');
      await played.run({ read: { path, as } });
      played.atEnd({ write: { path, value: `\${${as}}` } });
      await played.run({ write: { path, value: String(value) } });
    },
    step: (document) => played.run(document),
    atEnd: (document) => played.atEnd(document),
    state: () => played.session.state,
  };
  return guest;
}

function cxlOf(played: PlayedSteps): Cxl {
  const cxl: Cxl = {
    async createRegion(body, common) {
      const as = played.newName('region');
      played.atEnd({ 'destroy-region': { region: `\${${as}}` } });
      await played.run({ 'create-region': { ...body, as }, ...common });
      return played.region(as);
    },
    destroyRegion: (region, common) => played.run({ 'destroy-region': { region }, ...common }),
    bind: (driver, device, common) => played.run({ bind: { bus: 'cxl', driver, device }, ...common }),
    unbind: (driver, device, common) => played.run({ unbind: { bus: 'cxl', driver, device }, ...common }),
    async list(args = '') {
      const as = played.newName('text');
      await played.run({ cxl: { args: `list ${args}`, as } });
      return JSON.parse(played.text(as)) as unknown;
    },
  };
  return cxl;
}

function defined<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}
