import type { State, StateChange } from '../abi/state.js';
import type { QmpTraffic } from '../guest/guest.js';
import type { SourcePosition } from '../base/document/diagnostic.js';
import type { MachinePlan } from '../topology/plan.js';

/**
 * What a run tells about itself: one typed stream of events. The engine emits it and never prints; the live view,
 * the trace on disk and every report are made from it alone.
 * All times are milliseconds since the Unix epoch; all durations are milliseconds.
 */
export type RunEvent =
  | { readonly type: 'case-started'; readonly at: number; readonly case: CaseIdentity }
  | { readonly type: 'guest'; readonly at: number; readonly phase: GuestPhase; readonly detail?: string }
  | { readonly type: 'step-started'; readonly at: number; readonly step: StepIdentity }
  | { readonly type: 'line'; readonly at: number; readonly step: string; readonly line: TypedLine }
  | { readonly type: 'step-ended'; readonly at: number; readonly step: StepTrace }
  | { readonly type: 'case-ended'; readonly at: number; readonly trace: CaseTrace };

export type GuestPhase =
  'resolving' | 'booting' | 'ready' | 'reused' | 'rebooting' | 'stopped' | 'died' | 'kept';

export type Verdict = 'pass' | 'fail' | 'skip' | 'known-bug' | 'fixed' | 'infra';

export interface CaseIdentity {
  readonly id: string;
  /** its name below scenarios/ */
  readonly scenario: string;
  /** what the scenario says, in a sentence */
  readonly title?: string;
  readonly description: string;
  readonly references: readonly string[];
  readonly position: SourcePosition;
  readonly values: Readonly<Record<string, unknown>>;
  readonly topology: string;
  readonly kernel: string;
}

export interface StepIdentity {
  /** place in the case: `3`, `3.1.2` within a parallel or repeat, `cleanup.1` */
  readonly id: string;
  /** what it does, in a line */
  readonly title: string;
  readonly kind: string;
  readonly position: SourcePosition;
}

/** A line typed in the guest, exactly, and what came of it. */
export interface TypedLine {
  /** POSIX sh; for QMP the command as JSON, marked by `channel` */
  readonly text: string;
  readonly channel: 'sh' | 'qmp';
  readonly at: number;
  readonly milliseconds: number;
  readonly stdout?: string;
  readonly stderr?: string;
  /** exit status; null: killed by a signal; absent: no answer came, the guest died or was stuck */
  readonly code?: number | null;
  /** by name, when the kernel refused */
  readonly errno?: string;
}

export interface StepFailure {
  readonly message: string;
  readonly position: SourcePosition;
  readonly expected?: unknown;
  readonly received?: unknown;
  /** the sysfs path or the state path in question */
  readonly subject?: string;
  /** id of the step that failed; absent when it was in none, and in older traces */
  readonly step?: string;
  /** the kernel did something else, a tool refused by itself, or nothing was learnt for what another did */
  readonly blame: Blame;
}

/** See `Blame` of verdict/judge.ts. */
export type Blame = 'kernel' | 'tool' | 'scenario' | 'emulator' | 'rig';

/** A splat found on the console, fingerprinted by symbols. */
export interface SplatRecord {
  readonly kind: string;
  readonly title: string;
  readonly fingerprint: string;
  readonly text: string;
  readonly allowed: boolean;
}

/** A test within a step that ran a suite of its own. */
export interface SubtestResult {
  readonly name: string;
  readonly verdict: 'pass' | 'fail' | 'skip';
  readonly reason?: string;
}

export interface StepTrace extends StepIdentity {
  readonly startedAt: number;
  readonly milliseconds: number;
  readonly outcome: 'pass' | 'fail' | 'skipped';
  readonly lines: readonly TypedLine[];
  readonly changes: readonly StateChange[];
  /** kernel log of this step */
  readonly log: string;
  readonly splats: readonly SplatRecord[];
  readonly qmp: readonly QmpTraffic[];
  readonly failure?: StepFailure;
  /** of a step that ran a suite: what it said of each of its tests, in its order */
  readonly subtests?: readonly SubtestResult[];
  /** which functions of the kernel its writes called, as the function graph tracer writes it; of a run for evidence */
  readonly calls?: string;
  /** the step as it was carried out, its values put in: what it expected is then known to a report without the YAML */
  readonly document?: unknown;
}

export const TRACE_VERSION = 1;

export interface CaseTrace {
  readonly version: typeof TRACE_VERSION;
  readonly case: CaseIdentity;
  readonly verdict: Verdict;
  /** why, for every verdict but pass: a sentence */
  readonly reason?: string;
  /** a known bug that shows now and then */
  readonly isRace?: true;
  /** the failure that the reason tells */
  readonly failure?: StepFailure;
  /** what failed besides, such as a cleanup after the step that failed */
  readonly besides?: readonly StepFailure[];
  readonly startedAt: number;
  readonly milliseconds: number;
  readonly guest?: {
    /** it was not started for this case */
    readonly reused: boolean;
    /** absent in traces of older runs: cold */
    readonly boot?: 'cold' | 'resumed';
    /** why it was not resumed */
    readonly bootReason?: string;
    /** it was to be resumed and had to be booted: the reason says why */
    readonly fellBack?: boolean;
    /** it stood still so often before it came up, each time where this says, and was started again */
    readonly stalls?: readonly string[];
    readonly bootMilliseconds: number;
    readonly accelerator: string;
    readonly kernelRelease: string;
    readonly kernelId: string;
    /** how many cases this guest had served before */
    readonly casesBefore: number;
  };
  /** the machine that the case ran on */
  readonly machine: MachinePlan;
  /** state before the first step; the steps' changes lead from it to every later one. Absent when no guest came up. */
  readonly initialState?: State;
  readonly steps: readonly StepTrace[];
  /** what differs from the state before the first step, when it must not */
  readonly leftovers: readonly StateChange[];
  readonly splats: readonly SplatRecord[];
  /** folder of this case's artifacts, relative to the run's folder */
  readonly artifacts: string;
  /** all attempts at the case, oldest first, when it took several; the trace is that of one which failed */
  readonly attempts?: readonly CaseAttempt[];
  /** of a failed case that was run once more to see why */
  readonly evidence?: Evidence;
}

/** What a further run of a failed case showed, with debug messages and calls recorded. It changes no verdict. */
export interface Evidence {
  readonly verdict: Verdict;
  readonly reason?: string;
  readonly artifacts: string;
  /** the step that failed and those before it, as far as they have something to show */
  readonly steps: readonly EvidenceOfStep[];
}

export interface EvidenceOfStep {
  readonly id: string;
  /** kernel log with debug messages */
  readonly log: string;
  readonly calls?: string;
}

/** One of several attempts at a case. */
export interface CaseAttempt {
  readonly verdict: Verdict;
  readonly reason?: string;
  /** how many cases its guest had served before; 0: a fresh one */
  readonly casesBefore: number;
  readonly milliseconds: number;
  readonly artifacts: string;
}

export interface RunSummary {
  readonly version: typeof TRACE_VERSION;
  readonly startedAt: number;
  readonly milliseconds: number;
  readonly command: readonly string[];
  readonly environment: RunEnvironment;
  readonly counts: Readonly<Record<Verdict, number>>;
  /** how the guests came up; absent in older runs */
  readonly guests?: GuestCounts;
  readonly exitCode: number;
}

export interface GuestCounts {
  readonly resumed: number;
  readonly booted: number;
  /** of those booted: to be resumed, which failed */
  readonly fellBack: number;
  /** starts that stood still and were begun again; absent in older runs */
  readonly stalls?: number;
}

export interface RunEnvironment {
  readonly cxlrig: string;
  readonly node: string;
  readonly qemu: string;
  readonly accelerator: string;
  readonly acceleratorReason: string;
  readonly host: {
    readonly kernel: string;
    readonly cpus: number;
    readonly memoryBytes: number;
    readonly distribution: string;
  };
  readonly kernels: readonly {
    readonly profile: string;
    readonly release: string;
    readonly id: string;
    readonly origin: string;
    /** of a kernel that was built: its sources before patches */
    readonly source?: string;
    readonly series?: { readonly hash: string; readonly patches: readonly string[] };
    readonly configHash?: string;
    /** which cxl, daxctl and ndctl its guests had; absent in older runs */
    readonly tools?: ToolsIdentity;
  }[];
}

/** The tools of a guest: packages, or built from source. */
export interface ToolsIdentity {
  readonly profile: string;
  /** content hash: tools of one id are the same */
  readonly id: string;
  readonly origin: string;
  /** of tools that were built: their sources before patches */
  readonly source?: string;
  readonly series?: { readonly hash: string; readonly patches: readonly string[] };
}
