import type { AbiReport, ReportedAttribute } from './report.js';

/** What differs, as diffInventories finds it. */
interface Differences {
  readonly added: readonly ReportedAttribute[];
  readonly removed: readonly ReportedAttribute[];
  readonly changed: readonly { readonly before: ReportedAttribute; readonly after: ReportedAttribute }[];
}

const MOST_OF_A_VALUE = 40;

/** The attributes by device, with permissions, an example and where they are documented. */
export function abiText(report: AbiReport, { undocumented }: { readonly undocumented: boolean }): string {
  const { attributes } = report;
  const isKnown = hasDocumentation(report);
  const shown = undocumented ? attributes.filter(({ documented }) => documented === undefined) : attributes;
  const missing = attributes.filter(({ documented }) => documented === undefined).length;
  return lines([
    ...headLines('kernel', report),
    `topology       ${report.topology}`,
    `listed         ${report.moments.join('; ')}`,
    ...report.notReached.map((what) => `not reached    ${what}`),
    ...byFolder(shown).flatMap(([folder, some]) => [
      '',
      folder,
      ...table(some.map((one) => row(one, isKnown))),
    ]),
    '',
    isKnown
      ? `${attributes.length} attributes: ${attributes.length - missing} in Documentation/ABI, ${missing} not`
      : `${attributes.length} attributes`,
  ]);
}

/** What came, went and changed. */
export function abiDiffText(
  base: AbiReport,
  head: AbiReport,
  { added, removed, changed }: Differences,
): string {
  const inHead = hasDocumentation(head);
  const undocumented = added.filter(({ documented }) => documented === undefined).length;
  const notes = [base, head].flatMap(({ kernel, notReached }) =>
    notReached.map((what) => `not reached on ${kernel.profile}: ${what}`),
  );
  return lines([
    ...headLines('base', base),
    ...headLines('head', head),
    ...notes,
    ...(base.topology === head.topology
      ? []
      : [`the topologies differ: ${base.topology} and ${head.topology}`]),
    ...section('added', added, (one) => [`+ ${one.path}`, ...row(one, inHead).slice(1)]),
    ...section('removed', removed, (one) => [`- ${one.path}`, ...row(one, hasDocumentation(base)).slice(1)]),
    ...section('changed', changed, ({ before, after }) => [
      `! ${after.path}`,
      arrow(before.modes, after.modes),
      arrow(before.on, after.on),
    ]),
    '',
    [
      `${added.length} added${inHead && added.length > 0 ? ` (${undocumented} of them not in Documentation/ABI)` : ''}`,
      `${removed.length} removed`,
      `${changed.length} changed`,
    ].join(', '),
  ]);
}

function headLines(name: string, { kernel, documentation }: AbiReport): string[] {
  const source =
    typeof documentation['of'] === 'string'
      ? documentation['of']
      : `none: ${String(documentation['missing'])}`;
  return [
    `${name.padEnd(14)} ${kernel.release} (${kernel.profile}: ${kernel.origin})`,
    `documentation  ${source}`,
  ];
}

function hasDocumentation({ documentation }: AbiReport): boolean {
  return 'of' in documentation;
}

function section<T>(title: string, some: readonly T[], cells: (one: T) => string[]): string[] {
  return some.length === 0 ? [] : ['', title, ...table(some.map(cells))];
}

/** Name within its folder, permissions, documentation, example, types of devices. */
function row({ path, modes, on, example, documented }: ReportedAttribute, isKnown: boolean): string[] {
  return [
    `  ${path.slice(folderOf(path).length + 1)}`,
    modes.join(' or '),
    isKnown ? (documented ?? 'undocumented') : '',
    exampleText(example),
    on.join(', '),
  ];
}

function exampleText({ value, errno }: ReportedAttribute['example']): string {
  if (errno !== undefined) return errno;
  if (value === undefined) return '';
  const text = JSON.stringify(value);
  return text.length > MOST_OF_A_VALUE ? `${text.slice(0, MOST_OF_A_VALUE)}..."` : text;
}

/** `/sys/bus/cxl/devices/decoderX.Y`: the attributes of its groups stand with its own. */
function folderOf(path: string): string {
  const [folder] =
    /^\/sys\/bus\/\w+(?:\/(?:devices|drivers)\/[^/]+)?(?=\/)|^\/sys\/devices\/system\/memory(?:\/memoryX)?(?=\/)/.exec(
      path,
    ) ?? [];
  return folder ?? path.replace(/\/[^/]*$/, '');
}

function byFolder(attributes: readonly ReportedAttribute[]): [string, ReportedAttribute[]][] {
  const folders = new Map<string, ReportedAttribute[]>();
  for (const attribute of attributes) {
    const folder = folderOf(attribute.path);
    folders.set(folder, [...(folders.get(folder) ?? []), attribute]);
  }
  return [...folders];
}

function arrow(before: readonly string[], after: readonly string[]): string {
  const [was, is] = [before.join(', ') || 'none', after.join(', ') || 'none'];
  return was === is ? was : `${was} -> ${is}`;
}

/** Columns as wide as their widest cell, but the last. */
function table(rows: readonly string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  return rows.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function lines(some: readonly string[]): string {
  return `${some.join('\n')}\n`;
}
