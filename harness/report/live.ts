import { createLogUpdate } from 'log-update';
import { createColors, printable } from '../base/colors.js';
import { stopwatch } from '../base/stopwatch.js';
import type { ProgressUpdate } from '../base/progress.js';
import { skippedLine } from './skips.js';
import { caseText, seconds } from './terminal.js';
import type { CaseTrace, RunEvent } from '../trace/trace.js';

/** What a person sees while a run goes on. On a terminal the last lines move; elsewhere only finished lines are printed. */
export interface LiveView {
  progress(update: ProgressUpdate): void;
  /** @param key the case it belongs to */
  event(key: string, event: RunEvent): void;
  /** how far the run is */
  standing(standing: Standing): void;
  /** where the run's artifacts are, as soon as that is known: cases point there */
  artifactsIn(runDir: string): void;
  /** prints a line above what moves */
  print(text: string): void;
  close(): void;
}

/** How far a run is: cases, and milliseconds until it ends, where that can be told. */
export interface Standing {
  readonly done: number;
  readonly of: number;
  readonly leftMs?: number;
}

interface Activity {
  readonly since: number;
  text: string;
}

const REDRAW_MS = 120;
/** Without a terminal a job is mentioned again at most this often, so that a log shows life without drowning in it. */
const MENTION_MS = 15_000;
/** And so often it is said how far the run is. */
const STANDING_MS = 30_000;

export interface LiveViewOptions {
  /** one line for each case, also for those that are not well: somebody else tells of these */
  readonly brief?: boolean;
  /** a line for each skipped case too, instead of one for each reason */
  readonly listSkipped?: boolean;
}

export function liveView(stream: NodeJS.WriteStream, options: LiveViewOptions = {}): LiveView {
  return stream.isTTY ? movingView(stream, options) : plainView(stream, options);
}

function movingView(stream: NodeJS.WriteStream, options: LiveViewOptions): LiveView {
  const update = createLogUpdate(stream, { showCursor: true });
  const colors = createColors(true);
  let runDir = '';
  const activities = new Map<string, Activity>();
  const skipped = new Map<string, number>();
  let job: { task: string; text: string; since: number } | undefined;
  let standing: (() => string) | undefined;
  const clock = stopwatch();

  const draw = (): void => {
    const lines = [...activities].map(
      ([key, { since, text }]) =>
        `${colors.cyan('...  ')} ${key} ${colors.dim(`${seconds(Date.now() - since)}  ${text}`)}`,
    );
    if (job)
      lines.unshift(`${colors.cyan('...  ')} ${job.text} ${colors.dim(seconds(Date.now() - job.since))}`);
    for (const [reason, count] of skipped)
      lines.push(`${colors.yellow('skip ')} ${printable(skippedLine(count, reason))}`);
    if (standing) lines.push(colors.dim(standing()));
    update(lines.map((line) => clip(line, stream.columns)).join('\n'));
  };
  const timer = setInterval(draw, REDRAW_MS);

  const print = (text: string): void => {
    update.clear();
    stream.write(`${text}\n`);
    draw();
  };

  return {
    progress(next) {
      const since = job?.task === next.task ? job.since : Date.now();
      job = { task: next.task, text: progressText(next), since };
    },
    event(key, event) {
      job = undefined;
      if (event.type === 'case-ended') {
        activities.delete(key);
        const { verdict, reason = '' } = event.trace;
        if (verdict === 'skip' && !options.listSkipped) skipped.set(reason, (skipped.get(reason) ?? 0) + 1);
        else print(endedText(event.trace, runDir, true, options));
        return;
      }
      const activity = activities.get(key) ?? { since: event.at, text: '' };
      activity.text = activityText(event) ?? activity.text;
      activities.set(key, activity);
    },
    standing(next) {
      const since = clock();
      standing = () => standingText(next, clock(), clock() - since);
    },
    artifactsIn: (dir) => void (runDir = dir),
    print,
    close() {
      clearInterval(timer);
      update.clear();
      update.done();
    },
  };
}

function plainView(stream: NodeJS.WriteStream, options: LiveViewOptions): LiveView {
  const print = (text: string): void => void stream.write(`${text}\n`);
  let runDir = '';
  let mentioned: { task: string; at: number } | undefined;
  const clock = stopwatch();
  let standing: (() => string) | undefined;
  const timer = setInterval(() => {
    if (standing) print(`...   ${standing()}`);
  }, STANDING_MS).unref();
  const skipped = new Set<string>();
  const ended = (trace: CaseTrace): void => {
    const { verdict, reason = '' } = trace;
    if (verdict !== 'skip' || options.listSkipped) print(endedText(trace, runDir, false, options));
    else if (!skipped.has(reason))
      print(printable(`skip  ${reason}: ${trace.case.id} (further ones are counted at the end)`));
    skipped.add(reason);
  };
  return {
    progress(update) {
      if (mentioned?.task === update.task && Date.now() - mentioned.at < MENTION_MS) return;
      mentioned = { task: update.task, at: Date.now() };
      print(`...   ${progressText(update)}`);
    },
    event(_key, event) {
      if (event.type === 'case-ended') ended(event.trace);
      if (event.type === 'guest' && event.phase === 'kept') print(event.detail ?? '');
    },
    standing(next) {
      const since = clock();
      standing = () => standingText(next, clock(), clock() - since);
    },
    artifactsIn: (dir) => void (runDir = dir),
    print,
    close: () => clearInterval(timer),
  };
}

function endedText(trace: CaseTrace, runDir: string, color: boolean, { brief }: LiveViewOptions): string {
  const text = caseText(trace, runDir, { color });
  return brief ? (text.split('\n')[0] ?? '') : text;
}

/** `12 of 209 cases, 1m 04s, about 2m 30s left` */
function standingText({ done, of, leftMs }: Standing, elapsedMs: number, sinceMs: number): string {
  const left = leftMs === undefined ? '' : `, about ${seconds(Math.max(0, leftMs - sinceMs))} left`;
  return `${done} of ${of} cases, ${seconds(elapsedMs)}${left}`;
}

function progressText({ task, detail, fraction }: ProgressUpdate): string {
  const share = fraction === undefined ? '' : ` ${Math.floor(fraction * 100)}%`;
  return `${task}${share}${detail === undefined ? '' : `: ${detail}`}`;
}

function activityText(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'guest':
      return `guest ${event.phase}${event.detail === undefined ? '' : `: ${event.detail}`}`;
    case 'step-started':
      return `step ${event.step.id}: ${event.step.title}`;
    case 'case-started':
    case 'line':
    case 'step-ended':
    case 'case-ended':
      return undefined;
  }
}

/** Cuts a line to the terminal's width, not counting colour codes. */
function clip(line: string, columns: number): string {
  // eslint-disable-next-line no-control-regex
  const visible = line.replace(/\u001b\[\d+m/g, '');
  if (visible.length <= columns) return line;
  return `${visible.slice(0, Math.max(columns - 1, 1))}…`;
}
