/** A model that agrees with its contract, for Node and the browser alike. */

import type { InferenceSession } from "onnxruntime-common";

import { type Conformance, compared } from "./conformance.js";
import { type Contract, ContractError, type Dtype, type Input, type Output } from "./contract.js";
import { inputs, outputs } from "./contract.js";
import { list } from "./messages.js";
import type { Columns, Records, Rows } from "./rows.js";
import { type Check, type Checked, Table, type TensorType } from "./table.js";

export type { Conformance } from "./conformance.js";
export { InputError } from "./column.js";
export { type Contract, ContractError, type Dtype } from "./contract.js";
export type { CategoryInput, DateInput, Input, NumberInput } from "./contract.js";
export type { Feature, MatrixContract, Output, TableContract, Vectors } from "./contract.js";
export type { Columns, Records, Rows } from "./rows.js";
export type { Check } from "./table.js";

/** The part of onnxruntime that this client uses, in Node as in the browser. */
export interface Runtime {
  readonly InferenceSession: {
    create(content: Uint8Array, options?: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  readonly Tensor: TensorType;
}

/** The paths or addresses of a model's files, for messages. */
export interface Place {
  readonly file: string;
  readonly contract: string;
}

/** A model that agrees with its contract. `load` makes it. */
export class Model {
  /** The names of the columns. */
  readonly features: readonly string[];
  /** What each column takes: numbers, the levels of a category, dates. */
  readonly inputs: readonly Input[];
  readonly targets: readonly string[];
  /** The precision of the answers. */
  readonly dtype: Dtype;
  /** True if the model was made with intervals. */
  readonly hasInterval: boolean;
  private readonly table: Table;

  constructor(
    private readonly runtime: Runtime,
    private readonly session: InferenceSession,
    readonly contract: Contract,
    private readonly place: Place,
  ) {
    this.inputs = inputs(contract);
    this.table = new Table(contract);
    this.features = this.table.names;
    const predictions = outputs(contract, "prediction");
    this.targets = predictions.flatMap(({ targets }) => targets);
    this.dtype = predictions[0]?.dtype as Dtype;
    this.hasInterval = contract.outputs.some(({ meaning }) => meaning === "low");
  }

  toString(): string {
    return (
      `Model(${list(this.targets)} from ${list(this.features)}; ${this.dtype},` +
      ` ${this.hasInterval ? "with" : "without"} interval; ${this.place.file})`
    );
  }

  /** The text that console.log shows in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /**
   * The predictions: [rows][targets].
   *
   * rows: records ([{ x: 4 }]) or columns ({ x: [4] }) by name, in any order, where names that the
   * model does not know are left out. Numbers; texts for categories; Date objects, in UTC, or ISO
   * texts for dates; null, NaN or "" for no value. Where all columns are numbers of a matrix
   * (contract.version 1) also [rows][features] in the order of `features`, which cannot be checked.
   * Rejects with InputError for rows that the model cannot answer.
   */
  async predict(rows: Rows | Records | Columns): Promise<number[][]> {
    const [predictions = []] = await this.ofTargets(rows, "prediction");
    return predictions;
  }

  /** Every output of the file by its name, [rows][columns]; true and false are 1 and 0. */
  async answers(rows: Rows | Records | Columns): Promise<Record<string, number[][]>> {
    return this.run(this.table.checked(rows), this.contract.outputs.map(({ name }) => name));
  }

  /**
   * The ends of the 95 % prediction interval, in which a new measurement would lie:
   * [rows][targets] each. Rejects with ContractError if the model has no interval.
   */
  async interval(rows: Rows | Records | Columns): Promise<{ low: number[][]; high: number[][] }> {
    const [low = [], high = []] = await this.ofTargets(rows, "low", "high");
    return { low, high };
  }

  /**
   * For each row: true if it is like the training rows: numbers and dates lie in their range, every
   * level is one of theirs, and a value is missing only where they had gaps, too.
   */
  inRange(rows: Rows | Records | Columns): boolean[] {
    return this.table.inRange(this.table.checked(rows));
  }

  /** What the model makes of one value of a column, for a form to say while it is filled in. */
  check(column: string, value: unknown): Check {
    return this.table.check(column, value);
  }

  /** Answer the golden vectors and compare with the right answers. */
  async conformance(): Promise<Conformance> {
    const { golden } = this.contract;
    if (golden === undefined) {
      throw new ContractError(
        `${this.place.file}: there are no golden vectors: contract.json, which has them, is not at` +
          ` ${this.place.contract}`,
      );
    }
    const vectors = this.table.golden();
    const answers = await this.run(vectors, this.contract.outputs.map(({ name }) => name));
    return compared(golden, answers, vectors.count);
  }

  /** The outputs of each meaning, those of all targets beside each other: [rows][targets]. */
  private async ofTargets(
    rows: Rows | Records | Columns,
    ...meanings: readonly Output["meaning"][]
  ): Promise<number[][][]> {
    const names = meanings.map((each) => outputs(this.contract, each).map(({ name }) => name));
    const given = this.table.checked(rows);
    const answers = await this.run(given, names.flat());
    return names.map((ofMeaning) =>
      Array.from({ length: given.count }, (_, row) => ofMeaning.flatMap((name) => answers[name]?.[row] ?? [])),
    );
  }

  private async run(rows: Checked, names: readonly string[]): Promise<Record<string, number[][]>> {
    const answers = await this.session.run(this.table.feed(rows, this.runtime.Tensor), names);
    // A name may be anything, __proto__ too.
    return Object.fromEntries(
      names.map((output) => {
        const tensor = answers[output];
        if (tensor === undefined) throw new ContractError(`the model gave no ${list([output])}`);
        const width = tensor.dims[1] ?? 0;
        const flat = tensor.data as Float32Array | Float64Array | Uint8Array;
        const table = Array.from({ length: rows.count }, (_, row) =>
          Array.from(flat.slice(row * width, (row + 1) * width)),
        );
        return [output, table];
      }),
    );
  }
}
