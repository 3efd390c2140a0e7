import { existsSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { contentKey } from '../../base/cache/cache.js';
import { nameHint } from '../../base/document/document.js';
import { UsageError } from '../../base/errors.js';
import { BuildFailed, firstFault, lostOptionsError } from '../build/build-failure.js';
import { optionalIn, readConfig, writeConfig, type ConfigLine } from './config-file.js';
import { requireGuestNeeds } from './guest-needs.js';
import { compilerVariables, logFile, make } from '../build/kbuild.js';
import { readKconfig } from './kconfig.js';
import { fragmentNames, fragmentPath, type ConfigRequest } from '../profile.js';
import type { SourceTree } from '../sources/source-tree.js';
import { lostOptions, whyLost } from './survival.js';
import type { BuildPlace } from '../sources/work-tree.js';

/** A configuration as it is asked for: a base, and the options on top of it. */
export interface WantedConfig {
  /** a target of kbuild (`tinyconfig`), or the text of a .config */
  readonly base: { readonly target: string } | { readonly text: string };
  /** the last word on each option */
  readonly options: ReadonlyMap<string, ConfigLine>;
  /** options that the kernel may lack */
  readonly optional: ReadonlySet<string>;
  /** equal for equal requests */
  readonly key: string;
}

/**
 * Reads the fragments and the base that a profile names.
 * @throws UsageError when one is not there
 */
export async function readWantedConfig(request: ConfigRequest, source: SourceTree): Promise<WantedConfig> {
  const base = await readBase(request.base, source);
  const options = new Map<string, ConfigLine>();
  const optional = new Set<string>();
  for (const name of request.fragments) {
    const text = await readFragment(name);
    for (const [symbol, line] of readConfig(text, name)) {
      // an overriding line takes its place at the end, so that the order is that of the last word
      options.delete(symbol);
      options.set(symbol, line);
    }
    for (const symbol of optionalIn(text)) optional.add(symbol);
  }
  for (const [symbol, line] of readConfig(request.options.join('\n'), 'options')) {
    options.delete(symbol);
    options.set(symbol, line);
  }
  const key = contentKey(
    'target' in base ? `target ${base.target}` : `text ${base.text}`,
    writeConfig(options.values()),
    [...optional].sort().join(' '),
  );
  return { base, options, optional, key };
}

/**
 * Makes the place's .config. When it comes out as it was, the file stays untouched.
 * @returns its options
 * @throws UsageError naming each requested option that is not in it, and why
 */
export async function configure(
  place: BuildPlace,
  wanted: WantedConfig,
  what: string,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, ConfigLine>> {
  const final = join(place.obj, '.config');
  const draft = `${final}.draft`;
  const variables = { ...compilerVariables(), KCONFIG_CONFIG: draft };
  const run = async (target: string) => {
    const { failed, lines } = await make(place, [target], { variables, signal });
    if (failed)
      throw new BuildFailed(
        firstFault(lines, place.src),
        undefined,
        `${what}: make ${target}`,
        logFile(place),
      );
  };
  if ('target' in wanted.base) await run(wanted.base.target);
  else await writeFile(draft, wanted.base.text);
  const merged = readConfig(await readFile(draft, 'utf8'));
  for (const [symbol, line] of wanted.options) {
    // at the end: of the options of one choice the last that is on is chosen
    merged.delete(symbol);
    merged.set(symbol, line);
  }
  await writeFile(draft, writeConfig(merged.values()));
  await run('olddefconfig');

  const text = await readFile(draft, 'utf8');
  const options = readConfig(text);
  await requireSurvival(place, wanted, options, what);
  requireGuestNeeds(what, options);
  const before = existsSync(final) ? await readFile(final, 'utf8') : undefined;
  if (before === text) await rm(draft);
  else await rename(draft, final);
  await rm(`${draft}.old`, { force: true });
  return options;
}

async function requireSurvival(
  place: BuildPlace,
  wanted: WantedConfig,
  final: ReadonlyMap<string, ConfigLine>,
  what: string,
): Promise<void> {
  const lost = lostOptions(wanted.options.values(), final);
  if (lost.length === 0) return;
  const kconfig = await readKconfig(place.src);
  const unforgiven = lost.filter(
    ({ request: { symbol } }) =>
      !wanted.optional.has(symbol) || (kconfig.get(symbol)?.definitions.length ?? 0) > 0,
  );
  if (unforgiven.length === 0) return;
  throw lostOptionsError(
    what,
    unforgiven.map((option) => ({
      line: `CONFIG_${option.request.symbol}=${option.request.value} (${option.request.from}) became ${option.became}`,
      why: whyLost(option, kconfig, final),
    })),
  );
}

async function readBase(base: string, source: SourceTree): Promise<WantedConfig['base']> {
  if (base === 'tree') {
    if (source.config === undefined)
      throw new UsageError(
        `${source.label} has no .config of its own`,
        'configure it (make menuconfig), or name another base in the profile: tinyconfig',
      );
    return { text: await readFile(source.config, 'utf8') };
  }
  if (isAbsolute(base)) {
    const text = await readFile(base, 'utf8').catch((cause: unknown) => {
      throw new UsageError(`the .config ${base} can't be read`, 'correct config.base in the profile', {
        cause,
      });
    });
    return { text };
  }
  return { target: base };
}

async function readFragment(nameOrPath: string): Promise<string> {
  return readFile(fragmentPath(nameOrPath), 'utf8').catch(async (cause: unknown) => {
    throw new UsageError(
      `there is no config fragment ${nameOrPath}`,
      nameHint(nameOrPath, await fragmentNames(), 'the shipped fragments'),
      { cause },
    );
  });
}
