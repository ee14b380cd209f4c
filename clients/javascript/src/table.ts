/** The columns of a model: rows become the tensors that the file takes, and answers become rows. */

import type { Tensor } from "onnxruntime-common";

import { CategoryColumn } from "./category.js";
import { type Column, type Data, InputError, Problem, converted } from "./column.js";
import { type Contract, type Input, inputs } from "./contract.js";
import { DateColumn } from "./date.js";
import { noColumn } from "./messages.js";
import { NumberColumn } from "./number.js";
import { type Columns, type Records, type Rows, valuesOf } from "./rows.js";

/** The part of onnxruntime's Tensor that is used here. */
export type TensorType = new (type: Tensor.Type, data: Data, dims: readonly number[]) => Tensor;

/** Rows as the file takes them: [columns][rows]. */
export interface Checked {
  readonly values: readonly (readonly unknown[])[];
  readonly count: number;
}

/** What the model makes of a value. */
export interface Check {
  /** What is wrong with the value; undefined if the model can answer it. */
  readonly problem: string | undefined;
  /** True if the value is like those of the training rows. */
  readonly inRange: boolean;
}

/** The columns of a contract. */
export class Table {
  readonly names: readonly string[];
  private readonly columns: readonly Column[];

  constructor(private readonly contract: Contract) {
    this.columns = inputs(contract).map(column);
    this.names = this.columns.map(({ name }) => name);
  }

  /** Rows, records or columns as the file takes them. Throws InputError. */
  checked(rows: Rows | Records | Columns): Checked {
    const values = valuesOf(rows, this.names, this.contract.version === 1);
    return { values: converted(this.columns, values), count: values[0]?.length ?? 0 };
  }

  /** The golden vectors as the file takes them. */
  golden(): Checked {
    const { contract } = this;
    const values = this.columns.map((column, index) => {
      const all =
        contract.version === 1
          ? contract.golden?.inputs.map((row) => row[index] ?? null)
          : contract.golden?.inputs[column.name];
      return (all ?? []).map((value) => column.restored(value));
    });
    return { values, count: values[0]?.length ?? 0 };
  }

  /** True for each row whose every value is like those of the training rows. */
  inRange({ values, count }: Checked): boolean[] {
    return Array.from({ length: count }, (_, row) =>
      this.columns.every((column, index) => column.isInRange(values[index]?.[row])),
    );
  }

  /** What the model makes of a value of a column. Throws InputError if there is no such column. */
  check(name: string, value: unknown): Check {
    const column = this.columns.find((each) => each.name === name);
    if (column === undefined) throw new InputError(noColumn([name], this.names));
    const result = column.value(value);
    return result instanceof Problem
      ? { problem: result.text, inRange: false }
      : { problem: undefined, inRange: column.isInRange(result) };
  }

  /** The inputs of the file by their names. */
  feed({ values, count }: Checked, Tensor: TensorType): Record<string, Tensor> {
    if (this.contract.version === 1) {
      const { name, dtype } = this.contract.input;
      const width = values.length;
      const x = dtype === "float32" ? new Float32Array(count * width) : new Float64Array(count * width);
      values.forEach((column, index) => {
        for (let row = 0; row < count; row++) x[row * width + index] = column[row] as number;
      });
      return Object.fromEntries([[name, new Tensor(dtype, x, [count, width])]]);
    }
    // A name may be anything, __proto__ too.
    return Object.fromEntries(
      this.columns.map((column, index) => [
        column.name,
        new Tensor(column.dtype, column.data(values[index] ?? []), [count]),
      ]),
    );
  }
}

function column(input: Input): Column {
  const made =
    input.kind === "number"
      ? new NumberColumn(input)
      : input.kind === "category"
        ? new CategoryColumn(input)
        : new DateColumn(input);
  return made as Column;
}
