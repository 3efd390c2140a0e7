import { stringify } from 'yaml';
import { z } from 'zod';
import { honouredKeys } from './common-keys.js';
import { isStepKind, stepKinds, type StepKind } from './language.js';
import { memdevParts } from '../steps/memdev-parts.js';
import { regionParts } from '../steps/region-parts.js';
import { keyList, propertiesOf, type JsonSchema } from '../../base/document/key-list.js';
import { scenarioJsonSchema } from './json-schema.js';

/** The reference of the scenario language, as Markdown, from the schema alone: it cannot say what is not so. */
export function languageReference(): string {
  const schema = scenarioJsonSchema();
  const definitions = schema['definitions'] as Readonly<Record<string, JsonSchema>>;
  const step = propertiesOf(definitions['step'] ?? {});
  const kinds = Object.keys(stepKinds).filter((kind) => kind !== 'expect');
  const expectation = propertiesOf(step['expect'] ?? {});
  return (
    [
      INTRODUCTION,
      `Parts of a captured region, \`N\` counting from 0:\n\n${regionParts
        .map(({ name, description }) => `- \`\${r.${name}}\`: ${description}`)
        .join('\n')}`,
      `Parts of a memdev that was captured by \`memdev-of\`:\n\n${memdevParts
        .map(({ name, description }) => `- \`\${m.${name}}\`: ${description}`)
        .join('\n')}`,
      `## The document\n\n${keyList(schema, NAMES)}`,
      `## Steps\n\nA step is one of the kinds below, with these beside it (\`fails\`, \`may-fail\` and \`timeout\` with the kinds that name them):\n\n${keyList(
        { properties: Object.fromEntries(Object.entries(step).filter(([key]) => !isStepKind(key))) },
        NAMES,
      )}`,
      ...kinds.map((kind) => kindSection(kind, step[kind] ?? {})),
      kindSection('expect', { description: step['expect']?.['description'] }),
      'Clauses; each may be a list of such clauses. A clause says what it speaks about, and what must hold of it.',
      Object.entries(expectation)
        .map(([key, clause]) => clauseSection(key, clause))
        .join('\n'),
    ].join('\n\n') + '\n'
  );
}

const INTRODUCTION = `<!-- made by \`cxlrig schema --format markdown\`; a test keeps it current -->

# The scenario language

A scenario is a YAML file. \`cxlrig check my.yaml\` validates it without booting anything; with the first line
\`# yaml-language-server: $schema=../scenario.schema.json\` an editor completes and checks it while it is written.

\`\`\`yaml
cxlrig: 1
name: Memory comes online with the policy of the system
description: add_memory_driver_managed() takes the default policy when the dax device has none of its own.
topology: one-volatile
matrix:
  policy: [offline, online_movable]
cases:
  - { size: 256M, blocks: 2 }
  - { size: 512M, blocks: 4 }
steps:
  - set: { path: /sys/devices/system/memory/auto_online_blocks, value: '\${policy}' }
  - create-region: { as: r, targets: [mem0], size: '\${size}', bind: cxl_region }
  - expect:
      dax: { of: r, driver: kmem }
      memory: { of: r, count: '\${blocks}' }
  - bind: { bus: cxl, driver: cxl_region, device: r }
    fails: EBUSY
\`\`\`

## Values

- \`\${name}\` is a variable (\`vars\`), a value of the \`matrix\` or of a row of \`cases\`, or a capture that an earlier step
  made (\`as: r\`). A value that is nothing but \`\${name}\` keeps its type: with \`errno: null\` in a row, \`fails: \${errno}\`
  means that the step must succeed. \`\${r.part}\` asks a capture for a part of it.
- A key that takes a thing of the guest (a region, a dax device: \`of\`, \`region\`, \`device\` of a driver) takes the name of
  a capture as it is: \`of: r\`, \`device: r.dax\`.
- When a case is over, its cleanup is run; then regions that \`create-region\` made and that are still there are destroyed, and
  what \`set\` wrote is written back, newest first. Not so with \`leaves-no-trace: false\`.
- \`$\${\` is a plain \`\${\`, for the shell of an \`exec\`.
- What the scenarios of a folder have in common may stand in a \`folder.yaml\` beside them: what all of them require, and lists of steps,
  which a step \`use: region-of-two\`, or one with values (\`with: { size: 1G }\`), stands for. Its captures are then those of the scenario.

  \`\`\`yaml
  cxlrig: 1
  requires: [{ driver: { bus: cxl, name: sysram_region } }]
  steps:
    region-of-two:
      takes: { size: 512M }
      steps:
        - create-region: { as: r, targets: [mem0, mem1], size: '\${size}', bind: sysram_region }
        - write: { of: r, attr: sysram_region/hotplug, value: online_movable }
  \`\`\`

- A case's id is the path of its file below \`scenarios/\`, its matrix values, and as many columns of its row as tell the
  rows apart, or the row's \`name\`: \`current/kmem [policy=offline, size=256M]\`.
- Sizes are \`512M\`, \`4G\`, \`0x20000000\` or bytes; durations \`500ms\`, \`5s\`, \`2m\`; errnos are names; version ranges
  \`>=7.3\`, \`>=6.12 <7.3\`, \`<6.10 || >=7.0\`. A range compares as many numbers as it writes, and takes release candidates
  for the version they lead to unless it names one: 7.3-rc2 is in \`>=7.3\`.
- A regular expression is one of RE2 (https://github.com/google/re2/wiki/Syntax): \`(?i)busy\` ignores case; there is no
  lookaround and no backreference. It matches anywhere in the text. In \`read\`, \`file\` and what programs print, \`^\` and
  \`$\` match at each line; in \`log\` each line is a text of its own.
- A number where a text is wanted stays as it is written: \`value: 0x1000\` writes 0x1000.`;

function kindSection(kind: string, schema: JsonSchema): string {
  const registered = isStepKind(kind) ? z.globalRegistry.get(stepKinds[kind]) : undefined;
  const examples = (registered?.['examples'] ?? []) as readonly unknown[];
  const shown = examples.map((example) => stringify([{ [kind]: example }], { lineWidth: 100 }).trimEnd());
  const parts = [
    `### ${kind}`,
    sentence(String(schema['description'])),
    `\`\`\`yaml\n${shown.join('\n')}\n\`\`\``,
    keyList(schema, NAMES),
    isStepKind(kind) ? honouredText(kind) : '',
  ];
  return parts.filter(Boolean).join('\n\n');
}

function honouredText(kind: StepKind): string {
  const keys = honouredKeys(kind).map((key) => `\`${key}\``);
  return keys.length === 0 ? '' : `Beside it: ${keys.join(', ')}.`;
}

function clauseSection(key: string, schema: JsonSchema): string {
  const { description } = schema;
  const [single] = (schema['anyOf'] as JsonSchema[] | undefined) ?? [];
  const text = String(description ?? single?.['description']);
  const keys = single ? keyList(single, NAMES, '  ') : '';
  return `- \`${key}\`: ${text}${keys ? `\n${keys}` : ''}`;
}

const NAMES: Readonly<Record<string, string>> = {
  amount: 'number, or map of least, most',
  size: 'size',
  duration: 'duration',
  errno: 'errno',
  pattern: 'regular expression',
  versionRange: 'version range',
  step: 'step',
  topology: 'map',
};

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
