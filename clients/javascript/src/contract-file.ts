/* Written by `npm run types` from ../contract.schema.json: edit that instead. */

/**
 * The content of models/contract.json.
 */
export interface Contract {
  golden: Vectors;
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
export interface Vectors {
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
   * in_range: true if every feature of the row lies in its training range.
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
