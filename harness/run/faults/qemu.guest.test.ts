import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, onTestFinished, vi } from 'vitest';
import { runFirmware } from '../../guest/start/accelerator.js';
import { processesIn } from '../../testing/command.js';
import { faultTest } from '../../testing/fault.js';
import { bootableStock } from '../../testing/stock.js';
import { bench, start, finished, inAStep, qemuOf, killed, now, secondsSince } from './testing/bench.js';
import { qemuLike, qemuBehind } from './testing/evil-qemu.js';

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
