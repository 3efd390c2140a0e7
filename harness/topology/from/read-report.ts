import { UsageError } from '../../base/errors.js';
import { readCxlList } from './cxl-list.js';
import { readIomem } from './iomem.js';
import { nothingObserved, type Observed } from './observed.js';
import { readKernelLog, readLspciTree } from './pci-tree.js';

/** A text of a report, and where it came from. */
export interface ReportText {
  readonly name: string;
  readonly text: string;
}

/**
 * What the texts of a report show together. The kind of each is told by what is in it; a text may hold several
 * (a mail with `cxl list`, dmesg and /proc/iomem in it).
 * @throws UsageError when a text shows nothing, or all of them no CXL memory device
 */
export function readReport(texts: readonly ReportText[]): Observed {
  const observed = nothingObserved();
  // `cxl list` knows most: it goes first, so that the others add to it
  const kinds = [readJson, readLspci, readLog, readMemory];
  const understood = new Set<ReportText>();
  for (const kind of kinds) for (const one of texts) if (kind(one.text, observed)) understood.add(one);
  const unknown = texts.find((one) => !understood.has(one));
  if (unknown) {
    throw new UsageError(
      `${unknown.name} shows nothing of a CXL machine`,
      'give the JSON of `cxl list -vvv`, `lspci -tv`, /proc/iomem or dmesg',
    );
  }
  return onceByHost(observed);
}

function readJson(text: string, observed: Observed): boolean {
  const documents = jsonIn(text);
  for (const document of documents) readCxlList(document, observed);
  return documents.length > 0;
}

function readLspci(text: string, observed: Observed): boolean {
  if (!/^\s*-[+[]?.*\[[\da-f]{4}:[\da-f]{2}\]/m.test(text)) return false;
  readLspciTree(text, observed);
  return true;
}

function readLog(text: string, observed: Observed): boolean {
  if (!/PCI host bridge to bus|class 0x050210/.test(text)) return false;
  readKernelLog(text, observed);
  return true;
}

function readMemory(text: string, observed: Observed): boolean {
  if (!/^\s*[\da-f]{8,16}-[\da-f]{8,16} : /m.test(text)) return false;
  readIomem(text, observed);
  return true;
}

/** The JSON documents of a text: the whole of it, or each block of lines that begins with a bracket and is one. */
function jsonIn(text: string): unknown[] {
  const whole = parsed(text);
  if (whole !== undefined) return [whole];
  const found: unknown[] = [];
  const lines = text.split('\n');
  for (let first = 0; first < lines.length; first += 1) {
    const opening = /^\s*[[{]\s*$/.exec(lines[first] ?? '');
    if (!opening) continue;
    const indent = (lines[first] ?? '').replace(/[[{]\s*$/, '');
    const closing = (lines[first] ?? '').trim() === '[' ? ']' : '}';
    const last = lines.findIndex((line, n) => n > first && line.trimEnd() === `${indent}${closing}`);
    const document = last < 0 ? undefined : parsed(lines.slice(first, last + 1).join('\n'));
    if (document === undefined) continue;
    found.push(document);
    first = last;
  }
  return found;
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A device that `cxl list` names and lspci or dmesg show by its PCI address alone is one device. */
function onceByHost(observed: Observed): Observed {
  const named = new Set(
    observed.memdevs.filter(({ name }) => !name.startsWith('at ')).map(({ host }) => host),
  );
  const memdevs = observed.memdevs.filter(({ name, host }) => !name.startsWith('at ') || !named.has(host));
  if (memdevs.length === 0) {
    throw new UsageError(
      'the report shows no CXL memory device',
      'add the JSON of `cxl list -vvv`, or a dmesg that shows devices of class 0x050210',
    );
  }
  return { ...observed, memdevs };
}
