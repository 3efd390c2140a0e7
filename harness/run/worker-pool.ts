import { EventEmitter } from 'node:events';
import type { PoolRunnerInitializer, PoolWorker } from 'vitest/node';
import type { RunEvent } from '../trace/trace.js';
import type { Briefing } from './briefing.js';
import type { HeldMachine } from './machine-group.js';
import type { PlannedCase } from './planned-case.js';
import type { Schedule } from './schedule.js';
import type { WorkerProcess } from './worker-process.js';

export interface PoolOrder {
  /** workers at a time */
  readonly jobs: number;
  /** guests that may start beside those of the workers: cores that have nothing else to do */
  readonly spare: number;
  readonly briefing: Briefing;
  /** every planned case has a module of this name, and vitest asks for all of them */
  readonly modules: ReadonlyMap<string, PlannedCase>;
  readonly schedule: Schedule<PlannedCase>;
  /** a worker that is ready to be briefed */
  readonly startWorker: () => WorkerProcess;
  readonly event: (planned: PlannedCase, event: RunEvent) => void;
  /** nothing more comes of the case. @param died how its worker ended, if it did */
  readonly ended: (planned: PlannedCase, died?: string) => void;
  /** the case was not given out, and will not be */
  readonly dropped: (planned: PlannedCase) => void;
}

export interface WorkerPool {
  readonly runner: PoolRunnerInitializer;
  /** gives out no more cases; those under way go on */
  stopGivingOut(): void;
  /** ends all workers soon, and all that they are at */
  end(): void;
  /** resolves when no worker is left */
  close(): Promise<void>;
}

/**
 * The pool that vitest runs its modules in. vitest hands modules out in a fixed order, each to the first worker that
 * is free (`Pool.schedule` of 4.1), and knows nothing of guests. So it is let believe that there is a worker for each
 * module, and every module waits there until the schedule gives its case to one of the few processes that there are.
 */
export function makeWorkerPool(order: PoolOrder): WorkerPool {
  const { modules, schedule } = order;
  const waiting = new Map<string, Request>();
  const workers = new Set<Worker>();
  const ends: Promise<unknown>[] = [];
  let started = 0;
  let isStopped = false;

  /** vitest asks for everything at once; before it has, the schedule might give out what nobody asked for. */
  const request = (one: Request): void => {
    waiting.set(one.module, one);
    if (isStopped) letGo(one.planned);
    else if (waiting.size === modules.size) for (let n = 0; n < order.jobs; n += 1) serve(undefined);
  };

  /** Gives the worker, or one more, its next case. */
  const serve = (idle: Worker | undefined): void => {
    const id = idle?.id ?? started;
    const planned = schedule.next(id, idle?.held);
    if (!planned) {
      idle?.process.end();
      return;
    }
    const worker = idle ?? newWorker();
    const one = requestFor(planned);
    if (!one) throw new Error(`vitest did not ask for ${planned.key}`);
    worker.current = one;
    worker.isTraced = false;
    worker.process.send({ type: 'case', planned });
    if (worker.isStarted) worker.process.send({ type: 'vitest', message: one.run });
    else worker.process.send({ type: 'vitest', message: one.ticket.startMessage });
    lookAhead(worker);
  };

  const lookAhead = (worker: Worker): void => {
    worker.looksAhead = false;
    if ([...workers].filter(({ looksAhead }) => looksAhead).length >= order.spare) return;
    const planned = schedule.ahead(worker.id);
    if (!planned) return;
    worker.looksAhead = true;
    worker.process.send({ type: 'ahead', planned });
  };

  const newWorker = (): Worker => {
    const worker: Worker = {
      id: started,
      process: order.startWorker(),
      held: undefined,
      current: undefined,
      isStarted: false,
      isTraced: false,
      looksAhead: false,
    };
    started += 1;
    workers.add(worker);
    worker.process.send({ type: 'briefing', briefing: order.briefing });
    worker.process.onMessage((message) => {
      const { current } = worker;
      if (!current) return;
      if (message.type === 'event') order.event(current.planned, message.event);
      else if (message.type === 'traced') {
        worker.held = message.held;
        worker.isTraced = true;
      } else hear(worker, current, message.message as VitestMessage);
    });
    ends.push(
      worker.process.ended.then((how) => {
        workers.delete(worker);
        schedule.leave(worker.id);
        const { current } = worker;
        if (!current) return;
        worker.current = undefined;
        order.ended(current.planned, how);
        current.ticket.emit('exit');
        serve(undefined);
      }),
    );
    return worker;
  };

  const hear = (worker: Worker, current: Request, message: VitestMessage): void => {
    if (message.type === 'started') {
      worker.isStarted = true;
      worker.process.send({ type: 'vitest', message: current.run });
      return;
    }
    current.ticket.emit('message', message);
    if (message.type !== 'testfileFinished') return;
    worker.current = undefined;
    order.ended(current.planned);
    // a case that outlived its time has the guest still
    if (worker.isTraced) serve(worker);
    else {
      worker.process.end();
      schedule.leave(worker.id);
      serve(undefined);
    }
  };

  const requestFor = (planned: PlannedCase): Request | undefined => {
    const found = [...waiting.values()].find((one) => one.planned === planned);
    if (found) waiting.delete(found.module);
    return found;
  };

  /** Lets vitest be done with what is not given out any more, if it has asked already. */
  const letGo = (planned: PlannedCase): void => {
    const one = requestFor(planned);
    if (!one) return;
    order.dropped(planned);
    one.ticket.emit('message', FINISHED);
  };

  const stopGivingOut = (): void => {
    isStopped = true;
    for (const planned of schedule.drain()) letGo(planned);
  };

  return {
    runner: {
      name: 'cxlrig',
      createPoolWorker: () =>
        makeTicket({
          run: (ticket, module, message) => {
            const planned = modules.get(module);
            if (planned) request({ ticket, module, planned, run: message });
          },
          forward: (ticket, message) => {
            for (const { current, process } of workers) {
              if (current?.ticket === ticket) process.send({ type: 'vitest', message });
            }
          },
        }),
    },
    stopGivingOut,
    end() {
      stopGivingOut();
      for (const { process } of workers) process.end();
    },
    async close() {
      for (const { process } of workers) process.end();
      await Promise.all(ends);
    },
  };
}

interface Worker {
  readonly id: number;
  readonly process: WorkerProcess;
  /** the guest that it has at hand, as it said last */
  held: HeldMachine | undefined;
  current: Request | undefined;
  /** vitest's part of it is */
  isStarted: boolean;
  /** the trace of the case that it is at is on disk */
  isTraced: boolean;
  /** it makes the guest of its next case ready */
  looksAhead: boolean;
}

/** A module that vitest wants run. */
interface Request {
  readonly ticket: Ticket;
  readonly module: string;
  readonly planned: PlannedCase;
  /** what a worker is sent to run it */
  readonly run: unknown;
}

/** The few of vitest's messages that are not just passed on. */
interface VitestMessage {
  readonly type?: string;
  readonly __vitest_worker_response__?: true;
}

const STARTED: VitestMessage = { type: 'started', __vitest_worker_response__: true };
const STOPPED: VitestMessage = { type: 'stopped', __vitest_worker_response__: true };
const FINISHED: VitestMessage = { type: 'testfileFinished', __vitest_worker_response__: true };

interface Ticket extends PoolWorker {
  readonly emit: (event: 'message' | 'exit', message?: VitestMessage) => void;
  /** what a process must be sent before it can run anything */
  readonly startMessage: unknown;
}

/** What vitest takes for the worker of a module. */
function makeTicket(to: {
  run(ticket: Ticket, module: string, message: unknown): void;
  forward(ticket: Ticket, message: unknown): void;
}): Ticket {
  const emitter = new EventEmitter();
  let startMessage: unknown;
  const ticket: Ticket = {
    name: 'cxlrig',
    on: (event, callback) => void emitter.on(event, callback),
    off: (event, callback) => void emitter.off(event, callback),
    emit: (event, message) => void emitter.emit(event, message),
    deserialize: (message) => message,
    start: () => Promise.resolve(),
    stop: () => Promise.resolve(),
    get startMessage() {
      return startMessage;
    },
    send(message) {
      if (!('__vitest_worker_request__' in message)) to.forward(ticket, message);
      else if (message.type === 'start') {
        startMessage = message;
        setImmediate(() => emitter.emit('message', STARTED));
      } else if (message.type === 'stop') setImmediate(() => emitter.emit('message', STOPPED));
      else if (message.type === 'run') to.run(ticket, message.context.files[0]?.filepath ?? '', message);
    },
  };
  return ticket;
}
