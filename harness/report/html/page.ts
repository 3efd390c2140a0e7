import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { appBundle } from './app-bundle.js';
import {
  INDEX_ELEMENT,
  caseElement,
  type CaseContent,
  type CaseEntry,
  type PageIndex,
} from './page-content.js';
import type { CaseTrace, RunSummary } from '../../trace/trace.js';

const compress = promisify(gzip);

/**
 * report.html: one file without a network, which opens by a double click. Everything that came from a guest or a
 * scenario is JSON with `<` escaped, or base64; the page's policy lets nothing run but its own program.
 *
 * @param contents one a case
 */
export async function reportPage(summary: RunSummary, contents: AsyncIterable<CaseContent>): Promise<string> {
  const { script, style } = await appBundle();
  const parts: string[] = [];
  const rows: CaseEntry[] = [];
  for await (const content of contents) {
    rows.push(caseEntry(content.trace));
    const packed = await compress(JSON.stringify(content));
    parts.push(
      `<script type="application/octet-stream" id="${caseElement(parts.length)}">${packed.toString('base64')}</script>`,
    );
  }
  const entries = uniqueKeys(rows);
  const index: PageIndex = { summary, cases: entries };
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy(script, style)}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<title>cxlrig report</title>',
    `<style>${style}</style>`,
    '</head>',
    '<body>',
    `<noscript><pre>${escaped(withoutScript(entries))}</pre></noscript>`,
    `<script type="application/json" id="${INDEX_ELEMENT}">${jsonInHtml(index)}</script>`,
    ...parts,
    `<script>${script}</script>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

/** The overview's row of a case. */
function caseEntry(trace: CaseTrace): CaseEntry {
  const { id, kernel, topology, title = '' } = trace.case;
  const suffix = ` @${kernel}`;
  return {
    key: id,
    name: id.endsWith(suffix) ? id.slice(0, -suffix.length) : id,
    title,
    kernel,
    topology,
    verdict: trace.verdict,
    ...(trace.reason !== undefined && { reason: trace.reason }),
    steps: trace.steps.length,
    milliseconds: trace.milliseconds,
  };
}

/** Keys are unique: a case that ran on several kernels has the kernel in it. */
function uniqueKeys(entries: readonly CaseEntry[]): CaseEntry[] {
  const seen = new Map<string, number>();
  for (const { key } of entries) seen.set(key, (seen.get(key) ?? 0) + 1);
  return entries.map((entry) =>
    (seen.get(entry.key) ?? 0) > 1 ? { ...entry, key: `${entry.key} @${entry.kernel}` } : entry,
  );
}

/** `default-src 'none'`: even if text became markup, nothing of it could run, load or send. */
function policy(script: string, style: string): string {
  return `default-src 'none'; script-src '${hash(script)}'; style-src '${hash(style)}'; base-uri 'none'; form-action 'none'`;
}

function hash(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

/** JSON that no HTML parser takes for markup: without `<` there is no `</script>` and no `<!--`. */
function jsonInHtml(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}

function withoutScript(entries: readonly CaseEntry[]): string {
  return [
    'This page needs JavaScript to show its steps. The verdicts:',
    '',
    ...entries.map(({ key, verdict, reason }) => `${verdict.padEnd(9)} ${key}${reason ? `: ${reason}` : ''}`),
  ].join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
