import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { parseState } from '../../abi/parse-state.js';
import { GuestDied, GuestTimeout, type ExecResult, type RunningGuest } from '../../guest/guest.js';
import type { RunEvent } from '../../trace/trace.js';
import type { MachinePlan } from '../../topology/plan.js';
import type { Step } from '../case.js';
import type { StepDocument } from '../language/language.js';
import { openSteps, runSteps } from './index.js';

const dir = mkdtempSync(join(tmpdir(), 'cxlrig-steps-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A step as the loader would make it; its line tells which part of the body a position speaks of. */
function step(document: object, line = 1): Step {
  const at = (...path: readonly (string | number)[]) => ({ file: path.join('.'), line, column: 1 });
  const { parallel, repeat } = document as StepDocument;
  const branches = parallel ?? (repeat ? [repeat.steps] : []);
  return {
    document: document,
    position: { file: '', line, column: 1 },
    at,
    branches: branches.map((branch) => branch.map((inner) => step(inner, line))),
  };
}

/** A shell of this machine in the place of the guest's; its kernel log is out of bounds. */
function shell(line: string): Promise<ExecResult> {
  return new Promise((resolve) => {
    const child = spawn('sh', ['-c', line.replaceAll('/dev/kmsg', '/dev/null')]);
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('close', (code, signal) => {
      resolve({ stdout: Buffer.concat(out), stderr: Buffer.concat(err), code, signal, milliseconds: 1 });
    });
  });
}

type Answer = (line: string) => Promise<ExecResult>;

async function session(answer: Answer = shell, events: RunEvent[] = [], status = 'running') {
  const guest = {
    type: answer,
    exec: answer,
    qmpTraffic: [],
    qmp: () => Promise.resolve({ status }),
    console: { length: 0, since: () => 'Kernel panic - not syncing: sysrq triggered crash\n' },
  } as unknown as RunningGuest;
  return openSteps({
    guest,
    plan: { name: 'test', devices: [], windows: [] } as unknown as MachinePlan,
    abi: {},
    initialState: parseState(''),
    emit: (event) => events.push(event),
    keepFile: () => Promise.resolve(true),
    findSplats: () => [],
    allowSplats: [],
    deadline: performance.now() + 60_000,
  });
}

const file = (name: string): string => join(dir, name);

describe('steps', () => {
  test('run in order until one fails; those after it are skipped', async () => {
    const result = await runSteps(
      [
        step({ write: { path: file('a'), value: 'one' } }),
        step({ read: { path: file('a'), as: 'a', equals: 'two' } }, 7),
        step({ write: { path: file('a'), value: 'three' } }),
      ],
      await session(),
    );
    expect(result.steps.map(({ id, outcome }) => [id, outcome])).toEqual([
      ['1', 'pass'],
      ['2', 'fail'],
      ['3', 'skipped'],
    ]);
    expect(result.failure).toMatchObject({
      position: { file: 'read.equals', line: 7 },
      subject: file('a'),
      expected: 'two',
      received: 'one',
      blame: 'kernel',
    });
    expect(readFileSync(file('a'), 'utf8')).toBe('one\n');
  });

  test('hold the lines exactly as they were typed, with captures put in', async () => {
    const result = await runSteps(
      [
        step({ exec: { sh: 'echo region7', as: 'r' } }),
        step({ write: { path: file('${r}'), value: 'a ${r} $${x}' } }),
      ],
      await session(),
    );
    expect(result.failure).toBeUndefined();
    expect(result.steps[1]?.lines.map(({ text }) => text)).toEqual([
      `echo 'a region7 \${x}' > ${file('region7')}`,
    ]);
    expect(result.steps[1]?.document).toEqual({ write: { path: file('region7'), value: 'a region7 ${x}' } });
  });

  test('tell of themselves while they run', async () => {
    const events: RunEvent[] = [];
    await runSteps([step({ exec: { sh: 'true' } })], await session(shell, events));
    expect(events.map(({ type }) => type)).toEqual(['step-started', 'line', 'step-ended']);
  });
});

describe('fails', () => {
  const absent = { read: { path: file('absent') } };

  test('is met by the errno that it names', async () => {
    expect((await runSteps([step({ ...absent, fails: 'ENOENT' })], await session())).failure).toBeUndefined();
    const several = step({ ...absent, fails: ['EBUSY', 'ENOENT'] });
    expect((await runSteps([several], await session())).failure).toBeUndefined();
  });

  test('is not met by another errno', async () => {
    const { failure } = await runSteps([step({ ...absent, fails: 'EBUSY' })], await session());
    expect(failure).toMatchObject({ expected: 'EBUSY', received: 'ENOENT', position: { file: 'fails' } });
  });

  test('is not met by success, and that is the kernel to blame', async () => {
    const { failure } = await runSteps([step({ exec: { sh: 'true' }, fails: 'EBUSY' })], await session());
    expect(failure).toMatchObject({ expected: 'EBUSY', received: 'success', blame: 'kernel' });
  });

  test('when absent or null, any refusal is a failure', async () => {
    for (const fails of [undefined, null]) {
      const { failure } = await runSteps([step({ ...absent, fails })], await session());
      expect(failure).toMatchObject({ expected: 'success', received: 'ENOENT', subject: file('absent') });
    }
  });
});

describe('may-fail', () => {
  const absent = { read: { path: file('absent') } };

  test('is met by success and by the errnos that it names', async () => {
    const open = { 'may-fail': ['EBUSY', 'ENOENT'] };
    for (const body of [absent, { exec: { sh: 'true' } }]) {
      expect((await runSteps([step({ ...body, ...open })], await session())).failure).toBeUndefined();
    }
  });

  test('is not met by another errno', async () => {
    const { failure } = await runSteps([step({ ...absent, 'may-fail': 'EBUSY' })], await session());
    expect(failure).toMatchObject({
      expected: 'one of success, EBUSY',
      received: 'ENOENT',
      position: { file: 'may-fail' },
      blame: 'kernel',
    });
  });
});

describe('steps within steps', () => {
  test('that hold others give them no more time than their own', async () => {
    const turns = { times: 100, steps: [{ exec: { sh: 'sleep 0.1' } }] };
    const result = await runSteps([step({ repeat: turns, timeout: '500ms' })], await session());
    expect(result.failure?.message).toBe('the time of the step that this one is within is over');
    expect(result.steps.length).toBeLessThan(10);
  });

  test('that are cut short by the step around them are not said to have taken their own time', async () => {
    const answer: Answer = async (line) => {
      if (line !== 'sleep 5') return shell(line);
      await new Promise((resolve) => setTimeout(resolve, 350));
      throw new GuestTimeout(line, 300);
    };
    const branches = [[{ exec: { sh: 'sleep 5' } }], [{ exec: { sh: 'true' } }]];
    const result = await runSteps([step({ parallel: branches, timeout: '300ms' })], await session(answer));
    expect(result.failure?.message).toBe(
      'the time of the step that this one is within is over, and this has not returned: sleep 5',
    );
  });

  test('that run a suite tell its tests, and fail when one is not ok', async () => {
    const sh = 'echo 1..2; echo ok 1 first; echo not ok 2 second';
    const { steps, failure } = await runSteps([step({ exec: { sh, ktap: true } })], await session());
    expect(steps[0]?.subtests).toEqual([
      { name: 'first', verdict: 'pass' },
      { name: 'second', verdict: 'fail' },
    ]);
    expect(failure?.message).toBe('1 of 2 tests not ok: second');
  });

  test.each([
    [3, 3, true],
    [[0, 3], 3, true],
    [[0, 3], 2, false],
    ['nonzero', 3, true],
    ['nonzero', 0, false],
    ['any', 0, true],
    ['any', 3, true],
    [undefined, 3, false],
  ])('that must exit with %j and exit with %d: %j', async (exit, status, isRight) => {
    const { failure } = await runSteps([step({ exec: { sh: `exit ${status}`, exit } })], await session());
    expect(failure === undefined).toBe(isRight);
  });

  test('that lack something end the case without a failure, and what cleans up is run', async () => {
    const own = await session();
    const steps = [
      step({ exec: { sh: 'echo missing fio; exit 77', skip: 77 } }),
      step({ exec: { sh: 'echo after' } }),
    ];
    const result = await runSteps(steps, own);
    expect(result.failure).toBeUndefined();
    expect(result.steps.map(({ outcome }) => outcome)).toEqual(['skipped', 'skipped']);
    expect(own.lacking).toBe('missing fio');
    const cleanup = await runSteps([step({ exec: { sh: 'echo clean' } })], own, { isCleanup: true });
    expect(cleanup.steps.map(({ outcome }) => outcome)).toEqual(['pass']);
  });

  test('of a repeat know the turn, and are numbered by it', async () => {
    const turns = { times: 2, as: 'turn', steps: [{ exec: { sh: 'echo ${turn}', equals: '${turn}' } }] };
    const result = await runSteps([step({ repeat: turns })], await session());
    expect(result.failure).toBeUndefined();
    expect(result.steps.map(({ id }) => id)).toEqual(['1', '1.1.1', '1.2.1']);
  });

  test('of branches run at once, all of them, and come in the order of the file', async () => {
    const meet = (own: string, other: string) => [
      {
        exec: {
          sh: `touch ${file(own)}; n=0; until [ -e ${file(other)} ] || [ $n = 50 ]; do n=$((n+1)); sleep 0.1; done; [ -e ${file(other)} ]`,
        },
      },
    ];
    const branches = [meet('left', 'right'), meet('right', 'left'), [{ read: { path: file('absent') } }]];
    const result = await runSteps([step({ parallel: branches }, 3)], await session());
    expect(result.steps.map(({ id, outcome }) => [id, outcome])).toEqual([
      ['1', 'fail'],
      ['1.1.1', 'pass'],
      ['1.2.1', 'pass'],
      ['1.3.1', 'fail'],
    ]);
    expect(result.failure).toMatchObject({ received: 'ENOENT', position: { file: 'read' } });
  });
});

describe('a cleanup', () => {
  test('runs all its steps, and leaves out those whose captures were never made', async () => {
    const result = await runSteps(
      [
        step({ read: { path: file('absent') } }),
        step({ write: { path: file('x'), value: '${never}' } }),
        step({ write: { path: file('cleaned'), value: 'yes' } }),
      ],
      await session(),
      { isCleanup: true },
    );
    expect(result.steps.map(({ id, outcome }) => [id, outcome])).toEqual([
      ['cleanup.1', 'fail'],
      ['cleanup.2', 'skipped'],
      ['cleanup.3', 'pass'],
    ]);
  });
});

describe('a guest that', () => {
  test('dies of a panic fails the step, blames the kernel, and takes the console for its log', async () => {
    const death = { kind: 'panic', message: 'Kernel panic', console: [] } as const;
    const dying: Answer = (line) =>
      line.includes('crash') ? Promise.reject(new GuestDied(death)) : shell(line);
    const started = await session(dying);
    const result = await runSteps([step({ exec: { sh: 'crash' } }), step({ exec: { sh: 'true' } })], started);
    expect(result.failure).toMatchObject({ blame: 'kernel', received: 'panic' });
    expect(result.steps[0]?.log).toContain('Kernel panic');
    expect(result.steps[1]?.outcome).toBe('skipped');
    expect(started.broken).toBeDefined();
  });

  test.each([
    ['names an errno', 'cxl', 1, 'cxl region: failed: Device or resource busy', 'kernel'],
    ['names none', 'cxl', 1, 'cxl region: created 0 regions', 'tool'],
    ['does not know an option', 'daxctl', 129, "  Error: unknown option `x'", 'scenario'],
    ['is not there', 'ndctl', 127, 'sh: ndctl: not found', 'scenario'],
  ])('runs a tool that %s blames who refused', async (_, tool, code, said, blame) => {
    const functions = `${tool}() { echo "${said.replace('`', '\\`')}" >&2; return ${code}; }`;
    const result = await runSteps(
      [step({ [tool]: { args: 'list' } })],
      await session((line) => shell(`${functions}\n${line}`)),
    );
    expect(result.failure).toMatchObject({ blame, step: '1' });
  });

  test('dies with QEMU is the emulator to blame', async () => {
    const death = { kind: 'qemu', message: 'QEMU was killed', console: [] } as const;
    const dying: Answer = (line) =>
      line.includes('boom') ? Promise.reject(new GuestDied(death)) : shell(line);
    const result = await runSteps([step({ exec: { sh: 'boom' } })], await session(dying));
    expect(result.failure?.blame).toBe('emulator');
  });

  test('does not return from a write fails the step, and is asked what it is stuck in', async () => {
    const asked: string[] = [];
    const stuck: Answer = (line) => {
      asked.push(line);
      if (line.includes('/stuck')) return Promise.reject(new GuestTimeout('echo 1 > /stuck', 1000));
      return line.includes('sysrq-trigger') ? shell('true') : shell(line);
    };
    const started = await session(stuck);
    const result = await runSteps([step({ write: { path: '/stuck', value: '1' } })], started);
    expect(result.failure).toMatchObject({ blame: 'kernel', subject: 'echo 1 > /stuck' });
    expect(asked.at(-1)).toContain('echo w > /proc/sysrq-trigger');
  });

  test.each([
    ['paused', 'emulator', 'the machine stands still'],
    ['suspended', 'kernel', 'has suspended itself'],
  ])('does not answer because its machine is %s blames the %s', async (status, blame, message) => {
    const still: Answer = (line) =>
      line.includes('hello') ? Promise.reject(new GuestTimeout('echo hello', 1000)) : shell(line);
    const started = await session(still, [], status);
    const result = await runSteps([step({ exec: { sh: 'echo hello' } })], started);
    expect(result.failure).toMatchObject({ blame, message: expect.stringContaining(message) as string });
    expect(started.broken).toBeDefined();
  });
});

test('an expectation that does not come true says for how long it was waited and what changed', async () => {
  const body = { file: { path: file('never'), exists: true }, within: '100ms' };
  const { failure } = await runSteps([step({ expect: body }, 5)], await session());
  expect(failure).toMatchObject({
    position: { file: 'expect.file.exists', line: 5 },
    subject: file('never'),
    expected: 'it exists',
    received: 'it does not exist',
  });
  expect(failure?.message).toMatch(/\(waited 100 ms, \d+ looks; .*changed/);
});

test('an expectation that comes true while it is waited for holds', async () => {
  const body = { file: { path: file('soon'), equals: 'now' }, within: '10s' };
  const result = await runSteps(
    [
      step({ exec: { sh: `(sleep 0.3; echo now > ${file('soon')}) >/dev/null 2>&1 &` } }),
      step({ expect: body }),
    ],
    await session(),
  );
  expect(result.failure).toBeUndefined();
});

describe("when the host's clock is set while a case runs", () => {
  const HOUR = 60 * 60_000;

  /** Every look at the clock finds it set on, or back. */
  function jumpingClock(by: number): void {
    const real = Date.now;
    let jumps = 0;
    const spy = vi.spyOn(Date, 'now').mockImplementation(() => real() + by * (jumps += 1));
    onTestFinished(() => spy.mockRestore());
  }

  test.each([
    ['forth', HOUR],
    ['back', -HOUR],
  ])('%s, an expectation is waited for as long as it says, and steps take what they took', async (_, by) => {
    const started = await session();
    jumpingClock(by);
    const soon = file(`soon${by}`);
    const result = await runSteps(
      [
        step({ exec: { sh: `(sleep 0.3; echo now > ${soon}) >/dev/null 2>&1 &` }, timeout: '5s' }),
        step({ expect: { file: { path: soon, equals: 'now' }, within: '5s' } }),
        step({ expect: { file: { path: file('never'), exists: true }, within: '200ms' } }),
      ],
      started,
    );
    expect(result.steps.map(({ outcome }) => outcome)).toEqual(['pass', 'pass', 'fail']);
    expect(result.failure?.message).toMatch(/\(waited 200 ms/);
    for (const { milliseconds } of result.steps) {
      expect(milliseconds).toBeGreaterThanOrEqual(0);
      expect(milliseconds).toBeLessThan(5_000);
    }
  });
});
