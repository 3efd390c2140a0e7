import { diffStates, inWordsOf, quote, type State } from '../../../abi/index.js';
import { parseDuration } from '../../duration.js';
import type { StepBody } from '../../language.js';
import { DEFAULT_WITHIN_MS, POLL_FIRST_MS, POLL_MOST_MS } from '../context.js';
import { Unmet, Unresolved } from '../outcome.js';
import { resolve } from '../resolve.js';
import { sleep, type StepScope } from '../scope.js';
import { parseTrace, tracing } from '../trace-events.js';
import type { Miss, World } from './clause.js';
import { clausesOf, missesOf } from './clauses.js';

type Body = StepBody<'expect'>;

/**
 * Waits until everything holds, at most `within`; then watches that it stays so for `stays-for`. Each look is one
 * snapshot; files, links and trace events that clauses speak about are read with a second line.
 */
export async function expect(body: Body, scope: StepScope): Promise<void> {
  const within = parseDuration(body.within ?? '') ?? DEFAULT_WITHIN_MS;
  const watch = startWatch();
  const holds = await lookAgain(body, scope, watch, Date.now() + within, (misses) => misses.length === 0);
  if (holds.length > 0) throw unmet(holds, `waited ${seconds(within)}`, watch);
  const staying = parseDuration(body['stays-for'] ?? '');
  if (staying === undefined) return;
  const started = Date.now();
  const broken = await lookAgain(body, scope, watch, started + staying, (misses) => misses.length > 0);
  if (broken.length > 0) {
    throw unmet(broken, `held, and stopped holding after ${seconds(Date.now() - started)}`, watch, [
      'stays-for',
    ]);
  }
}

interface Watch {
  readonly started: number;
  looks: number;
  /** what changed while waiting, newest last */
  readonly changed: string[];
}

function startWatch(): Watch {
  return { started: Date.now(), looks: 0, changed: [] };
}

/** Looks until it is as wanted or the time is over; what does not hold at the last look. */
async function lookAgain(
  body: Body,
  scope: StepScope,
  watch: Watch,
  until: number,
  isWanted: (misses: readonly Miss[]) => boolean,
): Promise<Miss[]> {
  for (let pause = POLL_FIRST_MS; ; pause = Math.min(pause * 1.5, POLL_MOST_MS)) {
    const before = scope.state();
    const state = await scope.look();
    watch.looks += 1;
    watch.changed.push(...diffStates(before, state).map(({ path }) => path));
    const misses = missesOf(body, await worldOf(body, scope, state));
    if (isWanted(misses) || Date.now() + pause > Math.min(until, scope.session.context.deadline))
      return misses;
    await sleep(pause);
  }
}

function unmet(misses: readonly Miss[], when: string, watch: Watch, path?: readonly string[]): Unmet {
  const [first, ...others] = misses;
  if (!first) throw new Error('an expectation failed without a reason');
  const more =
    others.length === 0
      ? ''
      : `; and ${others.length} more: ${others.map((miss) => miss.message).join(', ')}`;
  const recent = [...new Set(watch.changed.slice(-200))].slice(-6);
  const meanwhile =
    recent.length === 0 ? 'nothing changed meanwhile' : `meanwhile changed: ${recent.join(', ')}`;
  return new Unmet({
    ...first,
    path: path ?? first.path,
    message: `${first.message} (${when}, ${watch.looks} looks; ${meanwhile})${more}`,
  });
}

async function worldOf(body: Body, scope: StepScope, state: State): Promise<World> {
  const { session, plan } = scope;
  const devices = [...session.hotDevices.values(), ...plan.devices];
  const { files, drivers, trace } = await readEvidence(body, scope);
  return {
    state,
    session,
    driverName: (name) => scope.driverName(name),
    idOf: (serial) => devices.find((device) => device.serial === serial)?.id,
    memdevOf: (id) => scope.memdevOf(id),
    file: (path) => files.get(path),
    driverOn: (bus, device) => drivers.get(`${bus}/${device}`),
    trace: parseTrace(trace ?? ''),
  };
}

interface Evidence {
  readonly files: ReadonlyMap<string, string>;
  readonly drivers: ReadonlyMap<string, string | null>;
  readonly trace: string | undefined;
}

/** Reads what clauses speak about and the snapshot does not hold. */
async function readEvidence(body: Body, scope: StepScope): Promise<Evidence> {
  const paths = new Set<string>();
  const bound = new Set<string>();
  let wantsTrace = false;
  for (const { key, clause } of clausesOf(body)) {
    const named = clause as { path?: string; bus?: string; device?: string };
    if (key === 'trace') wantsTrace = true;
    const put = (text: string | undefined): string | undefined => text && putIn(text, scope);
    if (key === 'file') for (const path of [put(named.path)].flatMap((one) => one ?? [])) paths.add(path);
    if (key === 'driver' && !['cxl', 'dax', 'nd'].includes(named.bus ?? '')) {
      const [bus, device] = [put(named.bus), put(named.device)];
      if (bus !== undefined && device !== undefined) bound.add(`${bus}/${device}`);
    }
  }
  const files = new Map<string, string>();
  const drivers = new Map<string, string | null>();
  for (const path of paths) {
    const content = await readFile(inWordsOf(scope.session.context.abi, path), scope);
    if (content !== undefined) files.set(path, content);
  }
  for (const entry of bound) {
    const [bus = '', device = ''] = entry.split('/');
    const folder = quote(`/sys/bus/${bus}/devices/${device}`);
    const found = await quietly(`[ -e ${folder} ] && { echo; readlink ${folder}/driver; }`, scope);
    if (found !== '') drivers.set(entry, found.trim().split('/').at(-1) || null);
  }
  return { files, drivers, trace: wantsTrace ? await readFile(`${tracing}/trace`, scope) : undefined };
}

function putIn(text: string, { session }: StepScope): string | undefined {
  try {
    return resolve(text, session);
  } catch (error) {
    if (error instanceof Unresolved) return undefined;
    throw error;
  }
}

/** As much of a file as an expectation can sensibly speak about: it may be a whole device. */
const MOST_OF_A_FILE = 64 * 1024;

async function readFile(path: string, scope: StepScope): Promise<string | undefined> {
  const file = quote(path);
  const found = await quietly(`[ -e ${file} ] && { echo; head -c ${MOST_OF_A_FILE} ${file}; }`, scope);
  return found === '' ? undefined : found.slice(1);
}

/** Polling is no line that a person would type: it is not recorded. */
async function quietly(text: string, { session, deadline }: StepScope): Promise<string> {
  const timeoutMs = Math.max(1_000, deadline - Date.now());
  const { stdout } = await session.context.guest.exec(`${text} 2>/dev/null`, { timeoutMs });
  return stdout.toString('utf8');
}

function seconds(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}
