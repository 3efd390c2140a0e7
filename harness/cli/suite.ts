import { Argument, Option, type Command } from 'commander';
import { withBuildTools } from '../host/install.js';
import { chooseProfile } from '../kernel/index.js';
import { liveView } from '../report/live.js';
import type { RunOutcome } from '../run/index.js';
import { prepareSuite, suiteNames, type SuiteName, type SuiteRequest } from '../suite/index.js';
import { chooseTools, SOURCE_PROFILE, withTools } from '../tools/index.js';
import { collect } from './argument.js';
import { additionsOf, withGuestFlags, withOneTools, type GuestFlags } from './guest-flags.js';
import { abortOnInterrupt } from './interrupt.js';
import { withKernelFlags, type KernelFlags } from './kernel-flags.js';
import { runAndTell } from './run.js';
import { requestOf, withHistoryFlags, withRunFlags, type RunFlags } from './run-flags.js';

interface Flags extends RunFlags, KernelFlags, GuestFlags {
  readonly kernel: string;
  readonly tools?: string;
  readonly suite: string[];
}

export function registerSuite(program: Command): void {
  withGuestFlags(
    withOneTools(
      withKernelFlags(
        withHistoryFlags(
          withRunFlags(
            program
              .command('suite')
              .description("run ndctl's own tests or the kernel's selftests in guests, a case each")
              .addArgument(new Argument('<name>', 'whose').choices(suiteNames))
              .argument('[tests...]', 'of ndctl: tests; of kselftest: collections, or collection:test')
              .option(
                '--suite <name>',
                'of ndctl: cxl, dax or nfit; may be given several times (default: all)',
                collect,
                [],
              )
              .addOption(
                new Option(
                  '-k, --kernel <profile>',
                  'kernel to boot, one that is built from source; it is built with what the tests need',
                ).default('minimal'),
              ),
          ),
        ),
      ),
    ),
  )
    .addHelpText(
      'after',
      `
ndctl's tests run on the mocks of the kernel's tools/testing/cxl and tools/testing/nvdimm, in the guest's own copy of
the tools (default: those of Debian's source package). Selftests are built from the sources of the kernel. A test that
says that it lacks something is skipped, with its own reason; splats fail it whatever it says.

Exit code: as of run.

Examples:
  cxlrig suite ndctl --suite cxl
  cxlrig suite ndctl --suite cxl cxl-topology.sh --kernel region-drivers
  cxlrig suite ndctl --ndctl-tree ~/src/ndctl --kernel-tree ~/src/linux -k minimal
  cxlrig suite kselftest dax memory-hotplug
  cxlrig suite kselftest mm:ksft_mmap.sh --patches ~/series/`,
    )
    .action(async (name: SuiteName, tests: string[], flags: Flags) => {
      const { summary } = await withBuildTools(() => runSuite(name, tests, flags));
      process.exitCode = summary.exitCode;
    });
}

async function runSuite(suite: SuiteName, words: readonly string[], flags: Flags): Promise<RunOutcome> {
  const { kernel, kernelTree, patches, mirror, ndctlTree, ndctlPatches } = flags;
  const interrupt = abortOnInterrupt();
  const view = liveView(process.stdout);
  try {
    // tests come with sources only: of whoever names none, those of the packages' own release
    const own = suite === 'ndctl' && ndctlTree === undefined ? SOURCE_PROFILE : undefined;
    const tools = await chooseTools({ tools: flags.tools ?? own, ndctlTree, ndctlPatches });
    const prepared = await prepareSuite(
      {
        suite,
        ...(suite === 'ndctl'
          ? { collections: flags.suite, tests: words.map((test) => ({ name: test })) }
          : selftestsOf(words)),
        kernel: await chooseProfile({ profile: kernel, kernelTree, patches }),
        tools,
      },
      { progress: (update) => view.progress(update), mirror, signal: interrupt.signal },
    );
    const { packages = [], layers = [] } = await additionsOf(flags);
    return await runAndTell(
      {
        ...requestOf(prepared.scenarios, flags, view, {
          ...prepared.additions,
          packages: [...(prepared.additions.packages ?? []), ...packages],
          layers: [...(prepared.additions.layers ?? []), ...layers],
        }),
        kernels: [withTools(prepared.kernel, tools)],
      },
      view,
      interrupt.signal,
    );
  } finally {
    view.close();
    interrupt.release();
  }
}

/** `mm` is a collection, `mm:ksft_mmap.sh` one test of it. */
function selftestsOf(words: readonly string[]): Pick<SuiteRequest, 'collections' | 'tests'> {
  const pairs = words.map((word) => word.split(':'));
  return {
    collections: [...new Set(pairs.map(([collection = '']) => collection))],
    tests: pairs.flatMap(([collection = '', name]) => (name === undefined ? [] : [{ collection, name }])),
  };
}
