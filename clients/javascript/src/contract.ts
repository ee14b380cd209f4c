/** The contract of a model: its parts, and checks that it agrees with itself and with the file. */

import type * as file from "./contract-file.js";
import { checkForm } from "./form.js";
import { anObject, Wrong } from "./json-values.js";
import { list, short } from "./messages.js";
import { checkGolden } from "./vectors.js";

type Frozen<T> = T extends object ? { readonly [Key in keyof T]: Frozen<T[Key]> } : T;

/** Keys that the ONNX file cannot hold: its own sha256, and results of its verification. */
type Later = "sha256" | "onnxruntime" | "golden";
type Terms<T extends file.Contract> = Frozen<Omit<T, Later> & Partial<Pick<T, Later>>>;
type Version<V> = Extract<file.Contract, { version: V }>;

/** A contract of version 1: one input, a matrix of numbers. */
export type MatrixContract = Terms<Version<1>>;

/** A contract of version 2: an input for each column of the table. */
export type TableContract = Terms<Version<2>>;

/** models/contract.json; without the optional three keys, the terms in the ONNX file. */
export type Contract = MatrixContract | TableContract;

/** What a column takes. */
export type Input = TableContract["inputs"][number];
export type NumberInput = Extract<Input, { kind: "number" }>;
export type CategoryInput = Extract<Input, { kind: "category" }>;
export type DateInput = Extract<Input, { kind: "date" }>;
export type Dtype = MatrixContract["input"]["dtype"];
export type Feature = MatrixContract["input"]["features"][number];
export type Vectors = NonNullable<Contract["golden"]>;
export type Output = Contract["outputs"][number];

/** The model and its contract do not agree, or cannot be read. */
export class ContractError extends Error {
  override name = "ContractError";
}

/** Read a contract, or the terms in an ONNX file, and check its form. place: for messages. */
export function parse(text: string, place: string): Contract {
  try {
    const contract: unknown = JSON.parse(text);
    const { version } = anObject(contract, "the whole");
    if (version !== 1 && version !== 2) {
      throw new ContractError(
        `${place}: version ${short(version)}; this client reads 1 and 2: take` +
          " the client of the same release as the model",
      );
    }
    checkForm(contract as Contract);
    return contract as Contract;
  } catch (error) {
    if (error instanceof ContractError) throw error;
    const why = error instanceof Wrong ? error.message : String(error);
    throw new ContractError(`${place}: not a contract (${why})`, { cause: error });
  }
}

/** Check that contract.json agrees with the terms in the ONNX file. */
export function compare(
  contract: Contract,
  terms: Contract,
  place: { readonly file: string; readonly contract: string },
): void {
  for (const [key, value] of Object.entries(terms)) {
    if (canonical(contract[key as keyof Contract]) !== canonical(value)) {
      throw new ContractError(
        `${place.contract} contradicts the terms in ${place.file} (${list([key])}); take both from one` +
          " result",
      );
    }
  }
}

/** Check that the golden vectors are complete and that their bounds prove something. */
export function checkVectors(contract: Contract, place: string): void {
  try {
    checkGolden(contract);
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    throw new ContractError(
      `${place}: the golden vectors in its contract.json are not whole: ${error.message}`,
      { cause: error },
    );
  }
}

/** The columns of the table, in order; those of version 1 are numbers without gaps. */
export function inputs(contract: Contract): readonly Input[] {
  if (contract.version === 2) return contract.inputs;
  return contract.input.features.map(({ name, min, max, mean }) => ({
    kind: "number",
    name,
    dtype: contract.input.dtype,
    shape: ["batch"],
    min,
    max,
    mean: mean ?? min + (max - min) / 2,
    fill: null,
    indicator: false,
    missing_rows: 0,
  }));
}

/** The outputs of a meaning; their targets together are those of the model, in order. */
export function outputs(contract: Contract, meaning: Output["meaning"]): readonly Output[] {
  const all = contract.outputs.filter((each) => each.meaning === meaning);
  if (all.length > 0) return all;
  throw new ContractError(
    "the model was made without intervals; `export.outputs: [prediction, interval]` in params.yaml asks" +
      " for them",
  );
}

/** JSON with sorted keys, to compare two values. */
export function canonical(value: unknown): string {
  try {
    return (
      JSON.stringify(value, (_, part: unknown) =>
        part !== null && typeof part === "object" && !Array.isArray(part)
          ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
          : part,
      ) ?? "undefined"
    );
  } catch (error) {
    throw new ContractError(`not a contract (${String(error)})`, { cause: error });
  }
}
