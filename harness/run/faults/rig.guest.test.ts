import { createHash } from 'node:crypto';
import { cp, mkdir, open, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa, type Options } from 'execa';
import { beforeAll, describe, expect, onTestFinished, vi } from 'vitest';
import { cacheRoot } from '../../base/places.js';
import { runFirmware } from '../../guest/accelerator.js';
import { builtCommand, processesIn, workFolder } from '../../testing/command.js';
import { faultTest, type Consequence, type Outcome } from '../../testing/fault.js';
import { bootableStock } from '../../testing/stock.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** Everything is there before anything is timed. */
beforeAll(async () => {
  await bootableStock();
});

describe('what goes wrong with QEMU', () => {
  faultTest(
    {
      fault: 'QEMU is missing',
      in: 'rig',
      outcome: 'refused (exit 3)',
      says: /QEMU could not be asked for its version[^]*doctor/,
      withinSeconds: 20,
    },
    async () => finished(start(await bench(), { env: { CXLRIG_QEMU: '/nonexistent/qemu' } })),
  );

  faultTest(
    {
      fault: 'QEMU is too old',
      in: 'rig',
      outcome: 'refused (exit 3)',
      says: /7\.2\.0; CXL memory needs 9\.1 or newer/,
      withinSeconds: 20,
    },
    async () => {
      const work = await bench();
      return finished(
        start(work, { env: { CXLRIG_QEMU: await qemuLike(work, 'echo QEMU emulator version 7.2.0') } }),
      );
    },
  );

  faultTest(
    {
      fault: 'QEMU refuses an option',
      in: 'rig',
      outcome: 'infra',
      says: /QEMU did not start.*no-such-device/,
      withinSeconds: 30,
    },
    async () => {
      const work = await bench();
      const qemu = await qemuLike(work, 'exec qemu-system-x86_64 "$@" -device no-such-device');
      return finished(start(work, { env: { CXLRIG_QEMU: qemu } }));
    },
  );

  faultTest(
    {
      fault: "QEMU gets no memory for the guest's",
      in: 'rig',
      outcome: 'infra',
      says: /QEMU did not start.*annot (?:set up guest|allocate) memory/,
      withinSeconds: 30,
    },
    async () => {
      const work = await bench();
      const qemu = await qemuLike(work, 'ulimit -v 900000; exec qemu-system-x86_64 "$@"');
      return finished(start(work, { env: { CXLRIG_QEMU: qemu } }));
    },
  );

  faultTest(
    {
      fault: 'QEMU is killed (SIGKILL) in a step',
      in: 'rig',
      outcome: 'infra',
      says: /QEMU ended \(signal SIGKILL\)/,
      withinSeconds: 20,
    },
    async () => {
      const work = await bench('sleep 100');
      const run = start(work);
      await inAStep(work);
      return finished(run, () => killed(qemuOf(work)));
    },
  );

  faultTest(
    {
      fault: 'the QMP connection vanishes',
      in: 'rig',
      outcome: 'infra',
      says: /QEMU closed its QMP connection/,
      withinSeconds: 30,
    },
    async () => {
      const work = await bench('sleep 100');
      const run = start(work, { env: { CXLRIG_QEMU: await qemuBehind(work, 'hang up') } });
      await inAStep(work);
      return finished(run, () => writeFile(join(work.dir, 'now'), ''));
    },
  );

  faultTest(
    {
      fault: 'KVM opens and then fails internally in a guest',
      in: 'rig',
      outcome: 'infra',
      says: /the machine stopped with an internal error/,
      withinSeconds: 30,
      remark: 'QMP is made to say what a KVM says that fails so; no such KVM is needed',
    },
    async () => {
      const work = await bench('sleep 100');
      const run = start(work, { env: { CXLRIG_QEMU: await qemuBehind(work, 'fail internally') } });
      await inAStep(work);
      return finished(run, () => writeFile(join(work.dir, 'now'), ''));
    },
  );

  faultTest(
    {
      fault: 'KVM opens and then fails internally when it is tried',
      in: 'rig',
      outcome: 'refused (exit 3)',
      says: /internal error of KVM/,
      withinSeconds: 20,
      remark: 'the trial itself, with a QEMU that says what one says with a KVM that fails so',
    },
    async () => {
      const work = await bench();
      await writeFile(join(work.dir, 'now'), '');
      vi.stubEnv('CXLRIG_QEMU', await qemuBehind(work, 'fail internally'));
      onTestFinished(() => void vi.unstubAllEnvs());
      const from = now();
      const told = (await runFirmware('tcg')) ?? 'the firmware came to its end';
      return {
        outcome: 'refused (exit 3)',
        told,
        seconds: secondsSince(from),
        left: await processesIn(work.dir),
      };
    },
  );

  faultTest(
    {
      fault: 'every port of the guest is taken by another',
      in: 'rig',
      outcome: 'pass',
      says: /2 pass/,
      withinSeconds: 90,
      remark: 'no port is fixed: QEMU takes a free one of the loopback; two guests at once have two',
    },
    async () => {
      const work = await bench('sleep 2', 'matrix: { n: [1, 2] }\n');
      return finished(start(work, { args: ['--jobs', '2'] }));
    },
  );
});

describe('what goes wrong with the run', () => {
  faultTest(
    {
      fault: "the host's clock jumps by hours, forth and back",
      in: 'rig',
      outcome: 'pass',
      says: /1 pass/,
      withinSeconds: 60,
      remark: 'the clock that JavaScript sees, in the run and its workers; the machine has other users',
    },
    async () => {
      const work = await bench('sleep 3', 'leaves-no-trace: true\n');
      return finished(start(work, { env: { NODE_OPTIONS: `--import=${await jumpingClock(work)}` } }));
    },
  );

  faultTest(
    {
      fault: 'a worker is killed (SIGKILL) in a step',
      in: 'rig',
      outcome: 'infra',
      says: /INFRA/,
      withinSeconds: 30,
    },
    async () => {
      const work = await bench('sleep 100');
      const run = start(work);
      await inAStep(work);
      return finished(run, () => killed(qemuOf(work).then(parentOf)));
    },
  );

  faultTest(
    {
      fault: 'the harness is killed (SIGKILL) in a step',
      in: 'rig',
      outcome: 'the next run passes',
      says: /1 pass/,
      withinSeconds: 15,
    },
    async () => {
      const work = await bench('sleep 100');
      const run = start(work);
      await inAStep(work);
      const from = now();
      run.command.kill('SIGKILL');
      await run.command;
      await gone(work.dir);
      const seconds = secondsSince(from);
      // its guest is gone; its files are not, until the next run finds that nobody is left to clear them up
      expect(await leftIn(work.dir)).not.toEqual([]);
      await writeFile(work.scenario, scenario('true'));
      const next = await finished(start(work));
      return { ...next, outcome: next.outcome === 'pass' ? 'the next run passes' : next.outcome, seconds };
    },
  );

  const phases: readonly (readonly [string, (work: Bench) => Promise<unknown>])[] = [
    ['while a guest boots', (work) => vi.waitFor(() => qemuOf(work), { timeout: MINUTE, interval: 20 })],
    ['in a step', inAStep],
  ];
  for (const [phase, reached] of phases) {
    faultTest(
      {
        fault: `Ctrl-C ${phase}`,
        in: 'rig',
        outcome: 'interrupted (exit 130)',
        says: /interrupted/,
        withinSeconds: 10,
      },
      async () => {
        const work = await bench('sleep 100');
        const run = start(work);
        await reached(work);
        return finished(run, () => interrupted(run));
      },
    );
  }

  faultTest(
    {
      fault: 'Ctrl-C while something is fetched',
      in: 'rig',
      outcome: 'interrupted (exit 130)',
      says: /interrupted/,
      withinSeconds: 10,
    },
    async () => {
      const work = await bench();
      const mirror = await silentMirror();
      const run = start(work, {
        args: ['--mirror', mirror.url],
        env: { CXLRIG_CACHE: join(work.dir, 'cache'), CXLRIG_MIRROR: undefined },
      });
      await mirror.asked;
      return finished(run, () => interrupted(run));
    },
  );

  faultTest(
    {
      fault: 'disk full when a guest is to boot',
      in: 'rig',
      outcome: 'infra',
      says: /cannot be written: ENOSPC/,
      withinSeconds: 60,
    },
    async () => {
      const work = await bench();
      return finished(onSmallDisk(work, join(work.dir, 'runs'), '20m', []));
    },
  );

  faultTest(
    {
      fault: 'disk full while the trace is written',
      in: 'rig',
      outcome: 'infra',
      says: /trace of .* cannot be written.*ENOSPC/,
      withinSeconds: 90,
    },
    async () => {
      const work = await bench('sleep 5');
      const runs = join(work.dir, 'runs');
      const fill = `(until grep -qs cxlrig-init:.ready ${runs}/*/guests/*/console.log; do sleep 0.2; done; sleep 2; cat /dev/zero > ${runs}/filler) 2>/dev/null &`;
      return finished(onSmallDisk(work, runs, '200m', [fill]));
    },
  );
});

describe('what goes wrong with the cache', () => {
  faultTest(
    {
      fault: 'disk full while the cache is filled',
      in: 'rig',
      outcome: 'refused (exit 3)',
      says: /disk (?:of the cache )?is full[^]*CXLRIG_CACHE/,
      withinSeconds: 60,
    },
    async () => {
      const work = await bench();
      const cache = join(work.dir, 'cache');
      return finished(onSmallDisk(work, cache, '8m', [`export CXLRIG_CACHE=${cache}`]));
    },
  );

  faultTest(
    {
      fault: 'read-only cache that has all',
      in: 'rig',
      outcome: 'pass',
      says: /1 pass/,
      withinSeconds: 60,
    },
    async () => {
      const work = await bench();
      const cache = cacheRoot();
      return finished(
        inNamespace(work, [`mount -o bind ${cache} ${cache}`, `mount -o remount,bind,ro ${cache}`]),
      );
    },
  );

  faultTest(
    {
      fault: 'read-only cache that lacks something',
      in: 'rig',
      outcome: 'refused (exit 3)',
      says: /can't be written[^]*CXLRIG_CACHE/,
      withinSeconds: 30,
    },
    async () => {
      const work = await bench();
      const cache = join(work.dir, 'cache');
      await mkdir(cache);
      const readOnly = [`mount -o bind ${cache} ${cache}`, `mount -o remount,bind,ro ${cache}`];
      return finished(inNamespace(work, [...readOnly, `export CXLRIG_CACHE=${cache}`]));
    },
  );

  faultTest(
    {
      fault: 'no network, and the cache has all',
      in: 'rig',
      outcome: 'pass',
      says: /1 pass/,
      withinSeconds: 60,
    },
    async () => finished(start(await bench(), { env: NO_NETWORK })),
  );

  faultTest(
    {
      fault: 'no network, and the cache lacks something',
      in: 'rig',
      outcome: 'refused (exit 3)',
      says: /download: .*could not[^]*check the network/,
      withinSeconds: 90,
    },
    async () => {
      const work = await bench();
      return finished(start(work, { env: { ...NO_NETWORK, CXLRIG_CACHE: join(work.dir, 'cache') } }));
    },
  );

  faultTest(
    {
      fault: 'two runs race for one cache entry that was cut short',
      in: 'rig',
      outcome: 'pass',
      says: /1 pass/,
      withinSeconds: 180,
    },
    async () => {
      const work = await bench();
      const cache = await copiedCache(work);
      await truncate(await inCopy(cache, 'initramfs'), 1_000_000);
      const from = now();
      const [one, two] = await Promise.all([
        finished(start(work, { env: { CXLRIG_CACHE: cache } })),
        finished(start(work, { env: { CXLRIG_CACHE: cache }, out: 'runs-too' })),
      ]);
      expect(two.told).toMatch(/1 pass/);
      const left = await leftIn(work.dir);
      return { ...one, seconds: secondsSince(from), left };
    },
  );

  faultTest(
    {
      fault: 'initramfs of the cache corrupt, its size unchanged',
      in: 'rig',
      outcome: 'infra',
      says: /initramfs is corrupt[^]*removed from the cache/,
      withinSeconds: 240,
    },
    async () => {
      const work = await bench();
      const cache = await copiedCache(work);
      await spoil(await inCopy(cache, 'initramfs'), 0.2);
      const spoilt = await finished(start(work, { env: { CXLRIG_CACHE: cache } }));
      const again = await finished(start(work, { env: { CXLRIG_CACHE: cache } }));
      expect(again.told).toMatch(/1 pass/);
      return spoilt;
    },
  );

  faultTest(
    {
      fault: 'kernel of the cache corrupt, its size unchanged',
      in: 'rig',
      outcome: 'infra',
      says: /vmlinux is corrupt[^]*removed from the cache/,
      withinSeconds: 180,
    },
    async () => {
      const work = await bench();
      const cache = await copiedCache(work);
      await spoil(await inCopy(cache, 'kernel'), 0.05);
      return finished(start(work, { env: { CXLRIG_CACHE: cache } }));
    },
  );
});

interface Bench {
  readonly dir: string;
  readonly scenario: string;
}

function scenario(sh: string, more = ''): string {
  return `cxlrig: 1\nname: mine\ndescription: a test\ntopology: none\n${more}steps:\n  - exec: { sh: '${sh}' }\n    timeout: 60s\n`;
}

/** A folder with a scenario of one line. */
async function bench(sh = 'true', more = ''): Promise<Bench> {
  const dir = await workFolder();
  await mkdir(join(dir, TEMPORARY));
  const file = join(dir, 'mine.yaml');
  await writeFile(file, scenario(sh, more));
  return { dir, scenario: file };
}

/** Temporary files of a run go here, where it is seen whether they stay. */
const TEMPORARY = 'tmp';

function temporaryIn({ dir }: Bench): { readonly TMPDIR: string } {
  return { TMPDIR: join(dir, TEMPORARY) };
}

interface Starting {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly out?: string;
}

const OPTIONS = {
  reject: false,
  all: true,
  stdin: 'ignore',
  timeout: 5 * MINUTE,
} as const satisfies Options;

interface Started {
  readonly command: Promise<{ readonly exitCode?: number | undefined; readonly all: string }> & {
    kill(signal: NodeJS.Signals): boolean;
  };
  readonly dir: string;
  readonly began: number;
}

function start(work: Bench, { args = [], env = {}, out = 'runs' }: Starting = {}): Started {
  const words = ['run', work.scenario, '--out', join(work.dir, out), ...args];
  return {
    command: execa('node', [builtCommand, ...words], { ...OPTIONS, env: { ...temporaryIn(work), ...env } }),
    dir: work.dir,
    began: now(),
  };
}

/** The run in user and mount namespaces of its own, which ordinary users may make, after some lines of sh as root there. */
function inNamespace(work: Bench, lines: readonly string[]): Started {
  const run = `exec node ${builtCommand} run ${work.scenario} --out ${join(work.dir, 'runs')}`;
  const words = ['--user', '--map-root-user', '--mount', 'sh', '-ec', [...lines, run].join('\n')];
  return {
    command: execa('unshare', words, { ...OPTIONS, env: temporaryIn(work) }),
    dir: work.dir,
    began: now(),
  };
}

function onSmallDisk(work: Bench, folder: string, size: string, lines: readonly string[]): Started {
  return inNamespace(work, [`mkdir -p ${folder}`, `mount -t tmpfs -o size=${size} disk ${folder}`, ...lines]);
}

/** The end of the run: how long after the fault, or its own start, it came, and what is left of it. */
async function finished(
  { command, dir, began }: Started,
  provoke?: () => Promise<unknown>,
): Promise<Consequence> {
  await provoke?.();
  const from = provoke ? now() : began;
  const { exitCode, all } = await command;
  const seconds = secondsSince(from);
  return { outcome: outcomeOf(exitCode, all), told: all, seconds, left: await leftIn(dir) };
}

function outcomeOf(exitCode: number | undefined, told: string): Outcome {
  if (exitCode === 0) return 'pass';
  if (exitCode === 1) return 'fail';
  if (exitCode === 130) return 'interrupted (exit 130)';
  return /^INFRA/m.test(told) ? 'infra' : 'refused (exit 3)';
}

/** Processes, and files that only a living run has. QEMU gets a moment to be gone. */
async function leftIn(dir: string): Promise<string[]> {
  await gone(dir).catch(() => undefined);
  const files = (await readdir(dir, { recursive: true })).filter((name) =>
    /(?:^|\/)(?:initrd|id_ed25519|known_hosts|\.vite|\.owner)$|\.draft-|^tmp\//.test(name),
  );
  return [...(await processesIn(dir)).map((pid) => `process ${pid}`), ...files];
}

async function gone(dir: string): Promise<void> {
  await vi.waitFor(async () => expect(await processesIn(dir)).toEqual([]), 10 * SECOND);
}

async function consoleOf({ dir }: Bench): Promise<string> {
  const files = (await readdir(dir, { recursive: true })).filter((name) => name.endsWith('/console.log'));
  return (await Promise.all(files.map((file) => readFile(join(dir, file), 'utf8')))).join('');
}

/** The guest's console shows what is typed in it. */
async function inAStep(work: Bench): Promise<void> {
  await vi.waitFor(async () => expect(await consoleOf(work)).toMatch(/cxlrig-init: ready/), {
    timeout: 2 * MINUTE,
    interval: 100,
  });
  await sleep(4 * SECOND);
}

/** The guest's QEMU, which works in the guest's folder. */
async function qemuOf({ dir }: Bench): Promise<number> {
  const [pid] = await processesIn(dir);
  if (pid === undefined) throw new Error('no QEMU runs yet');
  return Number(pid);
}

async function parentOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1]);
}

/** A program that passes for QEMU, whatever it does then. */
async function qemuLike({ dir }: Bench, does: string): Promise<string> {
  const file = join(dir, 'qemu');
  const version = '[ "$1" = --version ] && [ -z "${does##exec*}" ] && exec qemu-system-x86_64 --version';
  await writeFile(file, `#!/bin/sh\ndoes='${does.replaceAll("'", '')}'\n${version}\n${does}\n`, {
    mode: 0o755,
  });
  return file;
}

/**
 * QEMU with somebody in its QMP connection, who does his evil as soon as there is a file `now` in the bench's folder:
 * hangs up, or says what QEMU says when KVM fails internally.
 */
async function qemuBehind({ dir }: Bench, evil: 'hang up' | 'fail internally'): Promise<string> {
  const file = join(dir, 'qemu-behind');
  const program = `#!${process.execPath}
const { spawn, execFileSync } = require('node:child_process');
const { existsSync } = require('node:fs');
const { createInterface } = require('node:readline');
const args = process.argv.slice(2);
if (args[0] === '--version') {
  process.stdout.write(execFileSync('qemu-system-x86_64', args));
  process.exit();
}
const qemu = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'qemu-system-x86_64', ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
qemu.on('exit', (code) => process.exit(code ?? 1));
const say = (message) => process.stdout.write(JSON.stringify(message) + '\\n');
let failed = false;
createInterface({ input: qemu.stdout }).on('line', (line) => { if (!failed) process.stdout.write(line + '\\n'); });
createInterface({ input: process.stdin }).on('line', (line) => {
  const { execute, id } = JSON.parse(line);
  if (failed && execute === 'query-status') say({ return: { status: 'internal-error', running: false }, id });
  else qemu.stdin.write(line + '\\n');
});
const timer = setInterval(() => {
  if (!existsSync(${JSON.stringify(join(dir, 'now'))})) return;
  clearInterval(timer);
  failed = true;
  if (${evil === 'hang up'}) process.stdout.destroy(), require('node:fs').closeSync(1);
  else say({ event: 'STOP', timestamp: { seconds: 0, microseconds: 0 } });
}, 200);
`;
  await writeFile(`${file}.cjs`, program, { mode: 0o755 });
  return `${file}.cjs`;
}

/** A module that has the clock jump every 0.3 s, once it is imported. */
async function jumpingClock({ dir }: Bench): Promise<string> {
  const file = join(dir, 'clock.mjs');
  const program = `
const Steady = Date;
let jump = 0;
globalThis.Date = class Date extends Steady {
  constructor(...of) { if (of.length === 0) super(Date.now()); else super(...of); }
  static now() { return Steady.now() + jump; }
};
setInterval(() => { jump = jump > 0 ? -2 * 3600_000 : 3 * 3600_000; }, 300).unref();
`;
  await writeFile(file, program);
  return file;
}

/** A mirror that takes connections and says nothing. */
async function silentMirror(): Promise<{ readonly url: string; readonly asked: Promise<void> }> {
  const server = createServer();
  const sockets = new Set<Socket>();
  const asked = new Promise<void>((resolve) => {
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      resolve();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/debian`, asked };
}

/** Nothing listens there. */
const NO_NETWORK = { http_proxy: 'http://127.0.0.1:9/', https_proxy: 'http://127.0.0.1:9/' };

/** The parts of the cache that a run on the stock kernel takes. */
async function copiedCache({ dir }: Bench): Promise<string> {
  const cache = join(dir, 'cache');
  const { kernel, initramfs } = await bootableStock();
  const parts = [
    dirname(kernel.image),
    dirname(initramfs),
    join(cacheRoot(), 'apt'),
    join(cacheRoot(), 'userlands'),
  ];
  for (const part of parts) await cp(part, part.replace(cacheRoot(), cache), { recursive: true });
  for (const file of [kernel.image, initramfs])
    await addDigest(dirname(file).replace(cacheRoot(), cache), basename(file));
  return cache;
}

async function inCopy(cache: string, file: 'kernel' | 'initramfs'): Promise<string> {
  const { kernel, initramfs } = await bootableStock();
  return (file === 'kernel' ? kernel.image : initramfs).replace(cacheRoot(), cache);
}

/** Entries that were made by an earlier version have no digests. */
async function addDigest(entry: string, name: string): Promise<void> {
  const manifest = join(entry, '.cxlrig-entry.json');
  const files = JSON.parse(await readFile(manifest, 'utf8')) as [string, number, string?][];
  const sha256 = createHash('sha256')
    .update(await readFile(join(entry, name)))
    .digest('hex');
  const others = files.filter(([path]) => path !== name);
  const { size } = await stat(join(entry, name));
  await writeFile(manifest, JSON.stringify([[name, size, sha256], ...others]));
}

/** Overwrites a part of a file from there on, as a fraction of it, by what was not there. */
async function spoil(file: string, from: number): Promise<void> {
  const { size } = await stat(file);
  const handle = await open(file, 'r+');
  await handle.write(
    Buffer.alloc(Math.floor(size / 4), 0xa5),
    0,
    Math.floor(size / 4),
    Math.floor(size * from),
  );
  await handle.close();
}

async function killed(pid: Promise<number>): Promise<void> {
  process.kill(await pid, 'SIGKILL');
}

function interrupted({ command }: Started): Promise<void> {
  command.kill('SIGINT');
  return Promise.resolve();
}

function now(): number {
  return performance.now();
}

function secondsSince(from: number): number {
  return (now() - from) / SECOND;
}
