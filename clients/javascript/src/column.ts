/** What the kinds of columns have in common: a caller's value becomes the value that the file takes. */

import { count, list } from "./messages.js";

/** Values that the model cannot answer. */
export class InputError extends Error {
  override name = "InputError";
}

/** The data of a tensor. */
export type Data = Float32Array | Float64Array | BigInt64Array | string[];

/** What is wrong with a value. */
export class Problem {
  constructor(readonly text: string) {}
}

/** A column of the table. Value: what stands for its values here. */
export interface Column<Value = unknown> {
  readonly name: string;
  /** The type of the tensor. */
  readonly dtype: "float32" | "float64" | "string" | "int64";
  /** A caller's value as the file takes it, or what is wrong with it. */
  value(value: unknown): Value | Problem;
  /** A value of the contract's golden vectors as the file takes it; null for a gap. */
  restored(value: number | string | null): Value;
  /** True if the value is like those of the training rows. */
  isInRange(value: Value): boolean;
  /** The values as data of a tensor. */
  data(values: readonly Value[]): Data;
}

/** True for null, "" and NaN. Not for undefined, which is more often a name that is wrong. */
export function isGap(value: unknown): boolean {
  return value === null || value === "" || (typeof value === "number" && Number.isNaN(value));
}

/**
 * The values of all columns as the file takes them: [columns][rows].
 *
 * values: the callers' values of each column. Throws InputError with the first wrong value of every
 * column that has one.
 */
export function converted(columns: readonly Column[], values: readonly ArrayLike<unknown>[]): unknown[][] {
  const problems: string[] = [];
  const table = columns.map((column, index) => {
    let first: string | undefined;
    let others = -1;
    // Not map, which leaves holes out.
    const all = Array.from(values[index] ?? [], (each, row) => {
      const value = column.value(each);
      if (value instanceof Problem) {
        first ??= `row ${row}, ${list([column.name])}: ${value.text}`;
        others++;
      }
      return value;
    });
    if (first !== undefined) {
      problems.push(others > 0 ? `${first} (${count(others, "more row")} with a wrong value)` : first);
    }
    return all;
  });
  if (problems.length > 0) throw new InputError(problems.join("\n"));
  return table;
}
