/** What Node and the browser have in common: the contract, rows in, predictions out. */

import type { InferenceSession, Tensor, TypedTensor } from "onnxruntime-common";

/** The contracts that this client reads. */
const VERSION = 1;

/** Where the ONNX file's metadata has its terms. */
const KEY = "abline.contract";

export type Dtype = "float32" | "float64";

export interface Feature {
  readonly name: string;
  /** The smallest value in the training rows. */
  readonly min: number;
  /** The largest. */
  readonly max: number;
}

export interface Output {
  readonly name: string;
  /** low, high: the ends of the 95 % prediction interval. */
  readonly meaning: "prediction" | "low" | "high" | "in_range";
  readonly dtype: Dtype | "bool";
  readonly shape: readonly ["batch", number];
  readonly targets: readonly string[];
}

/** Rows that are hard to answer, and what is right. */
export interface Vectors {
  readonly inputs: readonly (readonly number[])[];
  readonly outputs: Readonly<Record<string, readonly (readonly number[])[]>>;
  readonly bounds: Readonly<Record<string, readonly (readonly number[])[]>>;
  readonly derivation: string;
}

/** models/contract.json; without the optional three, the terms in the ONNX file. */
export interface Contract {
  readonly version: 1;
  readonly input: {
    readonly name: string;
    readonly dtype: Dtype;
    readonly shape: readonly ["batch", number];
    readonly features: readonly Feature[];
  };
  readonly outputs: readonly Output[];
  readonly opset: number;
  readonly ir_version: number;
  readonly source: {
    readonly training_id: string;
    readonly md5: Readonly<Record<string, string>>;
    readonly params: Readonly<Record<string, unknown>>;
  };
  readonly test_metrics: Readonly<Record<string, number>>;
  readonly sha256?: string;
  readonly onnxruntime?: string;
  readonly golden?: Vectors;
}

/** How this machine's answers compare with those that are right. */
export interface Conformance {
  /** Whether all are within their bounds. */
  readonly ok: boolean;
  /** How many rows were tried. */
  readonly vectors: number;
  /** Rows whose every answer is within its bound. */
  readonly within: number;
  /** Rows whose every answer is the right one to the last bit. */
  readonly bitEqual: number;
  /** The largest share of its bound that a difference took; more than 1 is wrong. */
  readonly worst: number;
}

/** [rows][features] in the order of `Model.features`. Their order cannot be checked. */
export type Rows = readonly ArrayLike<number>[];

/** Values by column name, in any order; columns that the model does not know are left out. */
export type Columns = Readonly<Record<string, ArrayLike<unknown>>>;

/** The model and its contract do not belong together, or cannot be read. */
export class ContractError extends Error {
  override name = "ContractError";
}

/** Rows that the model cannot answer. */
export class InputError extends Error {
  override name = "InputError";
}

/** What onnxruntime-node and onnxruntime-web both export. */
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

/** A model that is what its contract says. `load` makes it. */
export class Model {
  readonly features: readonly string[];
  readonly targets: readonly string[];
  /** Whether the model was made with intervals. */
  readonly hasInterval: boolean;

  constructor(
    private readonly runtime: Runtime,
    private readonly session: InferenceSession,
    readonly contract: Contract,
  ) {
    this.features = contract.input.features.map((feature) => feature.name);
    this.targets = output(contract, "prediction").targets;
    this.hasInterval = contract.outputs.some(({ meaning }) => meaning === "low");
  }

  /** The predictions: [rows][targets]. Rejects with InputError for rows that it cannot answer. */
  async predict(rows: Rows | Columns): Promise<number[][]> {
    const { name } = output(this.contract, "prediction");
    return (await this.answers(this.checked(rows), [name])).get(name) ?? [];
  }

  /**
   * The ends of the 95 % prediction interval, in which a new measurement would lie:
   * [rows][targets] each. Rejects with ContractError if the model was made without.
   */
  async interval(rows: Rows | Columns): Promise<{ low: number[][]; high: number[][] }> {
    const low = output(this.contract, "low").name;
    const high = output(this.contract, "high").name;
    const found = await this.answers(this.checked(rows), [low, high]);
    return { low: found.get(low) ?? [], high: found.get(high) ?? [] };
  }

  /** For each row whether its every feature lies in the range of the training rows. */
  inRange(rows: Rows | Columns): boolean[] {
    const { data, count } = this.checked(rows);
    const { features } = this.contract.input;
    return Array.from({ length: count }, (_, row) =>
      features.every(({ min, max }, column) => {
        const value = data[row * features.length + column] ?? NaN;
        return min <= value && value <= max;
      }),
    );
  }

  /** Answer the golden vectors and compare with what is right. */
  async conformance(): Promise<Conformance> {
    const { golden } = this.contract;
    if (golden === undefined) {
      throw new ContractError("there are no golden vectors; contract.json has them");
    }
    const names = this.contract.outputs.map(({ name }) => name);
    const answers = await this.answers(this.checked(golden.inputs), names);
    let within = 0;
    let bitEqual = 0;
    let worst = 0;
    golden.inputs.forEach((_, row) => {
      const shares = names.flatMap((name) =>
        (golden.outputs[name]?.[row] ?? []).map((right, target) => {
          const apart = Math.abs((answers.get(name)?.[row]?.[target] ?? NaN) - right);
          const share = apart === 0 ? 0 : apart / (golden.bounds[name]?.[row]?.[target] ?? 0);
          return Number.isNaN(share) ? Infinity : share;
        }),
      );
      const largest = Math.max(...shares);
      within += Number(largest <= 1);
      bitEqual += Number(largest === 0);
      worst = Math.max(worst, largest);
    });
    const vectors = golden.inputs.length;
    return { ok: vectors > 0 && within === vectors, vectors, within, bitEqual, worst };
  }

  private async answers(
    { data, count }: Checked,
    names: readonly string[],
  ): Promise<Map<string, number[][]>> {
    const { name, dtype } = this.contract.input;
    const x = new this.runtime.Tensor(dtype, data, [count, this.features.length]);
    const found = await this.session.run({ [name]: x }, names);
    return new Map(
      names.map((output) => {
        const tensor = found[output];
        if (tensor === undefined) throw new ContractError(`the model gave no ${output}`);
        const width = tensor.dims[1] ?? 0;
        const flat = tensor.data as Float32Array | Float64Array | Uint8Array;
        const rows = Array.from({ length: count }, (_, row) =>
          Array.from(flat.slice(row * width, (row + 1) * width)),
        );
        return [output, rows];
      }),
    );
  }

  /** The rows as the model takes them, each number rounded once. Throws InputError. */
  private checked(rows: Rows | Columns): Checked {
    const table = isRows(rows) ? rows : this.fromColumns(rows);
    const width = this.features.length;
    const single = this.contract.input.dtype === "float32";
    const data = single
      ? new Float32Array(table.length * width)
      : new Float64Array(table.length * width);
    // Not forEach, which leaves holes out.
    for (let index = 0; index < table.length; index++) {
      const row = table[index];
      if (typeof row !== "object" || row === null) {
        const shown = this.features.slice(0, 3).join(", ") + (width > 3 ? ", …" : "");
        throw new InputError(`row ${index}: found ${show(row)}; a single row is [[${shown}]]`);
      }
      if (!Number.isInteger(row.length)) {
        throw new InputError(`row ${index}: must be a list of numbers, found ${show(row)}`);
      }
      if (row.length !== width) {
        throw new InputError(
          `row ${index}: found ${row.length} numbers; the model has ${width} features: ${list(this.features)}`,
        );
      }
      for (let column = 0; column < width; column++) {
        const value: unknown = row[column];
        const where = `row ${index}, ${this.features[column] ?? column}`;
        if (typeof value !== "number" || !Number.isFinite(value)) {
          throw new InputError(`${where}: must be a finite number, found ${show(value)}`);
        }
        if (single && !Number.isFinite(Math.fround(value))) {
          throw new InputError(`${where}: ${value} is beyond float32`);
        }
        data[index * width + column] = value;
      }
    }
    return { data, count: table.length };
  }

  private fromColumns(columns: Columns): Rows {
    if (typeof columns !== "object" || columns === null || ArrayBuffer.isView(columns)) {
      const found = ArrayBuffer.isView(columns) ? "a single list" : show(columns);
      throw new InputError(`must be a list of rows, or lists by column name; found ${found}`);
    }
    const missing = this.features.filter((name) => !Object.hasOwn(columns, name));
    if (missing.length > 0) {
      throw new InputError(`there is no column ${list(missing)}; found ${list(Object.keys(columns))}`);
    }
    const found = this.features.map((name) => {
      const values = columns[name];
      if (typeof values === "object" && values !== null && Number.isInteger(values.length)) {
        return values;
      }
      throw new InputError(`column ${name}: must be a list, found ${show(values)}`);
    });
    const count = found[0]?.length ?? 0;
    found.forEach((values, column) => {
      if (values.length !== count) {
        const name = this.features[column] ?? column;
        throw new InputError(
          `column ${name}: columns are lists of one length, found ${count} and ${values.length}`,
        );
      }
    });
    return Array.from({ length: count }, (_, row) => found.map((values) => values[row] as number));
  }
}

interface Checked {
  readonly data: Float32Array | Float64Array;
  readonly count: number;
}

function isRows(rows: Rows | Columns): rows is Rows {
  return Array.isArray(rows);
}

function output(contract: Contract, meaning: Output["meaning"]): Output {
  const found = contract.outputs.find((each) => each.meaning === meaning);
  if (found !== undefined) return found;
  throw new ContractError(
    `the model was made without ${meaning === "in_range" ? meaning : "interval"}; export.outputs in` +
      " its params.yaml asks for it",
  );
}

function show(value: unknown): string {
  return typeof value === "number" || typeof value === "bigint"
    ? String(value)
    : (JSON.stringify(value) ?? String(value));
}

function list(names: readonly string[]): string {
  return names.slice(0, 10).join(", ") + (names.length > 10 ? ", …" : "");
}

/**
 * Open a model and check that it is the one that its contract describes.
 *
 * content: the bytes of model.onnx; text: those of contract.json, or undefined to go by the terms
 * in the file. Rejects with ContractError if they do not match.
 */
export async function open(
  runtime: Runtime,
  content: Uint8Array<ArrayBuffer>,
  text: string | undefined,
  options?: InferenceSession.SessionOptions,
): Promise<Model> {
  let contract: Contract | undefined;
  if (text !== undefined) {
    contract = parse(text, "contract.json");
    const digest = await sha256(content);
    if (contract.sha256 !== digest) {
      throw new ContractError(
        `the model is not the one that contract.json describes: its sha256 is ${digest}, must be` +
          ` ${contract.sha256}; take both from one result`,
      );
    }
  }
  const noted = metadata(content).get(KEY);
  if (noted === undefined) {
    throw new ContractError(
      `the file carries no ${KEY}: not a model of this pipeline, an old one, or no ONNX file`,
    );
  }
  const terms = parse(noted, `${KEY} in the file`);
  contract ??= terms;
  for (const [key, value] of Object.entries(terms)) {
    if (canonical(contract[key as keyof Contract]) !== canonical(value)) {
      throw new ContractError(
        `contract.json contradicts the terms in the file (${key}); take both from one result`,
      );
    }
  }
  let session: InferenceSession;
  try {
    session = await runtime.InferenceSession.create(content, options);
  } catch (error) {
    throw new ContractError(`onnxruntime cannot open the model: ${String(error)}`, { cause: error });
  }
  const asked = [contract.input.name, ...contract.outputs.map((output) => output.name)];
  const found = [...session.inputNames, ...session.outputNames];
  if (canonical(asked) !== canonical(found)) {
    throw new ContractError(`the model's inputs and outputs are ${list(found)}, must be ${list(asked)}`);
  }
  checkVectors(contract);
  return new Model(runtime, session, contract);
}

/** See that the golden vectors are whole: what lacks would pass. */
function checkVectors({ golden, input, outputs }: Contract): void {
  if (golden === undefined) return;
  const whole = (rows: unknown, columns: number) =>
    Array.isArray(rows) &&
    rows.length > 0 &&
    rows.length === golden.inputs?.length &&
    rows.every((row) => Array.isArray(row) && row.length === columns && row.every(Number.isFinite));
  const parts = outputs.flatMap(({ name, shape }) =>
    [golden.outputs?.[name], golden.bounds?.[name]].map((rows) => whole(rows, shape[1])),
  );
  if (!whole(golden.inputs, input.features.length) || parts.includes(false)) {
    throw new ContractError("the golden vectors in contract.json are not whole");
  }
}

function parse(text: string, place: string): Contract {
  let contract: Contract;
  try {
    contract = JSON.parse(text) as Contract;
  } catch (error) {
    throw new ContractError(`${place}: not a contract (${String(error)})`, { cause: error });
  }
  if (contract?.version !== VERSION) {
    throw new ContractError(
      `${place}: version ${show(contract?.version)}; this client reads ${VERSION}: take the client of` +
        " the same release as the model",
    );
  }
  return contract;
}

/** JSON with sorted keys, to compare two values. */
function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_, part: unknown) =>
      part !== null && typeof part === "object" && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
        : part,
    ) ?? "undefined"
  );
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
 * Whatever cannot be read has none.
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
