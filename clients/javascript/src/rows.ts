/** Rows, records or columns: the values of each column, whatever they are. */

import { InputError } from "./column.js";
import { count, list, noColumn, shown } from "./messages.js";

/** [rows][features] in the order of `Model.features`, of which all are numbers. Their order cannot be checked. */
export type Rows = readonly ArrayLike<number>[];

/** Rows by name, in any order: [{ x: 4 }]; names that the model does not have are left out. */
export type Records = readonly Readonly<Record<string, unknown>>[];

/** Values by column name, in any order: { x: [4] }; other columns are left out. */
export type Columns = Readonly<Record<string, ArrayLike<unknown>>>;

/**
 * The values of the columns in the order of `names`: [columns][rows].
 *
 * isMatrix: true if rows may be lists in this order, too. Throws InputError.
 */
export function valuesOf(
  rows: Rows | Records | Columns,
  names: readonly string[],
  isMatrix: boolean,
): ArrayLike<unknown>[] {
  if (!isList(rows)) return fromColumns(rows, names);
  const records = !isMatrix || isRecord(rows[0]);
  // Not map, which leaves holes out.
  const table = Array.from<unknown, ArrayLike<unknown>>(rows, (row, index) =>
    records ? fromRecord(row, names, index, isMatrix) : listed(row, names, index),
  );
  return names.map((_, column) => table.map((row) => row[column]));
}

function isList(rows: Rows | Records | Columns): rows is Rows | Records {
  return Array.isArray(rows);
}

/** An object of values by name. A feature may be called length, so that is no sign of a list. */
function isRecord(row: unknown): row is Readonly<Record<string, unknown>> {
  return typeof row === "object" && row !== null && !Array.isArray(row) && !ArrayBuffer.isView(row);
}

function fromRecord(
  row: unknown,
  names: readonly string[],
  index: number,
  isMatrix: boolean,
): readonly unknown[] {
  if (!isRecord(row)) {
    const why = isMatrix ? "" : `, because columns have kinds: [{ ${example(names, ": …")} }]`;
    throw new InputError(`row ${index}: must be values by name${why}, found ${shown(row)}`);
  }
  const missing = names.filter((name) => !Object.hasOwn(row, name));
  if (missing.length > 0) {
    throw new InputError(`row ${index}: ${noColumn(missing, Object.keys(row))}`);
  }
  return names.map((name) => row[name]);
}

function listed(row: unknown, names: readonly string[], index: number): ArrayLike<unknown> {
  if (typeof row !== "object" || row === null) {
    throw new InputError(`row ${index}: found ${shown(row)}; a single row is [[${example(names)}]]`);
  }
  if (isRecord(row)) {
    throw new InputError(`row ${index}: must be a list of numbers, found ${shown(row)}`);
  }
  const { length } = row as ArrayLike<unknown>;
  if (length !== names.length) {
    throw new InputError(
      `row ${index}: found ${count(length, "number")}; the model has` +
        ` ${count(names.length, "feature")}: ${list(names)}`,
    );
  }
  return row as ArrayLike<unknown>;
}

function fromColumns(columns: Columns, names: readonly string[]): ArrayLike<unknown>[] {
  if (typeof columns !== "object" || columns === null || ArrayBuffer.isView(columns)) {
    const given = ArrayBuffer.isView(columns) ? "a single list" : shown(columns);
    throw new InputError(`must be a list of rows, or lists by column name; found ${given}`);
  }
  const missing = names.filter((name) => !Object.hasOwn(columns, name));
  if (missing.length > 0) throw new InputError(noColumn(missing, Object.keys(columns)));
  const values = names.map((name) => {
    const column: unknown = columns[name];
    if (Array.isArray(column) || ArrayBuffer.isView(column)) {
      return column as unknown as ArrayLike<unknown>;
    }
    const one = typeof column === "object" ? "" : `; a single row is [{${JSON.stringify(name)}: …}]`;
    throw new InputError(`column ${list([name])}: must be a list, found ${shown(column)}${one}`);
  });
  const length = values[0]?.length ?? 0;
  values.forEach((column, index) => {
    if (column.length !== length) {
      throw new InputError(
        `column ${list([names[index] ?? ""])}: columns are lists of one length, found ${length} and` +
          ` ${column.length}`,
      );
    }
  });
  return values;
}

/** The first three names, each with what follows it. */
function example(names: readonly string[], after = ""): string {
  const first = names.slice(0, 3).map((name) => `${list([name])}${after}`);
  return first.join(", ") + (names.length > 3 ? ", …" : "");
}
