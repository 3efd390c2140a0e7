import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { CaseTrace } from '../../trace/trace.js';
import { cxlrig, processesIn } from '../../testing/command.js';
import { faultTest, type Consequence, type Fault } from '../../testing/fault.js';

const SCENARIOS = join(import.meta.dirname, 'scenarios');

type Row = Omit<Fault, 'in'> & {
  /** file in scenarios/ */
  readonly scenario: string;
  /** found in the case's artifacts: who looks for the cause must find it there */
  readonly evidence?: RegExp;
};

/** On the stock kernel, all in one run. */
const ROWS: readonly Row[] = [
  {
    fault: 'panic in a step',
    scenario: 'panic',
    outcome: 'fail',
    says: /^Kernel panic - not syncing: sysrq triggered crash$/,
    withinSeconds: 20,
    evidence: /sysrq_handle_crash[^]*<\/TASK>/,
  },
  {
    fault: 'out of memory',
    scenario: 'oom',
    outcome: 'fail',
    says: /^tail invoked oom-killer/,
    withinSeconds: 90,
    evidence: /Out of memory: Killed process/,
  },
  {
    fault: 'the SSH server is killed',
    scenario: 'sshd-killed',
    outcome: 'infra',
    says: /connection to the guest broke before this had ended: killall/,
    withinSeconds: 30,
  },
  {
    fault: 'the SSH server is killed and does not come back',
    scenario: 'sshd-killed-for-good',
    outcome: 'infra',
    says: /connection/,
    withinSeconds: 60,
  },
  {
    fault: 'init is killed',
    scenario: 'init-killed',
    outcome: 'fail',
    says: /Kernel panic - not syncing: Attempted to kill init!/,
    withinSeconds: 20,
  },
  {
    fault: 'reboot that nobody asked for',
    scenario: 'reboot',
    outcome: 'fail',
    says: /rebooted though nobody asked/,
    withinSeconds: 20,
    evidence: /reboot: machine restart|Restarting system/,
  },
  {
    fault: 'power-off that nobody asked for',
    scenario: 'power-off',
    outcome: 'fail',
    says: /powered itself off though nobody asked/,
    withinSeconds: 20,
  },
  {
    fault: 'console flooded at full speed for 10 s',
    scenario: 'flood',
    outcome: 'pass',
    says: /^$/,
    withinSeconds: 60,
    evidence: /flood flood/,
  },
  {
    fault: 'a write that never returns',
    scenario: 'never-returns',
    outcome: 'fail',
    says: /did not return within 3 s: echo x > \/tmp\/nobody-reads/,
    withinSeconds: 40,
    evidence: /stack of sh:\d+: (?:wait_for_partner|fifo_open)\+/,
  },
  {
    fault: 'clock of the guest jumps forth and back by decades',
    scenario: 'clock-jumps',
    outcome: 'pass',
    says: /^$/,
    withinSeconds: 30,
  },
  {
    fault: 'machine stopped by QMP',
    scenario: 'stopped',
    outcome: 'infra',
    says: /the machine stands still \(QMP: paused\)/,
    withinSeconds: 60,
  },
  {
    fault: 'the guest suspends itself',
    scenario: 'suspended',
    outcome: 'fail',
    says: /the guest has suspended itself/,
    withinSeconds: 40,
    evidence: /PM: suspend entry/,
  },
];

/** With lkdtm, which the stock kernel has not. */
const LKDTM_ROWS: readonly Row[] = [
  {
    fault: 'oops in a driver',
    scenario: 'oops',
    outcome: 'fail',
    says: /^BUG: kernel NULL pointer dereference in lkdtm_EXCEPTION/,
    withinSeconds: 20,
    evidence: /RIP: 0010:lkdtm_EXCEPTION/,
  },
  {
    fault: 'task hung in a write, in D state',
    scenario: 'd-state',
    outcome: 'fail',
    says: /^INFO: task sh blocked in lkdtm_HUNG_TASK/,
    withinSeconds: 60,
    evidence: /sysrq: Show Blocked State[^]*task:sh [^]*lkdtm_HUNG_TASK\+/,
  },
  {
    fault: 'soft lockup of a CPU',
    scenario: 'soft-lockup',
    outcome: 'fail',
    says: /^BUG: soft lockup - CPU stuck in lkdtm_SOFTLOCKUP/,
    withinSeconds: 60,
    evidence: /RIP: 0010:lkdtm_SOFTLOCKUP/,
  },
];

describe('what goes wrong in a guest', () => rowsOn('stock', ROWS));

describe('what goes wrong in a driver', () => rowsOn('minimal', LKDTM_ROWS));

/** Where the cache has no `minimal` yet it is built, which takes ten minutes. */
const BUILT_AND_RUN_MS = 60 * 60_000;

function rowsOn(kernel: string, rows: readonly Row[]): void {
  let dir: string;
  let runDir: string;
  let left: readonly string[];

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'cxlrig-faults-'));
    const files = rows.map(({ scenario }) => join(SCENARIOS, `${scenario}.yaml`));
    const { text } = await cxlrig(['run', ...files, '--kernel', kernel, '--out', dir, '--jobs', '2'], {
      env: { TMPDIR: dir },
      timeout: BUILT_AND_RUN_MS,
    });
    const [run] = await readdir(dir);
    if (run === undefined) throw new Error(`nothing was run:\n${text}`);
    runDir = join(dir, run);
    left = [...(await processesIn(dir)), ...(await filesLeft(dir, runDir))];
  }, BUILT_AND_RUN_MS);

  afterAll(async () => {
    await rm(dir, { recursive: true, force: true });
  });

  for (const { scenario, evidence, ...row } of rows) {
    faultTest({ ...row, in: 'guest' }, () => consequenceOf(scenario, evidence));
  }

  async function consequenceOf(scenario: string, evidence: RegExp | undefined): Promise<Consequence> {
    const { cases } = JSON.parse(await readFile(join(runDir, 'results.json'), 'utf8')) as {
      cases: readonly { id: string; artifacts: string }[];
    };
    const artifacts = join(runDir, cases.find(({ id }) => id === scenario)?.artifacts ?? 'none');
    const trace = JSON.parse(await readFile(join(artifacts, 'trace.json'), 'utf8')) as CaseTrace;
    if (evidence) {
      const logs = await Promise.all(
        ['console.log', 'dmesg.log'].map((name) => readFile(join(artifacts, name), 'utf8')),
      );
      expect(
        logs.some((log) => evidence.test(log)),
        `${String(evidence)} in the logs`,
      ).toBe(true);
    }
    // what comes before the first step is the guest's start, be it booted, resumed or made a template of first
    const [{ startedAt } = trace] = trace.steps;
    return {
      outcome: trace.verdict as Consequence['outcome'],
      told: trace.reason ?? '',
      seconds: (trace.startedAt + trace.milliseconds - startedAt) / 1000,
      left,
    };
  }
}

/** What neither belongs to a run's reports nor to what a guest leaves. */
async function filesLeft(dir: string, runDir: string): Promise<string[]> {
  const guests = await readdir(join(runDir, 'guests'), { recursive: true, withFileTypes: true });
  const ofGuests = guests.filter((entry) => entry.isFile()).map(({ name }) => name);
  const others = (await readdir(dir)).filter((name) => join(dir, name) !== runDir);
  return [...others, ...ofGuests.filter((name) => !['console.log', 'qemu.log', 'qemu.sh'].includes(name))];
}
