import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fixtureCase, fixtureRun } from '../testing/fixture-run.js';
import type { CaseTrace } from '../../trace/trace.js';
import { PRELUDE } from './prelude.js';
import { reproScript } from './script.js';

const run = promisify(execFile);

async function scriptOf(id: string): Promise<string> {
  return reproScript(await fixtureCase(id)) ?? '';
}

describe('repro.sh', () => {
  test('is valid shell for every case that typed something, and is not there for others', async () => {
    const { traces } = await fixtureRun();
    for (const trace of traces) {
      const script = reproScript(trace);
      expect(script === undefined).toBe(trace.steps.length === 0);
      if (script !== undefined) await expect(run('sh', ['-n', '-c', script])).resolves.toBeDefined();
    }
  });

  test('types the very lines of the case, in their order', async () => {
    const trace = await fixtureCase('refuse-target');
    const script = reproScript(trace) ?? '';
    let at = 0;
    for (const { text } of trace.steps.flatMap(({ lines }) => lines)) {
      at = script.indexOf(text, at);
      expect(at, text).toBeGreaterThan(0);
    }
  });

  test('wants of each line what the scenario wants of it, by errno', async () => {
    const script = await scriptOf('refuse-target');
    expect(script).toContain("type_line 'EINVAL|ENODEV|ENXIO' 'echo decoder0.0 > ");
    expect(script).toContain("type_line ENXIO 'echo 1 > /sys/bus/cxl/devices/region0/commit'");
    expect(script).toContain("ENXIO) ERRNO='No such device or address' ;;");
    expect(script).toMatch(/# cleanup[^]*type_line any 'echo region0 > /);
  });

  test('leaves open what the scenario leaves open', async () => {
    const trace = await fixtureCase('refuse-target');
    const steps = trace.steps.map((step) => {
      const { fails, ...rest } = step.document as { readonly fails?: string };
      return { ...step, document: fails === undefined ? rest : { ...rest, 'may-fail': fails } };
    });
    const script = reproScript({ ...trace, steps });
    expect(script).toContain("type_line 'ok|ENXIO' 'echo 1 > /sys/bus/cxl/devices/region0/commit'");
    expect(script).toContain("ENXIO) ERRNO='No such device or address' ;;");
  });

  test('checks what the scenario expects, with its values put in', async () => {
    const script = await scriptOf('two-bridges');
    expect(script).toContain("within 10 'size of region0' 536870912 'number $D/region0/size'");
    expect(script).toContain(
      "within 10 'driver of dax devices of region0' kmem 'dax_of region0 | each_dax driver'",
    );
    expect(script).not.toMatch(/\$\{r[.}]/);
  });

  test('asks of a failing step what the scenario asked, so that it fails there too', async () => {
    expect(await scriptOf('wrong-zone')).toContain("'zone of memory blocks of region0' Normal");
    expect(await scriptOf('known-bug')).toContain("type_line ok 'echo region7 > ");
  });

  test('ends with the line that the guest died of', async () => {
    const script = await scriptOf('panic');
    expect(script).toContain("type_line ok 'echo c > /proc/sysrq-trigger'");
  });

  test('can hold text that tries to get out of its quotes', async () => {
    const trace = await fixtureCase('known-bug');
    const nasty = `'; touch /tmp/owned; echo '\n"$(reboot)"`;
    const hostile: CaseTrace = {
      ...trace,
      case: { ...trace.case, id: nasty, title: nasty, description: nasty },
      reason: nasty,
      steps: trace.steps.map((step) => ({ ...step, title: nasty })),
    };
    const script = reproScript(hostile) ?? '';
    await expect(run('sh', ['-n', '-c', script])).resolves.toBeDefined();
    for (const line of script.split('\n').slice(0, 12)) expect(line).toMatch(/^#|^$/);
  });

  test('ends where another kernel takes over, and says so instead of all being well', async () => {
    const trace = await fixtureCase('known-bug');
    const [step] = trace.steps;
    if (!step) throw new Error('the fixture has no step');
    const begun = { ...step, outcome: 'pass' as const };
    const after = { ...begun, id: '3', lines: begun.lines.map((line) => ({ ...line, text: 'echo later' })) };
    const script =
      reproScript({
        ...trace,
        steps: [
          begun,
          { ...begun, id: '2', kind: 'reboot', lines: [] },
          after,
          { ...after, id: 'cleanup.1' },
        ],
      }) ?? '';
    expect(script).toContain("echo 'step 2 is a reboot, which ends this script");
    expect(script).not.toContain('echo later');
    expect(script).not.toContain('everything is as the scenario says');
    await expect(run('sh', ['-n', '-c', script])).resolves.toBeDefined();
  });

  test('puts the branches of a parallel step beside each other', async () => {
    const trace = await fixtureCase('known-bug');
    const [step] = trace.steps;
    if (!step) throw new Error('the fixture has no step');
    const inner = (id: string) => ({ ...step, id, outcome: 'pass' as const });
    const script = reproScript({
      ...trace,
      steps: [
        { ...step, kind: 'parallel', lines: [], outcome: 'pass' },
        inner('1.1.1'),
        inner('1.1.2'),
        inner('1.2.1'),
      ],
    });
    expect(script?.match(/^\(\n/gm)).toHaveLength(2);
    expect(script?.match(/^\) & branches=/gm)).toHaveLength(2);
    await expect(run('sh', ['-n', '-c', script ?? ''])).resolves.toBeDefined();
  });
});

describe('the functions of repro.sh', () => {
  let devices: string;
  beforeEach(async () => {
    devices = await mkdtemp(join(tmpdir(), 'cxlrig-repro-'));
    // the guest of the script calls serial number 1 mem1, behind endpoint3
    for (const [memdev, serial, endpoint] of [
      ['mem0', '0x2', 'endpoint2'],
      ['mem1', '0x1', 'endpoint3'],
    ] as const) {
      await mkdir(join(devices, memdev));
      await writeFile(join(devices, memdev, 'serial'), `${serial}\n`);
      await mkdir(join(devices, endpoint));
      await symlink(join(devices, memdev), join(devices, endpoint, 'uport'));
    }
  });
  afterEach(() => rm(devices, { recursive: true }));

  async function sh(text: string): Promise<string> {
    const prelude = PRELUDE.replace('D=/sys/bus/cxl/devices', `D=${devices}`);
    const { stdout } = await run('sh', ['-c', `${prelude}\n${text}`]);
    return stdout;
  }

  test('find memdevs by their serial numbers, whatever this guest calls them', async () => {
    const names = 'memdev 1 mem0 endpoint2 >/dev/null; memdev 2 mem1 endpoint3 >/dev/null';
    expect(await sh(`${names}; here 'echo decoder2.0 mem0 > endpoint2/x decoder3.1 mem1 dmem0 mem01'`)).toBe(
      'echo decoder3.0 mem1 > endpoint3/x decoder2.1 mem0 dmem0 mem01',
    );
  });

  test('leave the text alone where the names are the same', async () => {
    expect(await sh(`memdev 2 mem0 endpoint2; memdev 1 mem1 endpoint3; here 'mem0 decoder2.0'`)).toBe(
      'mem0 decoder2.0',
    );
  });

  test('refuse a guest that is another machine', async () => {
    await expect(sh('memdev 7 mem0 endpoint2')).rejects.toMatchObject({ code: 2 });
  });

  test.each([
    ['ok', 'true', 0],
    ['ok', 'false', 1],
    ['ENOENT', 'cat /no/such/file', 0],
    ['EBUSY', 'cat /no/such/file', 1],
    ['EBUSY|ENOENT', 'cat /no/such/file', 0],
    ['ENOENT', 'true', 1],
    ['ok|EBUSY|ENOENT', 'true', 0],
    ['ok|EBUSY|ENOENT', 'cat /no/such/file', 0],
    ['ok|EBUSY', 'cat /no/such/file', 1],
    ['any', 'false', 0],
    ['exit 3', 'exit 3', 0],
    ['exit 0 3', 'exit 3', 0],
    ['exit 0 3', 'exit 2', 1],
    ['failed', 'true', 1],
  ])('judge a line that must be %j and is `%s`', async (expected, line, status) => {
    const names = `errno_text() { case $1 in ENOENT) ERRNO='No such file or directory' ;; *) ERRNO=Busy ;; esac; }`;
    const outcome = sh(`${names}; type_line '${expected}' '${line}'`);
    await (status === 0
      ? expect(outcome).resolves.toBeDefined()
      : expect(outcome).rejects.toMatchObject({ code: 1 }));
  });

  test('wait for what is on its way, and say what came instead', async () => {
    const later = `(sleep 0.3; echo there > "$TMP/x") & within 5 'the file' 'here|there' 'cat "$TMP/x"'`;
    expect(await sh(later)).toContain('ok: the file is there');
    await expect(sh(`STEP=4; within 0 'the file' there 'echo elsewhere'`)).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringContaining('FAIL step 4: the file: expected there, received elsewhere') as string,
    });
  });
});
