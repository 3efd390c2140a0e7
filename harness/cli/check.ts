import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { createColors } from '../base/colors.js';
import { DocumentError, renderDiagnostic, type Diagnostic } from '../base/document/diagnostic.js';
import { UsageError } from '../base/errors.js';
import { plural } from '../report/plural.js';
import { readYaml } from '../base/document/yaml.js';
import { kernelConfigs, loadProfile } from '../kernel/profile.js';
import { languageOf, type Language } from '../run/language-of.js';
import { inShorterForm } from '../scenario/load/fix.js';
import {
  findScenarios,
  loadFolder,
  loadScenario,
  loadScenarioText,
  shippedScenarios,
} from '../scenario/index.js';
import { loadTools, toolProfiles } from '../tools/index.js';
import { loadTopology } from '../topology/index.js';

export interface CheckedFile {
  /** relative to the working folder when it lies below it */
  readonly file: string;
  readonly language: Language;
  /** of a scenario without faults */
  readonly cases?: number;
  readonly faults: readonly Diagnostic[];
  /** the text, for code frames */
  readonly source: string;
}

interface CheckFlags {
  readonly fix?: boolean;
  readonly format: 'text' | 'json';
}

export function registerCheck(program: Command): void {
  program
    .command('check')
    .description('validate scenarios, topologies, profiles of kernels and of tools without booting anything')
    .argument('[files...]', 'files, folders, patterns, or names of scenarios (default: all that are shipped)')
    .addOption(new Option('--format <format>', 'how to print').choices(['text', 'json']).default('text'))
    .option('--fix', 'first write scenarios in the shorter forms of the language, where these mean the same')
    .addHelpText(
      'after',
      `
Exit code: 0 all are right; 2 something is wrong, or a file is not there.

Examples:
  cxlrig check my.yaml
  cxlrig check my.yaml --fix
  cxlrig check tests/ --format json`,
    )
    .action(async (wanted: string[], { format, fix }: CheckFlags) => {
      if (fix) await fixFiles(wanted);
      const checked = await checkFiles(wanted);
      process.stdout.write(format === 'json' ? asJson(checked) : asText(checked, process.stdout.isTTY));
      process.exitCode = checked.some(({ faults }) => faults.length > 0) ? 2 : 0;
    });
}

/**
 * Validates files of any of the three languages.
 * @throws UsageError when an argument means nothing
 */
export async function checkFiles(wanted: readonly string[]): Promise<CheckedFile[]> {
  const files = await filesToCheck(wanted);
  const checked: CheckedFile[] = [];
  for (const file of files) checked.push(await checkFile(file));
  return checked;
}

/** Rewrites scenarios that are right, and that stay the same cases by it. */
async function fixFiles(wanted: readonly string[]): Promise<void> {
  for (const file of await filesToCheck(wanted)) {
    const { language, source, faults } = await checkFile(file);
    if (language !== 'scenario' || faults.length > 0) continue;
    const shorter = inShorterForm(source);
    const [before, after] = await Promise.all([source, shorter].map((text) => loadScenarioText(text, file)));
    const idsOf = (scenario: typeof before): string | undefined =>
      scenario?.cases.map(({ id }) => id).join('\n');
    if (shorter !== source && idsOf(before) === idsOf(after)) await writeFile(file, shorter);
  }
}

async function checkFile(path: string): Promise<CheckedFile> {
  const below = relative(process.cwd(), path);
  const file = below.startsWith('..') ? path : below;
  let source = '';
  let language: Language = 'scenario';
  try {
    source = await readFile(path, 'utf8');
    language = languageOf(readYaml(source, file).raw, path);
    return { file, language, source, faults: [], ...(await validate(file, language)) };
  } catch (error) {
    if (error instanceof DocumentError) return { file, language, source, faults: error.diagnostics };
    if (!(error instanceof UsageError)) throw error;
    const hint = error.remedy === undefined ? {} : { hint: error.remedy };
    return {
      file,
      language,
      source,
      faults: [{ file, line: 1, column: 1, message: error.message, ...hint }],
    };
  }
}

async function validate(file: string, language: Language): Promise<{ cases?: number }> {
  if (language === 'scenario') return { cases: (await loadScenario(file)).cases.length };
  // a path even when it lies in the working folder: a bare word would be taken as a name
  if (language === 'folder') await loadFolder(file);
  else if (language === 'topology') await loadTopology(resolve(file));
  else if (language === 'tools') await loadTools(resolve(file));
  else await loadProfile(resolve(file));
  return {};
}

async function filesToCheck(wanted: readonly string[]): Promise<string[]> {
  const places = wanted.length === 0 ? [shippedScenarios, kernelConfigs, toolProfiles] : wanted;
  const found: string[] = [];
  for (const place of places) {
    const kind = await stat(place).catch(() => undefined);
    if (kind?.isDirectory()) found.push(...(await yamlFilesIn(place)));
    else if (kind) found.push(place);
    else found.push(...(await findScenarios([place])));
  }
  return [...new Set(found.map((file) => resolve(file)))];
}

async function yamlFilesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return (
    entries
      .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      // what lies beside patches describes these
      .filter((file) => !/node_modules|\/kernel-configs\/series\//.test(file))
      .sort()
  );
}

function asText(checked: readonly CheckedFile[], color: boolean): string {
  const colors = createColors(color);
  const blocks = checked.flatMap(({ faults, source }) =>
    faults.map((fault) => `${renderDiagnostic(fault, source, { color })}\n`),
  );
  const faulty = checked.filter(({ faults }) => faults.length > 0).length;
  const cases = checked.reduce((sum, { cases: own }) => sum + (own ?? 0), 0);
  const total = `${plural(checked.length, 'file')}, ${plural(cases, 'case')}`;
  const verdict =
    faulty === 0
      ? colors.green(`${total}: all right`)
      : colors.red(`${total}: ${plural(blocks.length, 'fault')} in ${plural(faulty, 'file')}`);
  return `${[...blocks, verdict].join('\n')}\n`;
}

function asJson(checked: readonly CheckedFile[]): string {
  const files = checked.map(({ file, language, cases, faults }) => ({ file, language, cases, faults }));
  return `${JSON.stringify({ files }, undefined, 2)}\n`;
}
