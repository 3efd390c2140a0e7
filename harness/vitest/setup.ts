import { readdir, readFile, rm } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { TestProject } from 'vitest/node';
import { stopwatch } from '../base/stopwatch.js';
import { chooseAccelerator, qemuVersion } from '../guest/index.js';
import { chooseProfile } from '../kernel/index.js';
import { liveView } from '../report/live.js';
import { plural } from '../report/plural.js';
import { countGuests, countVerdicts } from '../report/results.js';
import { RUNS, tracesIn } from '../report/saved-run.js';
import { TRACE_VERSION } from '../trace/trace.js';
import { writeReports } from '../report/write.js';
import type { Bootable } from '../run/briefing.js';
import { describeEnvironment } from '../run/environment.js';
import { prepareBootable } from '../run/prepare.js';
import { makeRunDir, openRunDir } from '../run/run-dir.js';
import { exitCode } from '../verdict/index.js';
import { KERNELS_USED, SETUP_OPTIONS, SHARED_RUN, type SetupOptions } from './shared.js';

/** vitest's global setup: makes the run's folder and the kernel, and the reports when all tests have ended. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const startedAt = Date.now();
  const elapsed = stopwatch();
  const options = JSON.parse(project.config.env[SETUP_OPTIONS] ?? '{}') as SetupOptions;
  const { kernel = 'stock', mirror } = options;
  const { version } = await qemuVersion();
  const choice = await chooseAccelerator(options.accelerator);
  const runDir = await makeRunDir(resolve(project.config.root, options.out ?? RUNS), startedAt);
  const folder = await openRunDir(runDir);
  const view = liveView(process.stderr);
  try {
    const profile = await chooseProfile({ profile: kernel });
    await prepareBootable(profile, { progress: view.progress.bind(view), mirror });
  } catch (error) {
    await folder.discard();
    throw error;
  } finally {
    view.close();
  }
  project.provide(SHARED_RUN, {
    runDir,
    kernel,
    qemuVersion: version,
    accelerator: choice.accelerator,
    ...(mirror === undefined ? {} : { mirror }),
  });
  return async () => {
    const traces = await tracesIn(runDir);
    const bootables = await kernelsUsed(runDir);
    await rm(join(runDir, KERNELS_USED), { recursive: true, force: true });
    if (traces.length === 0) return folder.discard();
    folder.close();
    const counts = countVerdicts(traces);
    await writeReports(
      runDir,
      {
        version: TRACE_VERSION,
        startedAt,
        milliseconds: elapsed(),
        command: ['vitest'],
        environment: await describeEnvironment(bootables, version, choice),
        counts,
        guests: countGuests(traces),
        exitCode: exitCode(counts, false),
      },
      traces,
    );
    const page = relative(process.cwd(), join(runDir, 'report.html'));
    process.stderr.write(`\n${plural(traces.length, 'case')} of cxlrig: ${page}\n`);
  };
}

async function kernelsUsed(runDir: string): Promise<Bootable[]> {
  const dir = join(runDir, KERNELS_USED);
  const names = (await readdir(dir).catch((): string[] => [])).sort();
  return Promise.all(
    names.map(async (name) => JSON.parse(await readFile(join(dir, name), 'utf8')) as Bootable),
  );
}
