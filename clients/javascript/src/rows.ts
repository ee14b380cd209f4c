/** Conversion of rows, records or columns to the array that a model takes. */

import { type Contract, count, list, short } from "./contract.js";

/** [rows][features] in the order of `Model.features`. Their order cannot be checked. */
export type Rows = readonly ArrayLike<number>[];

/** Rows by name, in any order: [{ x: 4 }]; names that the model does not have are left out. */
export type Records = readonly Readonly<Record<string, unknown>>[];

/** Values by column name, in any order: { x: [4] }; other columns are left out. */
export type Columns = Readonly<Record<string, ArrayLike<unknown>>>;

/** Rows that the model cannot answer. */
export class InputError extends Error {
  override name = "InputError";
}

export interface Checked {
  readonly data: Float32Array | Float64Array;
  readonly count: number;
}

/** The rows as the model takes them, each number rounded once. Throws InputError. */
export function checked(rows: Rows | Records | Columns, { input }: Contract): Checked {
  const names = input.features.map(({ name }) => name);
  const table = isList(rows) ? rows : fromColumns(rows as Columns, names);
  const width = names.length;
  const single = input.dtype === "float32";
  const size = table.length * width;
  const data = single ? new Float32Array(size) : new Float64Array(size);
  const records = isRecord(table[0]);
  // Not forEach, which leaves holes out.
  for (let index = 0; index < table.length; index++) {
    const row: unknown = table[index];
    const values = records ? fromRecord(row, names, index) : listed(row, names, index);
    for (let column = 0; column < width; column++) {
      const value = values[column];
      const where = () => `row ${index}, ${list([names[column] ?? ""])}`;
      if (typeof value !== "number" || !Number.isFinite(value)) {
        throw new InputError(`${where()}: must be a finite number, found ${shown(value)}`);
      }
      if (single && !Number.isFinite(Math.fround(value))) {
        throw new InputError(`${where()}: ${value} is beyond float32`);
      }
      data[index * width + column] = value;
    }
  }
  return { data, count: table.length };
}

function isList(rows: Rows | Records | Columns): rows is Rows | Records {
  return Array.isArray(rows);
}

/** An object of values by name. A feature may be called length, so that is no sign of a list. */
function isRecord(row: unknown): row is Readonly<Record<string, unknown>> {
  return typeof row === "object" && row !== null && !Array.isArray(row) && !ArrayBuffer.isView(row);
}

function fromRecord(row: unknown, names: readonly string[], index: number): readonly unknown[] {
  if (!isRecord(row)) {
    throw new InputError(`row ${index}: must be values by name, found ${shown(row)}`);
  }
  const missing = names.filter((name) => !Object.hasOwn(row, name));
  if (missing.length > 0) {
    throw new InputError(`row ${index}: ${noColumn(missing, Object.keys(row))}`);
  }
  return names.map((name) => row[name]);
}

function listed(row: unknown, names: readonly string[], index: number): ArrayLike<unknown> {
  if (typeof row !== "object" || row === null) {
    const first = names.slice(0, 3).join(", ") + (names.length > 3 ? ", …" : "");
    throw new InputError(`row ${index}: found ${shown(row)}; a single row is [[${first}]]`);
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

function fromColumns(columns: Columns, names: readonly string[]): Rows {
  if (typeof columns !== "object" || columns === null || ArrayBuffer.isView(columns)) {
    const found = ArrayBuffer.isView(columns) ? "a single list" : shown(columns);
    throw new InputError(`must be a list of rows, or lists by column name; found ${found}`);
  }
  const missing = names.filter((name) => !Object.hasOwn(columns, name));
  if (missing.length > 0) throw new InputError(noColumn(missing, Object.keys(columns)));
  const found = names.map((name) => {
    const values: unknown = columns[name];
    if (Array.isArray(values) || ArrayBuffer.isView(values)) {
      return values as unknown as ArrayLike<unknown>;
    }
    const one = typeof values === "number" ? `; a single row is [{${JSON.stringify(name)}: …}]` : "";
    throw new InputError(`column ${list([name])}: must be a list, found ${shown(values)}${one}`);
  });
  const count = found[0]?.length ?? 0;
  found.forEach((values, column) => {
    if (values.length !== count) {
      throw new InputError(
        `column ${list([names[column] ?? ""])}: columns are lists of one length, found ${count} and` +
          ` ${values.length}`,
      );
    }
  });
  return Array.from({ length: count }, (_, row) => found.map((values) => values[row] as number));
}

/** A message: the missing columns, the columns that are there, and likely matches. */
function noColumn(missing: readonly string[], there: readonly string[]): string {
  const near = missing.slice(0, 3).flatMap((name) => {
    const same = there.filter((each) => each.normalize() === name.normalize());
    if (same.length > 0) {
      return `${list(same)} looks the same but is written with other characters (normalize() makes them equal)`;
    }
    const [close] = there
      .map((each) => ({ each, edits: distance(each.toLowerCase(), name.toLowerCase()) }))
      .filter(({ edits }) => edits <= Math.max(1, name.length / 3))
      .sort((a, b) => a.edits - b.edits);
    return close === undefined ? [] : `is ${list([close.each])} meant for ${list([name])}?`;
  });
  const first = missing.length === 1 ? "there is no column" : "there are no columns";
  return [`${first} ${list(missing)}`, `found ${list(there)}`, ...near].join("; ");
}

/** The number of letters to change, leave out or add. */
function distance(a: string, b: string): number {
  let before = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const now = [row];
    for (let column = 1; column <= b.length; column++) {
      const changed = (before[column - 1] ?? 0) + Number(a[row - 1] !== b[column - 1]);
      now.push(Math.min(changed, (before[column] ?? 0) + 1, (now[column - 1] ?? 0) + 1));
    }
    before = now;
  }
  return before[b.length] ?? 0;
}

/** A caller's value for a message. */
function shown(value: unknown): string {
  return value === undefined || typeof value === "number" ? String(value) : short(value);
}
