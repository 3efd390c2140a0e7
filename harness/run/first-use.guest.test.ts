import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CaseTrace } from '../trace/trace.js';
import { cxlrig } from '../testing/command.js';

/**
 * What misled the first users of the language, each as a scenario of its own, in one run: that the verdict tells what
 * happened, of one step, and blames whom it was.
 */

const DRAM = '{ device: mem0, type: dram, log: failure, start: 0x1000 }';
const SCENARIOS: Readonly<Record<string, string>> = {
  'two-fail': `leaves-no-trace: false
steps:
  - create-region: { as: r, targets: [mem0], size: 256M }
  - write: { path: /sys/bus/cxl/devices/region0/size, value: 5 }
cleanup:
  - write: { path: /sys/bus/cxl/devices/nothere, value: 7 }
  - destroy-region: { region: '\${r}' }`,
  'trace-none': `leaves-no-trace: false
steps:
  - inject: ${DRAM}
  - expect: { trace: { event: cxl_dram, count: 1, fields: { dpa: 0x1000 } } }
  - expect: { trace: { event: cxl_dram, count: 0 }, within: 200ms }`,
  'trace-field': `leaves-no-trace: false
steps:
  - inject: ${DRAM}
  - expect: { trace: { event: cxl_dram, count: 1 } }
  - expect: { trace: { event: cxl_dram, fields: { dpa: 0x2000 } }, within: 200ms }`,
  'trace-nonsense': `steps:
  - expect: { trace: { event: cxl_nonsense }, within: 1s }`,
  'left-behind': `steps:
  - write: { path: /sys/devices/system/memory/auto_online_blocks, value: online_kernel }`,
  usage: `steps:
  - daxctl: { args: list --nonsense }`,
  'shared-guest': `matrix: { n: [1, 2] }
steps:
  - read: { path: /sys/devices/system/memory/auto_online_blocks, as: p }
  - write: { path: /sys/devices/system/memory/auto_online_blocks, value: offline }
  - create-region: { as: r, targets: [mem0], bind: cxl_region }
  - expect: { dax: { of: '\${r}', driver: kmem } }
  - daxctl: { args: 'reconfigure-device -m devdax -f \${r.dax}' }
cleanup:
  - destroy-region: { region: '\${r}' }
  - write: { path: /sys/devices/system/memory/auto_online_blocks, value: '\${p}' }`,
};

let dir: string;
let text: string;
const traces = new Map<string, CaseTrace>();

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cxlrig-test-'));
  const scenarios = join(dir, 'scenarios');
  await mkdir(scenarios);
  for (const [name, body] of Object.entries(SCENARIOS)) {
    const head = `cxlrig: 1\nname: ${name}\ndescription: a test\ntopology: one-volatile\n`;
    await writeFile(join(scenarios, `${name}.yaml`), `${head}${body}\n`);
  }
  const out = join(dir, 'runs');
  ({ text } = await cxlrig(['run', scenarios, '--jobs', '1', '--out', out], { timeout: 300_000 }));
  const [run = ''] = await readdir(out);
  for (const folder of await readdir(join(out, run, 'cases'))) {
    const file = join(out, run, 'cases', folder, 'trace.json');
    const trace = JSON.parse(await readFile(file, 'utf8')) as CaseTrace;
    traces.set(trace.case.id, trace);
  }
});

afterAll(() => rm(dir, { recursive: true, force: true }));

const told = (name: string) => {
  const trace = traces.get(name);
  return { ...trace?.failure, verdict: trace?.verdict, reason: trace?.reason };
};

describe('a first user is told', () => {
  test('the step that failed with its own evidence, and the cleanup besides', () => {
    expect(told('two-fail')).toMatchObject({
      verdict: 'fail',
      step: '2',
      received: 'EBUSY',
      blame: 'kernel',
    });
    expect(traces.get('two-fail')?.besides?.map(({ step }) => step)).toEqual(['cleanup.1']);
    const [, part = ''] = /FAIL {2}two-fail([^]*?)artifacts/.exec(text) ?? [];
    expect(part).toMatch(/step +2 /);
    expect(part).toMatch(/typed +echo 5 > /);
    expect(part).toMatch(/besides +cleanup\.1 failed too: .*there is no \/sys\/bus\/cxl\/devices\/nothere/);
  });

  test('that an event came of which there must be none', () => {
    expect(told('trace-none')).toMatchObject({ verdict: 'fail', step: '3', expected: 'none' });
  });

  test('which field of an event differs, as numbers', () => {
    expect(told('trace-field').reason).toContain('dpa is 1000, not 0x2000');
  });

  test('that the kernel is not to blame for an event that there never was, or for a wrong option', () => {
    expect(told('trace-nonsense')).toMatchObject({ verdict: 'infra', blame: 'scenario' });
    expect(told('usage')).toMatchObject({ verdict: 'infra', blame: 'scenario' });
  });

  test('what was left behind, with values and the step', () => {
    expect(told('left-behind').reason).toMatch(
      /^left behind: auto_online_blocks: online -> online_kernel, by step 1$/,
    );
  });

  test('nothing of what another case did to the drivers of its guest', () => {
    expect(['shared-guest [n=1]', 'shared-guest [n=2]'].map((name) => told(name).verdict)).toEqual([
      'pass',
      'pass',
    ]);
  });
});
