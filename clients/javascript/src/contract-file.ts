/* Written by `npm run types` from ../contract.schema.json: edit that instead. */

export type Contract = MatrixContract | TableContract;

/**
 * The content of models/contract.json, version 1: a matrix of numbers without gaps.
 */
export interface MatrixContract {
  golden: MatrixVectors;
  input: Input;
  ir_version: number;
  /**
   * The version that the file was verified with.
   */
  onnxruntime: string;
  opset: number;
  /**
   * @minItems 1
   */
  outputs: [Output, ...Output[]];
  /**
   * The sha256 of the ONNX file.
   */
  sha256: string;
  source: Lineage;
  /**
   * Measured on the rows that were held out; empty if no rows were held out.
   */
  test_metrics: {
    [k: string]: number;
  };
  version: 1;
}
/**
 * Golden vectors: rows that are hard to answer, and the right answers.
 */
export interface MatrixVectors {
  /**
   * The largest difference that a correct runtime may show, in the same shape.
   */
  bounds: {
    [k: string]: number[][];
  };
  /**
   * How outputs and bounds were computed.
   */
  derivation: string;
  /**
   * [vectors, features]: numbers that the input's dtype holds exactly.
   *
   * @minItems 1
   */
  inputs: [number[], ...number[][]];
  /**
   * The right answers by the output's name, [vectors, columns]; true and false are 1 and 0.
   */
  outputs: {
    [k: string]: number[][];
  };
}
/**
 * The only input of the file, in the units of the training table.
 */
export interface Input {
  dtype: "float32" | "float64";
  /**
   * In the order of the columns.
   *
   * @minItems 1
   */
  features: [Feature, ...Feature[]];
  name: string;
  /**
   * @minItems 2
   * @maxItems 2
   */
  shape: ["batch", number];
}
/**
 * A column of the input.
 */
export interface Feature {
  /**
   * The largest value in the training rows, in the input's dtype.
   */
  max: number;
  /**
   * Mean of the training rows, rounded to the input's dtype. Older contracts have no means.
   */
  mean?: number;
  /**
   * The smallest value in the training rows, in the input's dtype.
   */
  min: number;
  name: string;
}
/**
 * An output of the file.
 */
export interface Output {
  dtype: "float32" | "float64" | "bool";
  /**
   * low, high: the ends of the 95 % prediction interval, in which a new measurement would lie;
   * in_range: true if every value of the row is like the training rows': a number or a date in their
   * range, one of their levels, missing only where theirs were missing too.
   */
  meaning: "prediction" | "low" | "high" | "in_range";
  name: string;
  /**
   * @minItems 2
   * @maxItems 2
   */
  shape: ["batch", number];
  /**
   * The target of each column; empty for in_range, whose one column belongs to no target.
   */
  targets: string[];
}
/**
 * The tables and the parameters that the model was made from.
 */
export interface Lineage {
  /**
   * The md5 of each file: the tables and the trained parameters.
   */
  md5: {
    [k: string]: string;
  };
  /**
   * The parameters that made the table and the model, by their dotted keys in params.yaml.
   */
  params: {
    [k: string]: unknown;
  };
  /**
   * Hash of everything that the training depends on; `pipeline.track --find` finds its commit.
   */
  training_id: string;
}
/**
 * The content of models/contract.json, version 2: the raw columns of a table.
 */
export interface TableContract {
  /**
   * The names of the numbers that the model itself gets, in order.
   */
  encoded: string[];
  golden: TableVectors;
  /**
   * The raw columns, in the order of the features.
   *
   * @minItems 1
   */
  inputs: [NumberInput | CategoryInput | DateInput, ...(NumberInput | CategoryInput | DateInput)[]];
  ir_version: number;
  /**
   * The version that the file was verified with.
   */
  onnxruntime: string;
  opset: number;
  /**
   * @minItems 1
   */
  outputs: [Output, ...Output[]];
  /**
   * The sha256 of the ONNX file.
   */
  sha256: string;
  source: Lineage;
  /**
   * Measured on the rows that were held out; empty if no rows were held out.
   */
  test_metrics: {
    [k: string]: number;
  };
  version: 2;
}
/**
 * Golden vectors: raw rows that are hard to answer, and the right answers.
 */
export interface TableVectors {
  /**
   * The largest difference that a correct runtime may show, in the same shape; null: the answer
   * must be NaN.
   */
  bounds: {
    [k: string]: (number | null)[][];
  };
  /**
   * How outputs and bounds were computed.
   */
  derivation: string;
  /**
   * By the column's name, [vectors]: numbers, texts, or dates as integers; null is a gap.
   */
  inputs: {
    [k: string]: (number | string | null)[];
  };
  /**
   * The right answers by the output's name, [vectors, 1]; true and false are 1 and 0, null is
   * NaN.
   */
  outputs: {
    [k: string]: (number | null)[][];
  };
}
/**
 * A column of numbers; NaN is a missing one.
 */
export interface NumberInput {
  /**
   * Numbers that are not above it are refused: the model takes the logarithm. May be absent.
   */
  above?: number;
  /**
   * Numbers below it are refused: the model takes the square root. May be absent.
   */
  at_least?: number;
  dtype: "float32" | "float64";
  /**
   * The number in the place of a missing one, in the input's dtype; null: a missing number is
   * refused.
   */
  fill: number | null;
  /**
   * True if the model gets a second number, which is 1 where the value is missing.
   */
  indicator: boolean;
  kind: "number";
  /**
   * The largest value in the training rows, in the input's dtype.
   */
  max: number;
  /**
   * Mean of the values in the training rows, rounded to the input's dtype.
   */
  mean: number;
  /**
   * The smallest value in the training rows, in the input's dtype.
   */
  min: number;
  /**
   * Training rows in which the value is missing.
   */
  missing_rows: number;
  /**
   * The column's name in the table, and the input's name in the file.
   */
  name: string;
  /**
   * One dimension: any number of rows.
   *
   * @minItems 1
   * @maxItems 1
   */
  shape: ["batch"];
}
/**
 * A column of texts, each of which is a level; "" is a missing one.
 */
export interface CategoryInput {
  dtype: "string";
  /**
   * True if a missing text is the level (missing); else it is refused.
   */
  has_missing: boolean;
  kind: "category";
  /**
   * Sorted by the bytes of their names in UTF-8; without (missing) and (rare).
   */
  levels: Level[];
  /**
   * Training rows in which the value is missing.
   */
  missing_rows: number;
  /**
   * The column's name in the table, and the input's name in the file.
   */
  name: string;
  /**
   * Training rows whose text is no level of its own: they are (rare).
   */
  rare_rows: number;
  /**
   * The level without a number of its own; may be (missing) or (rare).
   */
  reference: string;
  /**
   * One dimension: any number of rows.
   *
   * @minItems 1
   * @maxItems 1
   */
  shape: ["batch"];
  /**
   * A text that is no level: refused, or answered as the reference, or as (rare).
   */
  unseen: "refuse" | "reference" | "rare";
}
/**
 * A level of a category.
 */
export interface Level {
  name: string;
  /**
   * Training rows that have it.
   */
  rows: number;
}
/**
 * A column of dates in UTC: whole days or seconds since 1970-01-01; −2⁶³ is a missing one.
 */
export interface DateInput {
  dtype: "int64";
  kind: "date";
  /**
   * The months (1 to 12) and weekdays (1 is Monday) of the training rows; others are refused.
   */
  levels: {
    [k: string]: number[];
  };
  /**
   * The latest date in the training rows, in the unit.
   */
  max: number;
  /**
   * The earliest date in the training rows, in the unit.
   */
  min: number;
  /**
   * Training rows in which the value is missing.
   */
  missing_rows: number;
  /**
   * The column's name in the table, and the input's name in the file.
   */
  name: string;
  /**
   * What the model gets of a date, in order.
   *
   * @minItems 1
   */
  parts: ["days" | "year" | "month" | "weekday" | "hour", ...("days" | "year" | "month" | "weekday" | "hour")[]];
  /**
   * Of each, the level without a number of its own.
   */
  references: {
    [k: string]: number;
  };
  /**
   * One dimension: any number of rows.
   *
   * @minItems 1
   * @maxItems 1
   */
  shape: ["batch"];
  unit: "days" | "seconds";
}
