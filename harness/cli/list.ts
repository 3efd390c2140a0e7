import { Argument, Option, type Command } from 'commander';
import { createColors } from '../base/colors.js';
import { listProfiles } from '../kernel/profile.js';
import { findScenarios, loadScenario, type Scenario } from '../scenario/index.js';
import { listTools } from '../tools/index.js';
import { listTopologies } from '../topology/index.js';

interface Entry {
  readonly name: string;
  readonly description: string;
  readonly file: string;
  /** how many cases a scenario has */
  readonly cases?: number;
}

const LISTS: Readonly<Record<string, (wanted: readonly string[]) => Promise<readonly Entry[]>>> = {
  scenarios: async (wanted) =>
    (await load(wanted)).map(({ name, file, document, cases }) => ({
      name,
      description: document.name,
      file,
      cases: cases.length,
    })),
  cases: async (wanted) =>
    (await load(wanted)).flatMap(({ file, cases }) =>
      cases.map(({ id, topology }) => ({
        name: id,
        description: typeof topology === 'string' ? `on ${topology}` : 'on a machine of its own',
        file,
      })),
    ),
  topologies: () => listTopologies(),
  kernels: async () =>
    (await listProfiles()).map(({ name, description, file }) => ({ name, description, file })),
  tools: async () => (await listTools()).map(({ name, description, file }) => ({ name, description, file })),
};

interface ListFlags {
  readonly format: 'text' | 'json';
}

export function registerList(program: Command): void {
  program
    .command('list')
    .description('list scenarios, their cases, topologies, kernels or tools')
    .addArgument(new Argument('[what]', 'what to list').choices(Object.keys(LISTS)).default('scenarios'))
    .argument('[scenarios...]', 'only these scenarios (files, folders, names)')
    .addOption(new Option('--format <format>', 'how to print').choices(['text', 'json']).default('text'))
    .addHelpText(
      'after',
      `
Examples:
  cxlrig list
  cxlrig list cases current/dax-state
  cxlrig list topologies`,
    )
    .action(async (what: string, wanted: string[], { format }: ListFlags) => {
      const entries = (await LISTS[what]?.(wanted)) ?? [];
      process.stdout.write(format === 'json' ? asJson(entries) : asText(entries, process.stdout.isTTY));
    });
}

async function load(wanted: readonly string[]): Promise<Scenario[]> {
  const scenarios: Scenario[] = [];
  for (const file of await findScenarios(wanted)) scenarios.push(await loadScenario(file));
  return scenarios;
}

function asText(entries: readonly Entry[], color: boolean): string {
  const colors = createColors(color);
  const width = Math.min(60, Math.max(0, ...entries.map(({ name }) => name.length)));
  const lines = entries.map(({ name, description, cases }) => {
    const [firstLine = ''] = description.trim().split('\n');
    const count = cases === undefined || cases === 1 ? '' : ` (${cases} cases)`;
    return `${name.padEnd(width)}  ${colors.dim(`${firstLine}${count}`)}\n`;
  });
  return lines.join('');
}

function asJson(entries: readonly Entry[]): string {
  return `${JSON.stringify(entries, undefined, 2)}\n`;
}
