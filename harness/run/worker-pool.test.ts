import { EventEmitter } from 'node:events';
import { expect, test, vi } from 'vitest';
import type { PoolOptions, WorkerRequest } from 'vitest/node';
import type { FromWorker, ToWorker } from './channel.js';
import type { PlannedCase } from './planned-case.js';
import { makeSchedule } from './schedule.js';
import { plannedCase } from './testing/planned.js';
import { makeWorkerPool, type WorkerPool } from './worker-pool.js';
import type { WorkerProcess } from './worker-process.js';

/** A worker that does with a case what the test says. */
class FakeWorker implements WorkerProcess {
  private readonly emitter = new EventEmitter();
  private die_: (how: string) => void = () => undefined;
  readonly ended = new Promise<string>((resolve) => (this.die_ = resolve));
  readonly cases: PlannedCase[] = [];
  readonly ahead: PlannedCase[] = [];
  isEnded = false;
  constructor(private readonly work: (worker: FakeWorker, planned: PlannedCase) => void) {}

  send(message: ToWorker): void {
    if (message.type === 'case') this.cases.push(message.planned);
    if (message.type === 'ahead') this.ahead.push(message.planned);
    if (message.type !== 'vitest') return;
    const { type } = message.message as { type: string };
    if (type === 'start') queueMicrotask(() => this.answer('started'));
    const planned = this.cases.at(-1);
    if (type === 'run' && planned) queueMicrotask(() => this.work(this, planned));
  }
  onMessage(listener: (message: FromWorker) => void): void {
    this.emitter.on('message', listener);
  }
  tell(message: FromWorker): void {
    this.emitter.emit('message', message);
  }
  answer(type: string): void {
    this.tell({ type: 'vitest', message: { type, __vitest_worker_response__: true } });
  }
  pass(): void {
    this.tell({ type: 'traced', held: undefined });
    this.answer('testfileFinished');
  }
  die(how: string): void {
    this.isEnded = true;
    this.die_(how);
  }
  end(): void {
    this.die('exit code 0');
  }
}

/** What vitest does with a pool: it wants a worker for each module, starts it, and runs the module in it. */
function askFor(pool: WorkerPool, modules: Iterable<string>): Map<string, string[]> {
  const heard = new Map<string, string[]>();
  for (const module of modules) {
    const worker = pool.runner.createPoolWorker({} as PoolOptions);
    const own: string[] = [];
    heard.set(module, own);
    worker.on('exit', () => own.push('exit'));
    worker.on('message', (message: { type: string }) => {
      own.push(message.type);
      if (message.type === 'started') {
        const context = { files: [{ filepath: module }] };
        worker.send({ __vitest_worker_request__: true, type: 'run', context } as unknown as WorkerRequest);
      }
    });
    worker.send({ __vitest_worker_request__: true, type: 'start' } as unknown as WorkerRequest);
  }
  return heard;
}

function poolOf(
  cases: readonly PlannedCase[],
  jobs: number,
  work: (worker: FakeWorker, planned: PlannedCase) => void,
  spare = 0,
) {
  const workers: FakeWorker[] = [];
  const ended = new Map<string, string | undefined>();
  const modules = new Map(cases.map((planned) => [planned.key, planned]));
  const pool = makeWorkerPool({
    jobs,
    spare,
    briefing: {} as never,
    modules,
    schedule: makeSchedule(cases),
    startWorker: () => {
      const worker = new FakeWorker(work);
      workers.push(worker);
      return worker;
    },
    event: () => undefined,
    ended: (planned, died) => void ended.set(planned.key, died),
    dropped: (planned) => void ended.set(planned.key, 'dropped'),
  });
  return { pool, workers, ended, heard: () => askFor(pool, modules.keys()) };
}

const FIVE = Array.from({ length: 5 }, () => plannedCase());

test('a few workers run what vitest asked for, each case once, and end when there is nothing more', async () => {
  const { workers, ended, heard } = poolOf(FIVE, 2, (worker) => worker.pass());
  const answers = heard();
  await vi.waitFor(() => expect(ended.size).toBe(5));
  expect([...answers.values()]).toEqual(Array(5).fill(['started', 'testfileFinished']));
  expect(workers.length).toBeLessThanOrEqual(2);
  expect(
    workers
      .flatMap(({ cases }) => cases)
      .map(({ key }) => key)
      .sort(),
  ).toEqual(FIVE.map(({ key }) => key).sort());
  expect(workers.every(({ isEnded }) => isEnded)).toBe(true);
});

test("a worker's death costs the one case that it was at", async () => {
  const [, second] = FIVE;
  const { workers, ended, heard } = poolOf(FIVE, 1, (worker, planned) =>
    planned === second ? worker.die('SIGKILL') : worker.pass(),
  );
  const answers = heard();
  await vi.waitFor(() => expect(ended.size).toBe(5));
  expect([...ended].filter(([, died]) => died !== undefined)).toEqual([[second?.key, 'SIGKILL']]);
  expect(answers.get(second?.key ?? '')).toEqual(['started', 'exit']);
  expect(workers).toHaveLength(2);
});

test('a worker whose case outlived its time is ended, for the case has its guest still', async () => {
  const [first] = FIVE;
  const { workers, ended, heard } = poolOf(FIVE, 1, (worker, planned) =>
    planned === first ? worker.answer('testfileFinished') : worker.pass(),
  );
  heard();
  await vi.waitFor(() => expect(ended.size).toBe(5));
  expect(workers.map(({ cases }) => cases.length)).toEqual([1, 4]);
});

test('a run that stops gives nothing more out, and vitest waits for nothing', async () => {
  const { pool, ended, heard } = poolOf(FIVE, 1, (worker) => {
    pool.stopGivingOut();
    worker.pass();
  });
  const answers = heard();
  await vi.waitFor(() => expect(ended.size).toBe(5));
  expect([...ended.values()].filter((how) => how === 'dropped')).toHaveLength(4);
  expect([...answers.values()].every((own) => own.at(-1) === 'testfileFinished')).toBe(true);
});

test('a run that is interrupted ends its workers, and what they are at', async () => {
  const { pool, workers, ended, heard } = poolOf(FIVE, 2, () => undefined);
  heard();
  await vi.waitFor(() => expect(workers.length).toBeGreaterThan(0));
  pool.end();
  await pool.close();
  expect(ended.size).toBe(5);
});

test('where a core is free a worker is told what comes next, and then gets that', async () => {
  const machines = ['one', 'two', 'three'].map((machineKey) => plannedCase({ machineKey }));
  const { workers, ended, heard } = poolOf(machines, 1, (worker) => worker.pass(), 1);
  heard();
  await vi.waitFor(() => expect(ended.size).toBe(3));
  const [worker] = workers;
  expect(worker?.ahead).toEqual(worker?.cases.slice(1));
  const busy = poolOf(machines, 1, (other) => other.pass());
  busy.heard();
  await vi.waitFor(() => expect(busy.ended.size).toBe(3));
  expect(busy.workers[0]?.ahead).toEqual([]);
});
