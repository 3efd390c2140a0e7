import { Argument, Option, type Command } from 'commander';
import { z } from 'zod';
import { profileDocument } from '../kernel/profile.js';
import { UsageError } from '../base/errors.js';
import { abiJsonSchema } from '../report/abi/report.js';
import { comparisonJsonSchema } from '../report/compare/index.js';
import { traceJsonSchema } from '../trace/schema.js';
import { isReferred, referenceOf } from './references.js';
import { languageReference } from '../scenario/language/language-reference.js';
import { scenarioJsonSchema } from '../scenario/language/json-schema.js';
import { toolsDocument } from '../tools/index.js';
import { topologySchema } from '../topology/index.js';

const SCHEMAS = {
  scenario: scenarioJsonSchema,
  topology: () => z.toJSONSchema(topologySchema, { target: 'draft-7', io: 'input' }),
  kernel: () => z.toJSONSchema(profileDocument, { target: 'draft-7', io: 'input' }),
  tools: () => z.toJSONSchema(toolsDocument, { target: 'draft-7', io: 'input' }),
  trace: () => traceJsonSchema('trace'),
  run: () => traceJsonSchema('run'),
  compare: comparisonJsonSchema,
  abi: abiJsonSchema,
} as const;

export type SchemaName = keyof typeof SCHEMAS;

export function registerSchema(program: Command): void {
  program
    .command('schema')
    .description(
      'print the JSON Schema of a language, for editors, or of what commands leave (trace.json, run.json, compare.json, abi)',
    )
    .addArgument(
      new Argument('[language]', 'whose schema')
        .choices(Object.keys(SCHEMAS))
        .default('scenario' satisfies SchemaName),
    )
    .addOption(
      new Option('--format <format>', 'markdown: a reference for people, of a language that they write')
        .choices(['json', 'markdown'])
        .default('json'),
    )
    .addHelpText(
      'after',
      `
The first line of a file tells the YAML language server where its schema is:
  # yaml-language-server: $schema=../scenario.schema.json

Examples:
  cxlrig schema > scenario.schema.json
  cxlrig schema topology > topology.schema.json
  cxlrig schema topology --format markdown`,
    )
    .action((language: SchemaName, { format }: { readonly format: 'json' | 'markdown' }) => {
      process.stdout.write(format === 'markdown' ? referenceText(language) : schemaText(language));
    });
}

/**
 * The reference as it is kept in a file.
 * @throws UsageError when it is no language that people write
 */
export function referenceText(language: SchemaName): string {
  if (language === 'scenario') return languageReference();
  if (isReferred(language)) return referenceOf(language, SCHEMAS[language]());
  throw new UsageError(
    `${language} is nothing that people write, so it has no reference in Markdown`,
    `its JSON Schema says what is in it: cxlrig schema ${language}`,
  );
}

/** The schema as it is kept in a file. */
export function schemaText(language: SchemaName): string {
  return `${JSON.stringify(SCHEMAS[language](), undefined, 2)}\n`;
}
