import { isMap } from '../../base/plain.js';
import type { Diagnostic } from '../../base/document/diagnostic.js';
import { didYouMean } from '../../base/document/did-you-mean.js';
import type { DocumentPath } from '../../base/document/yaml.js';
import type { ScenarioSource } from './source.js';

/** The rows that a scenario's `matrix` and `cases` make: one case each. */

export const MOST_CASES = 1000;

/** The column that names a row of the case table. */
export const NAME_COLUMN = 'name';

export interface Column {
  readonly value: unknown;
  /** where the value is written */
  readonly path: DocumentPath;
}

export interface CaseRow {
  /** the part of the case's id: `policy=online, mode=ram`; empty for a scenario of one case */
  readonly label: string;
  /** matrix and case values, in the order of the file */
  readonly columns: ReadonlyMap<string, Column>;
  /** where the row stands */
  readonly path: DocumentPath;
}

/** `vars`, `matrix` and `cases` of a document, validated. */
export interface CaseTable {
  readonly vars?: Readonly<Record<string, unknown>> | undefined;
  readonly matrix?: Readonly<Record<string, readonly unknown[]>> | undefined;
  readonly cases?: readonly Readonly<Record<string, unknown>>[] | undefined;
}

/** All rows: the matrix's combinations, the first name turning slowest, each with every row of the case table. */
export function caseRows(table: CaseTable): CaseRow[] {
  let rows: { columns: Map<string, Column>; path: DocumentPath }[] = [{ columns: new Map(), path: ['name'] }];
  for (const [name, values] of Object.entries(table.matrix ?? {})) {
    rows = rows.flatMap((row) =>
      values.map((value, index) => {
        const path = ['matrix', name, index];
        return { columns: new Map(row.columns).set(name, { value, path }), path };
      }),
    );
  }
  if (table.cases) {
    const { cases } = table;
    rows = rows.flatMap((row) =>
      cases.map((cells, index) => {
        const columns = new Map(row.columns);
        for (const [name, value] of Object.entries(cells)) {
          columns.set(name, { value, path: ['cases', index, name] });
        }
        return { columns, path: ['cases', index] };
      }),
    );
  }
  const telling = new Set(tellingColumns(table));
  return rows.map((row) => ({ ...row, label: labelOf(row.columns, telling) }));
}

/** Every name that some row has a value for. */
export function columnNames(table: CaseTable): string[] {
  return [...new Set([...Object.keys(table.matrix ?? {}), ...(table.cases ?? []).flatMap(Object.keys)])];
}

/** What is wrong with the table itself: too many cases, a name with two meanings, two cases with one id. */
export function faultsOfTable(table: CaseTable, source: ScenarioSource): Diagnostic[] {
  const found = clashingNames(table, source);
  const total = Object.values(table.matrix ?? {}).reduce(
    (product, values) => product * values.length,
    table.cases?.length ?? 1,
  );
  if (total > MOST_CASES) {
    const place = source.at([table.matrix ? 'matrix' : 'cases'], 'key');
    found.push({
      ...place,
      message: `this makes ${total} cases, more than the ${MOST_CASES} that a scenario may have`,
      hint: 'split the scenario, or write the combinations that matter as rows of `cases`',
    });
    return found;
  }
  const labels = new Map<string, CaseRow>();
  for (const row of caseRows(table)) {
    const twin = labels.get(row.label);
    if (twin) {
      found.push({
        ...source.at(row.path),
        message: `this case has the values of the one at line ${source.at(twin.path).line}: [${row.label}]`,
        hint: 'give the rows names by a column `name`, or take one away',
      });
    }
    labels.set(row.label, row);
  }
  return found;
}

/**
 * Whether a `when` holds in a row: each named column has the value, or one of the list.
 * Values are compared as they print: 2 is "2".
 */
export function holdsIn(when: unknown, row: CaseRow): boolean {
  if (!isMap(when)) return true;
  return Object.entries(when).every(([name, wanted]) => {
    const column = row.columns.get(name);
    return column !== undefined && wantedValues(wanted).includes(print(column.value));
  });
}

/** `when` that names no column, or a value that no case has. */
export function faultsOfWhen(
  when: unknown,
  path: DocumentPath,
  table: CaseTable,
  source: ScenarioSource,
): Diagnostic[] {
  if (!isMap(when)) return [];
  const columns = columnNames(table);
  return Object.entries(when).flatMap(([name, wanted]): Diagnostic[] => {
    if (!columns.includes(name)) {
      const likely = didYouMean(name, columns);
      return [
        {
          ...source.at([...path, name], 'key'),
          message: `\`when\` asks for \`${name}\`, which is no column of the matrix or of the case table`,
          hint: likely ? `did you mean ${likely}?` : `columns: ${columns.join(', ') || 'none'}`,
        },
      ];
    }
    const present = valuesOf(name, table);
    return wantedValues(wanted).flatMap((value, index): Diagnostic[] => {
      if (present.includes(value)) return [];
      const likely = didYouMean(value, present);
      return [
        {
          ...source.at(Array.isArray(wanted) ? [...path, name, index] : [...path, name]),
          message: `no case has ${name}=${value}`,
          hint: likely ? `did you mean ${likely}?` : `its values: ${[...new Set(present)].join(', ')}`,
        },
      ];
    });
  });
}

function clashingNames(table: CaseTable, source: ScenarioSource): Diagnostic[] {
  const vars = Object.keys(table.vars ?? {});
  const matrix = Object.keys(table.matrix ?? {});
  const clash = (name: string, path: DocumentPath, other: string): Diagnostic => ({
    ...source.at(path, 'key'),
    message: `\`${name}\` is in \`${other}\` already`,
  });
  return [
    ...matrix.filter((name) => vars.includes(name)).map((name) => clash(name, ['matrix', name], 'vars')),
    ...(table.cases ?? []).flatMap((row, index) =>
      Object.keys(row).flatMap((name) => {
        const other = vars.includes(name) ? 'vars' : matrix.includes(name) ? 'matrix' : undefined;
        return other ? [clash(name, ['cases', index, name], other)] : [];
      }),
    ),
  ];
}

/**
 * The columns that an id shows: the whole matrix, and of the case table the column `name`, or as many columns from the
 * first on as tell its rows apart. What a case expects stands at the end of its row, and so is no part of its id.
 */
function tellingColumns(table: CaseTable): string[] {
  const matrix = Object.keys(table.matrix ?? {});
  const rows = table.cases ?? [];
  if (rows.length > 0 && rows.every((row) => typeof row[NAME_COLUMN] === 'string'))
    return [...matrix, NAME_COLUMN];
  const names = [...new Set(rows.flatMap(Object.keys))];
  const labels = rows.map(() => '');
  for (const [index, name] of names.entries()) {
    for (const [row, cells] of rows.entries()) {
      labels[row] = `${labels[row] ?? ''}${JSON.stringify(cells[name])},`;
    }
    if (new Set(labels).size === rows.length) return [...matrix, ...names.slice(0, index + 1)];
  }
  return [...matrix, ...names];
}

function labelOf(columns: ReadonlyMap<string, Column>, telling: ReadonlySet<string>): string {
  return [...columns]
    .filter(([name]) => telling.has(name))
    .map(([name, { value }]) => (name === NAME_COLUMN ? titled(value) : `${name}=${quoted(value)}`))
    .join(', ');
}

function valuesOf(name: string, table: CaseTable): string[] {
  const cells = (table.cases ?? []).flatMap((row) => (Object.hasOwn(row, name) ? [row[name]] : []));
  const matrix = table.matrix && Object.hasOwn(table.matrix, name) ? table.matrix[name] : [];
  return [...(matrix ?? []), ...cells].map(print);
}

function wantedValues(wanted: unknown): string[] {
  return (Array.isArray(wanted) ? (wanted as unknown[]) : [wanted]).map(print);
}

function print(value: unknown): string {
  return Array.isArray(value) ? value.map(String).join('|') : String(value);
}

const LONGEST_IN_LABEL = 80;

/** Values with blanks, commas or brackets are quoted, so that ids stay readable and on one line. */
function quoted(value: unknown): string {
  const printed = shortened(print(value));
  return /^[^\s,[\]"\p{Cc}]+$/u.test(printed) ? printed : JSON.stringify(printed);
}

function titled(value: unknown): string {
  const printed = shortened(print(value));
  return /^[^[\]"\p{Cc}]+$/u.test(printed) ? printed : JSON.stringify(printed);
}

function shortened(printed: string): string {
  return printed.length > LONGEST_IN_LABEL ? `${printed.slice(0, LONGEST_IN_LABEL)}...` : printed;
}
