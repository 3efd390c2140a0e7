import { fits, groupKey, type HeldMachine, type MachineNeed } from './machine-group.js';

/** A case as far as it is scheduled. */
export interface Scheduled extends MachineNeed {
  /** how long it takes in a guest that is there, in milliseconds; an estimate */
  readonly expectedMs: number;
  /** the kernel may lack what it requires */
  readonly maySkip: boolean;
}

/** Decides who does what when. It knows of no processes, and of no guests but what it is told. */
export interface Schedule<T extends Scheduled> {
  /**
   * The case that a free worker does next: one that fits the guest it holds; else one of the group that is next; else
   * one of a group that another worker is at, if what is left there takes longer than starting a guest for it.
   * @returns undefined when there is nothing for the worker, now and later
   */
  next(worker: number, held: HeldMachine | undefined): T | undefined;
  /**
   * The case whose guest the worker can make ready while it is at its last one: the first of a group that nobody is at, which
   * is kept for it.
   * @returns undefined when the worker's guest is still good for a case, or there is no such group
   */
  ahead(worker: number): T | undefined;
  /** the worker has ended */
  leave(worker: number): void;
  /** takes all that wait: nothing is given out any more */
  drain(): T[];
  /** milliseconds of all that wait, with the starts of their guests; an estimate */
  waitingMs(): number;
}

/** How long a guest takes to start, in milliseconds; an estimate. */
export function startMs({ coldReason }: Pick<MachineNeed, 'coldReason'>): number {
  return coldReason === undefined ? 1_500 : 5_000;
}

/** Cases that one guest can serve. A case with a guest of its own is a group of one. */
interface Group<T> {
  readonly need: MachineNeed;
  /** in the order of the plan, but that those which may be skipped come last: the first lines of a run are to be verdicts */
  readonly waiting: T[];
  /** those that are at it */
  readonly workers: Set<number>;
}

export function makeSchedule<T extends Scheduled>(cases: readonly T[]): Schedule<T> {
  const groups = groupsOf(cases);
  const at = new Map<number, Group<T>>();
  const kept = new Map<number, Group<T>>();

  const leave = (worker: number): void => {
    at.get(worker)?.workers.delete(worker);
    at.delete(worker);
    kept.get(worker)?.workers.delete(worker);
    kept.delete(worker);
  };

  const choose = (held: HeldMachine | undefined): Group<T> | undefined => {
    const waiting = groups.filter((group) => group.waiting.length > 0);
    const fitting = held ? waiting.filter(({ need }) => fits(need, held)) : [];
    // a guest that was booted serves either kind: those first that need one which was
    const fit = fitting.find(({ need }) => need.coldReason !== undefined) ?? fitting[0];
    if (fit) return fit;
    const untouched = waiting.filter(({ workers }) => workers.size === 0);
    // what is compared is compared fairly when both kernels run at the same time
    const beside = untouched.filter((group) => [...at.values()].some((other) => areSiblings(group, other)));
    const next = longest(beside) ?? longest(untouched.filter(surelyRuns)) ?? longest(untouched);
    if (next) return next;
    const shared = longest(waiting);
    return shared && expectedMs(shared) > startMs(shared.need) ? shared : undefined;
  };

  return {
    next(worker, held) {
      const ready = kept.get(worker);
      leave(worker);
      const group = ready && ready.waiting.length > 0 ? ready : choose(held);
      if (!group) return undefined;
      group.workers.add(worker);
      at.set(worker, group);
      return group.waiting.shift();
    },
    ahead(worker) {
      const own = at.get(worker)?.need;
      const goesOn = groups.some(
        ({ need, waiting }) =>
          waiting.length > 0 && own && !own.isOwn && !need.isOwn && isSameMachine(need, own),
      );
      if (goesOn || kept.has(worker)) return undefined;
      const waiting = groups.filter((group) => group.waiting.length > 0 && group.workers.size === 0);
      const group = longest(waiting.filter(surelyRuns));
      if (!group) return undefined;
      group.workers.add(worker);
      kept.set(worker, group);
      return group.waiting[0];
    },
    leave,
    drain: () => groups.flatMap(({ waiting }) => waiting.splice(0)),
    waitingMs: () =>
      groups.reduce(
        (sum, group) =>
          sum +
          expectedMs(group) +
          (group.waiting.length > 0 && group.workers.size === 0 ? startMs(group.need) : 0),
        0,
      ),
  };
}

function groupsOf<T extends Scheduled>(cases: readonly T[]): readonly Group<T>[] {
  const groups: Group<T>[] = [];
  const shared = new Map<string, Group<T>>();
  for (const one of cases) {
    const key = groupKey(one);
    const known = one.isOwn ? undefined : shared.get(key);
    if (known) {
      known.waiting.push(one);
      continue;
    }
    const group: Group<T> = { need: one, waiting: [one], workers: new Set() };
    groups.push(group);
    if (!one.isOwn) shared.set(key, group);
  }
  for (const { waiting } of groups) waiting.sort((a, b) => Number(a.maySkip) - Number(b.maySkip));
  return groups;
}

function surelyRuns({ waiting: [first] }: Group<Scheduled>): boolean {
  return first?.maySkip === false;
}

function isSameMachine(one: MachineNeed, other: MachineNeed): boolean {
  return one.kernel === other.kernel && one.machineKey === other.machineKey;
}

/** The same machine with another kernel. */
function areSiblings({ need: one }: Group<unknown>, { need: other }: Group<unknown>): boolean {
  return (
    one.kernel !== other.kernel &&
    one.machineKey === other.machineKey &&
    one.isOwn === other.isOwn &&
    (one.coldReason === undefined) === (other.coldReason === undefined)
  );
}

/** The first of the longest, if there is any. */
function longest<T extends Scheduled>(groups: readonly Group<T>[]): Group<T> | undefined {
  return groups.reduce<Group<T> | undefined>(
    (most, group) =>
      most && expectedMs(most) + startMs(most.need) >= expectedMs(group) + startMs(group.need) ? most : group,
    undefined,
  );
}

/** Milliseconds of those of the group that wait. */
function expectedMs({ waiting }: Group<Scheduled>): number {
  return waiting.reduce((sum, one) => sum + one.expectedMs, 0);
}
