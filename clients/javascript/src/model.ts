/** A model that agrees with its contract, for Node and the browser alike. */

import type { InferenceSession, Tensor, TypedTensor } from "onnxruntime-common";

import {
  type Contract,
  ContractError,
  type Dtype,
  canonical,
  checkVectors,
  compare,
  list,
  output,
  parse,
  short,
} from "./contract.js";
import { type Checked, type Columns, type Records, type Rows, checked } from "./rows.js";

export { type Contract, ContractError, type Dtype } from "./contract.js";
export type { Feature, Output, Vectors } from "./contract.js";
export { type Columns, InputError, type Records, type Rows } from "./rows.js";

/** The key of the terms in the metadata of the ONNX file. */
const METADATA_KEY = "abline.contract";

/** Comparison of this machine's answers with the right answers. */
export interface Conformance {
  /** True if all answers are within their bounds. */
  readonly ok: boolean;
  /** Number of rows that were tried. */
  readonly vectors: number;
  /** Number of rows whose every answer is within its bound. */
  readonly within: number;
  /** Number of rows whose every answer is right to the last bit. */
  readonly bitEqual: number;
  /** The largest ratio of a difference to its bound; more than 1 is wrong. */
  readonly worst: number;
  /** The first wrong answer: "y of vector 0 is [7.5], must be [7.6]"; undefined if all are right. */
  readonly problem: string | undefined;
}

/** The part of onnxruntime that this client uses, in Node as in the browser. */
export interface Runtime {
  readonly InferenceSession: {
    create(content: Uint8Array, options?: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  readonly Tensor: new <T extends Dtype>(
    type: T,
    data: Tensor.DataTypeMap[T],
    dims: readonly number[],
  ) => TypedTensor<T>;
}

/** The paths or addresses of a model's files, for messages. */
export interface Place {
  readonly file: string;
  readonly contract: string;
}

/** A model that agrees with its contract. `load` makes it. */
export class Model {
  readonly features: readonly string[];
  readonly targets: readonly string[];
  readonly dtype: Dtype;
  /** True if the model was made with intervals. */
  readonly hasInterval: boolean;

  constructor(
    private readonly runtime: Runtime,
    private readonly session: InferenceSession,
    readonly contract: Contract,
    private readonly place: Place,
  ) {
    this.features = contract.input.features.map((feature) => feature.name);
    this.targets = output(contract, "prediction").targets;
    this.dtype = contract.input.dtype;
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
   * model does not know are left out; or [rows][features] in the order of `features`, which cannot
   * be checked. Rejects with InputError for rows that the model cannot answer.
   */
  async predict(rows: Rows | Records | Columns): Promise<number[][]> {
    const { name } = output(this.contract, "prediction");
    return (await this.run(checked(rows, this.contract), [name]))[name] ?? [];
  }

  /** Every output of the file by its name, [rows][columns]; true and false are 1 and 0. */
  async answers(rows: Rows | Records | Columns): Promise<Record<string, number[][]>> {
    return this.run(checked(rows, this.contract), this.contract.outputs.map(({ name }) => name));
  }

  /**
   * The ends of the 95 % prediction interval, in which a new measurement would lie:
   * [rows][targets] each. Rejects with ContractError if the model has no interval.
   */
  async interval(rows: Rows | Records | Columns): Promise<{ low: number[][]; high: number[][] }> {
    const low = output(this.contract, "low").name;
    const high = output(this.contract, "high").name;
    const found = await this.run(checked(rows, this.contract), [low, high]);
    return { low: found[low] ?? [], high: found[high] ?? [] };
  }

  /** For each row: true if every feature lies in the range of the training rows. */
  inRange(rows: Rows | Records | Columns): boolean[] {
    const { data, count } = checked(rows, this.contract);
    const { features } = this.contract.input;
    return Array.from({ length: count }, (_, row) =>
      features.every(({ min, max }, column) => {
        const value = data[row * features.length + column] ?? NaN;
        return min <= value && value <= max;
      }),
    );
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
    const answers = await this.answers(golden.inputs);
    const largest = golden.inputs.map(() => 0);
    let problem: string | undefined;
    for (const [name, rows] of Object.entries(answers)) {
      rows.forEach((answer, row) => {
        const right = golden.outputs[name]?.[row] ?? [];
        const shares = right.map((value, column) => {
          const difference = Math.abs((answer[column] ?? NaN) - value);
          const bound = golden.bounds[name]?.[row]?.[column] ?? NaN;
          const share = difference === 0 ? 0 : difference / bound;
          return Number.isNaN(share) ? Infinity : share;
        });
        const share = Math.max(...shares);
        if (share > 1) {
          const [found, must] = [answer, right].map((numbers) => numbers.join(", "));
          problem ??= `${list([name])} of vector ${row} is [${found}], must be [${must}]`;
        }
        largest[row] = Math.max(largest[row] ?? 0, share);
      });
    }
    const vectors = largest.length;
    const within = largest.filter((share) => share <= 1).length;
    const bitEqual = largest.filter((share) => share === 0).length;
    const worst = Math.max(0, ...largest);
    return { ok: vectors > 0 && within === vectors, vectors, within, bitEqual, worst, problem };
  }

  private async run(
    { data, count }: Checked,
    names: readonly string[],
  ): Promise<Record<string, number[][]>> {
    const { name, dtype } = this.contract.input;
    const x = new this.runtime.Tensor(dtype, data, [count, this.features.length]);
    const found = await this.session.run({ [name]: x }, names);
    // A name may be anything, __proto__ too.
    return Object.fromEntries(
      names.map((output) => {
        const tensor = found[output];
        if (tensor === undefined) throw new ContractError(`the model gave no ${list([output])}`);
        const width = tensor.dims[1] ?? 0;
        const flat = tensor.data as Float32Array | Float64Array | Uint8Array;
        const rows = Array.from({ length: count }, (_, row) =>
          Array.from(flat.slice(row * width, (row + 1) * width)),
        );
        return [output, rows];
      }),
    );
  }
}

/**
 * Open a model and check that it agrees with its contract.
 *
 * content: the bytes of model.onnx; text: the text of contract.json, or undefined to use the terms
 * in the file. Rejects with ContractError if they do not match.
 */
export async function open(
  runtime: Runtime,
  content: Uint8Array<ArrayBuffer>,
  text: string | undefined,
  place: Place,
  options?: InferenceSession.SessionOptions,
): Promise<Model> {
  let whole: Contract | undefined;
  if (text !== undefined) {
    whole = parse(text, place.contract);
    const digest = await sha256(content);
    if (whole.sha256 !== digest) {
      throw new ContractError(
        `${place.file} is not the file that ${place.contract} describes: its sha256 is ${digest},` +
          ` must be ${short(whole.sha256)}; take both from one result`,
      );
    }
  }
  const noted = metadata(content).get(METADATA_KEY);
  if (noted === undefined) {
    throw new ContractError(
      `${place.file}: carries no ${METADATA_KEY}: not a model of this pipeline, an old one, or` +
        " no ONNX file",
    );
  }
  const terms = parse(noted, `${place.file}, ${METADATA_KEY}`);
  if (whole !== undefined) {
    compare(whole, terms, place);
    checkVectors(whole, place.file);
  }
  const contract = whole ?? terms;
  let session: InferenceSession;
  try {
    session = await runtime.InferenceSession.create(content, options);
  } catch (error) {
    throw new ContractError(`${place.file}: onnxruntime cannot open it: ${String(error)}`, {
      cause: error,
    });
  }
  checkGraph(session, contract, place);
  return new Model(runtime, session, contract, place);
}

/** Check that the graph has the inputs and outputs that the contract names. */
function checkGraph(session: InferenceSession, contract: Contract, place: Place): void {
  const asked = [contract.input, ...contract.outputs].map(
    ({ name, dtype, shape }) => `${name}: ${dtype} [batch, ${shape[1]}]`,
  );
  const found = [...session.inputMetadata, ...session.outputMetadata].map((value) => {
    if (!value.isTensor) return `${value.name}: no tensor`;
    const [first, ...others] = value.shape;
    const batch = typeof first === "string" ? "batch" : String(first);
    return `${value.name}: ${value.type} [${[batch, ...others].join(", ")}]`;
  });
  if (canonical(asked) !== canonical(found)) {
    throw new ContractError(
      `${place.file}: its inputs and outputs are ${list(found)}, must be ${list(asked)}`,
    );
  }
}

async function sha256(content: Uint8Array<ArrayBuffer>): Promise<string> {
  // Browsers have it on https and on localhost only.
  if (globalThis.crypto?.subtle === undefined) {
    throw new ContractError("the model's sha256 can be checked on https or localhost only");
  }
  const digest = new Uint8Array(await globalThis.crypto.subtle.digest("SHA-256", content));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * The metadata of an ONNX file, which onnxruntime does not give in JavaScript.
 *
 * Protobuf: field 14 of ModelProto holds entries, each with a key in field 1 and a value in field 2.
 * A file that cannot be read has no metadata.
 */
function metadata(content: Uint8Array): Map<string, string> {
  const found = new Map<string, string>();
  for (const [field, bytes] of fields(content)) {
    if (field !== 14) continue;
    const entry = new Map(fields(bytes));
    const text = (part: number) => new TextDecoder().decode(entry.get(part));
    found.set(text(1), text(2));
  }
  return found;
}

/** The fields of a protobuf message that hold bytes, text or messages. */
function* fields(content: Uint8Array): Generator<[number, Uint8Array]> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = content[at++] ?? 0;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < content.length) {
    const tag = varint();
    const kind = tag % 8;
    if (kind === 0) varint();
    else if (kind === 1) at += 8;
    else if (kind === 5) at += 4;
    else if (kind === 2) {
      const length = varint();
      yield [Math.floor(tag / 8), content.subarray(at, at + length)];
      at += length;
    } else return;
  }
}
