import { limitsOf, type EmulatorLimit } from '../topology/index.js';
import type { Finding } from './finding.js';

/** What the QEMU at hand lacks: what a newer one has each by itself, the rest as a count. */
export function emulatorFindings(version: string): Finding[] {
  const limits = limitsOf(version);
  const mended = limits.filter(({ goneIn }) => goneIn !== undefined);
  return [
    {
      subject: "QEMU's limits",
      status: 'ok',
      detail: `${limits.length} are known of ${version}; \`cxlrig doctor --limits\` lists them with their sources`,
    },
    ...mended.map(({ limit, consequence, goneIn = '' }): Finding => ({
      subject: `QEMU ${version}`,
      status: 'warn',
      detail: `${limit}: ${consequence}`,
      remedy: `QEMU ${goneIn} is without this limit (Debian 13 has it in its backports); CXLRIG_QEMU names one`,
    })),
  ];
}

/** All that is known of a version, for people: a paragraph each. */
export function limitsText(version: string): string {
  const paragraphs = limitsOf(version).map((limit) =>
    [limit.limit, `  ${limit.consequence}`, `  ${limit.source}`, `  ${limit.handling}; ${seen(limit)}`].join(
      '\n',
    ),
  );
  return [`What the emulation of CXL in QEMU ${version} has, and not more:`, ...paragraphs, ''].join('\n\n');
}

function seen({ seenIn, goneIn }: EmulatorLimit): string {
  return `seen in ${seenIn.join(' and ')}${goneIn === undefined ? '' : `, gone in ${goneIn}`}`;
}
