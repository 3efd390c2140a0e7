import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { UsageError } from '../base/errors.js';
import { formatSize } from '../base/size.js';
import { yamlText } from '../base/document/yaml-text.js';
import type { StepDocument } from '../scenario/language/language.js';
import { draftText } from '../scenario/recording/draft.js';
import { nearestTopology, type Nearest, type NearestRegion } from '../topology/from/nearest.js';
import { readReport } from '../topology/from/read-report.js';
import { loadTopology } from '../topology/index.js';

interface FromFlags {
  readonly out: string;
  readonly name?: string;
  readonly force?: true;
}

export function registerTopology(program: Command): void {
  const topology = program
    .command('topology')
    .description('topologies: machines under test as their parts and what they are plugged into');
  topology
    .command('from')
    .description(
      "write the nearest topology to a reported machine, and a draft scenario that makes the report's regions",
    )
    .argument('<files...>', 'texts of the report, of any kind and mixed; - is standard input')
    .option('-n, --name <name>', 'name of the topology (default: that of the first file)')
    .addOption(new Option('-o, --out <dir>', 'folder to write to').default('.'))
    .option('--force', 'overwrite what is there')
    .addHelpText(
      'after',
      `
Understood are the JSON of cxl list (any verbosity; -vvv says most), lspci -tv, /proc/iomem and dmesg. Sizes that no
guest can have are divided, all by the same number; what QEMU cannot be or the report does not say is told.

Examples:
  cxlrig topology from cxl-list.json dmesg.txt --name bug
  cxlrig run ./bug-regions.yaml`,
    )
    .action(async (files: string[], flags: FromFlags) => {
      await topologyFrom(files, flags);
    });
}

async function topologyFrom(files: readonly string[], { out, name, force }: FromFlags): Promise<void> {
  const texts = await Promise.all(files.map(async (file) => ({ name: file, text: await reportText(file) })));
  const nearest = nearestTopology(readReport(texts));
  const called = name ?? nameFrom(files[0] ?? '');
  if (!/^[a-z0-9][a-z0-9-]*$/.test(called))
    throw new UsageError(
      `${JSON.stringify(called)} is no name of a topology`,
      'use lower-case letters, digits and -',
    );
  const topologyFile = join(resolve(out), `${called}.yaml`);
  const scenarioFile = join(resolve(out), `${called}-regions.yaml`);
  const taken = [topologyFile, scenarioFile].find((file) => existsSync(file));
  if (taken !== undefined && !force)
    throw new UsageError(
      `${taken} is there already`,
      'give another --name or --out, or --force to overwrite it',
    );
  await mkdir(resolve(out), { recursive: true });
  await writeFile(topologyFile, topologyText(nearest, files));
  await loadTopology(topologyFile);
  const written = [topologyFile];
  if (nearest.regions.length > 0) {
    await writeFile(scenarioFile, await scenarioText(nearest, called, scenarioFile));
    written.push(scenarioFile);
  }
  tell(nearest, written);
}

async function reportText(file: string): Promise<string> {
  if (file === '-') {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString();
  }
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new UsageError(
      `${file} cannot be read: ${(error as Error).message}`,
      'name the texts of the report',
    );
  });
}

function nameFrom(file: string): string {
  const stem = file === '-' ? '' : basename(file).replace(/\.[^.]*$/, '');
  return (
    stem
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '') || 'reported'
  );
}

function topologyText({ topology, notes }: Nearest, files: readonly string[]): string {
  const { bridges, switches, devices, windows } = topology;
  const description = [
    'The nearest that QEMU can be to a reported machine.',
    ...notes.map((note) => `- ${note}`),
  ];
  return yamlText({
    cxlrig: 1,
    description: `${description.join('\n')}\n`,
    bridges,
    ...(switches.length > 0 && { switches }),
    devices: devices.map(({ id, port, volatile, persistent, labels, serial }) =>
      // YAML says nothing of what is undefined
      ({ id, port, volatile, persistent, labels, serial }),
    ),
    windows,
  }).replace(/^/, `# made by cxlrig topology from ${files.map((file) => basename(file)).join(' ')}\n`);
}

async function scenarioText({ regions, topology }: Nearest, name: string, file: string): Promise<string> {
  const names = topology.devices.map(
    ({ id, observed }) => `${id} is ${observed.name} (${observed.host ?? '?'})`,
  );
  return draftText(
    {
      topology: `./${name}.yaml`,
      description: `Makes the regions that the report shows. Add what was done to them, and say why the end must be so.\n${names.join(', ')}.\n`,
      steps: regions.flatMap((region) => stepsOf(region)),
    },
    file,
  );
}

function stepsOf({ observed, window, targets, size, granularity }: NearestRegion): StepDocument[] {
  const { name, mode, committed, enabled } = observed;
  const bind = committed && enabled;
  const create = {
    as: name,
    mode,
    window,
    targets: [...targets],
    size: formatSize(size),
    ...(granularity !== undefined && { granularity }),
    ...(!committed && { commit: false }),
    ...(bind && { bind: 'cxl_region' }),
  };
  const expect = { region: { name: `\${${name}}`, committed, ...(bind && { driver: 'cxl_region' }) } };
  return [{ 'create-region': create }, { expect }] as unknown as StepDocument[];
}

function tell({ topology, regions, notes }: Nearest, written: readonly string[]): void {
  const shown = written.map((file) => relative(process.cwd(), file) || file);
  const { bridges, switches, devices, windows } = topology;
  const parts = { bridges, switches, devices, windows, regions };
  const counts = Object.entries(parts).filter(([, list]) => list.length > 0);
  process.stdout.write(
    `${counts.map(([what, list]) => `${list.length} ${what}`).join(', ')}: ${shown.join(', ')}\n`,
  );
  for (const note of notes) process.stdout.write(`  ${note}\n`);
  const next = shown.length > 1 ? `cxlrig run ./${shown[1] ?? ''}` : `cxlrig shell ./${shown[0] ?? ''}`;
  process.stdout.write(`try it with: ${next}\n`);
}
