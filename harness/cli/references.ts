import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyList, type JsonSchema } from '../base/document/key-list.js';
import { packageRoot } from '../base/places.js';

/** The languages beside that of scenarios, each with a shipped file as its example. */
const LANGUAGES = {
  topology: {
    title: 'The topology language',
    text: `The machine under test: what is plugged into what. A scenario names one by its name (\`topology: two-ports\`) or its path
(\`./mine.yaml\`), and devices and windows by their ids. \`cxlrig check mine.yaml\` says what QEMU or the kernel would refuse, and \`cxlrig doctor --limits\`
what QEMU can't do. Sizes are \`512M\`, \`4G\`, \`0x20000000\` or bytes.`,
    example: 'scenarios/topologies/two-bridges-two-switches.yaml',
  },
  kernel: {
    title: 'The language of kernel profiles',
    text: `Which kernel boots, and from where: \`--kernel NAME\` for those in \`kernel-configs/\`, or the path of one of your own. A profile without
\`config\` is taken ready-made; with it, it is built here.`,
    example: 'kernel-configs/dynamic-capacity-renamed.yaml',
  },
  tools: {
    title: 'The language of tools profiles',
    text: `Which cxl, daxctl and ndctl a guest has, when they are built from source: \`--tools NAME\` for those in \`images/tools/\`, or the path of one of your own.`,
    example: 'images/tools/region-driver.yaml',
  },
} as const;

export type ReferredLanguage = keyof typeof LANGUAGES;

export function isReferred(language: string): language is ReferredLanguage {
  return Object.hasOwn(LANGUAGES, language);
}

/** The reference of a language, as Markdown, from its schema: it can't say what is not so. */
export function referenceOf(language: ReferredLanguage, schema: JsonSchema): string {
  const { title, text, example } = LANGUAGES[language];
  const shown = readFileSync(join(packageRoot, example), 'utf8').replace(/^#.*\n/, '');
  return [
    `<!-- made by \`cxlrig schema ${language} --format markdown\`; a test keeps it current -->`,
    `# ${title}`,
    text,
    `\`\`\`yaml\n${shown}\`\`\``,
    '## Keys',
    `${keyList(schema)}\n`,
  ].join('\n\n');
}
