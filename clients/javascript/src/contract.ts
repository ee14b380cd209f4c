/** The contract of a model: checks of its form and of its golden vectors. */

import type * as file from "./contract-file.js";

/** The version of the contracts that this client reads. */
const CONTRACT_VERSION = 1;

/** The widest bound as a share of the size of the answers; a wider bound proves nothing. */
const WIDEST_BOUND = 0.01;

type Frozen<T> = T extends object ? { readonly [Key in keyof T]: Frozen<T[Key]> } : T;

/** Keys that the ONNX file cannot hold: its own sha256, and results of its verification. */
type Later = "sha256" | "onnxruntime" | "golden";

/** models/contract.json; without the optional three, the terms in the ONNX file. */
export type Contract = Frozen<Omit<file.Contract, Later> & Partial<Pick<file.Contract, Later>>>;
export type Dtype = file.Input["dtype"];
export type Feature = Frozen<file.Feature>;
export type Output = Frozen<file.Output>;
export type Vectors = Frozen<file.Vectors>;

/** The model and its contract do not agree, or cannot be read. */
export class ContractError extends Error {
  override name = "ContractError";
}

/** A mistake in a part of a contract; `parse` and `checkVectors` add the file's name. */
class Wrong extends Error {}

/** Read a contract, or the terms in an ONNX file, and check its form. place: for messages. */
export function parse(text: string, place: string): Contract {
  try {
    const contract: unknown = JSON.parse(text);
    const { version } = object(contract, "the whole");
    if (version !== CONTRACT_VERSION) {
      throw new ContractError(
        `${place}: version ${short(version)}; this client reads ${CONTRACT_VERSION}: take` +
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
    vectors(contract);
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    throw new ContractError(
      `${place}: the golden vectors in its contract.json are not whole: ${error.message}`,
      { cause: error },
    );
  }
}

/** The output of a meaning, or an error that says how to get one. */
export function output(contract: Contract, meaning: Output["meaning"]): Output {
  const found = contract.outputs.find((each) => each.meaning === meaning);
  if (found !== undefined) return found;
  throw new ContractError(
    "the model was made without intervals; `export.outputs: [prediction, interval]` in params.yaml asks" +
      " for them",
  );
}

/** A number with its noun: "1 row", "2 rows". */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** Names for a message: the first ten, without characters that a terminal would act on. */
export function list(names: readonly string[]): string {
  const escaped = names.slice(0, 10).map((name) =>
    String(name).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${c.codePointAt(0)?.toString(16)}}`),
  );
  return escaped.join(", ") + (names.length > 10 ? ", …" : "");
}

/** A value for a message. */
export function short(value: unknown): string {
  let text: string;
  try {
    text =
      typeof value === "number"
        ? number(value)
        : typeof value === "bigint"
          ? String(value)
          : (JSON.stringify(value) ?? (value === undefined ? "null" : String(value)));
  } catch {
    text = "something huge";
  }
  return list([text.length <= 60 ? text : `${text.slice(0, 59)}…`]);
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

function checkForm(contract: Contract): void {
  const entry = object(contract.input, "input");
  text(entry.name, "input.name");
  const dtype = oneOf(entry.dtype, ["float32", "float64"], "input.dtype");
  const features = array(entry.features, "input.features");
  const names = features.map((each, index) => {
    const where = `input.features[${index}]`;
    const feature = object(each, where);
    const name = text(feature.name, `${where}.name`);
    const min = finite(feature.min, `${where}.min`);
    const max = finite(feature.max, `${where}.max`);
    if (min > max) refuse(`${where}.min`, min, `no more than its max, ${number(max)}`);
    const mean = feature.mean ?? min;
    if (!(min <= finite(mean, `${where}.mean`) && Number(mean) <= max)) {
      refuse(`${where}.mean`, mean, `from ${number(min)} to ${number(max)}`);
    }
    return name;
  });
  different(names, "input.features");
  shape(entry.shape, features.length, "input.shape");
  const outputs = array(contract.outputs, "outputs");
  const told = outputs.map((each, index) => {
    const where = `outputs[${index}]`;
    const output = object(each, where);
    const name = text(output.name, `${where}.name`);
    const meaning = oneOf(output.meaning, ["prediction", "low", "high", "in_range"], `${where}.meaning`);
    oneOf(output.dtype, [meaning === "in_range" ? "bool" : dtype], `${where}.dtype`);
    const targets = array(output.targets, `${where}.targets`, meaning === "in_range");
    targets.forEach((target, column) => text(target, `${where}.targets[${column}]`));
    different(targets as string[], `${where}.targets`);
    const first = (outputs[0] as Output).targets;
    if (targets.length > 0 && canonical(targets) !== canonical(first)) {
      refuse(`${where}.targets`, targets, "the targets of the first output");
    }
    shape(output.shape, targets.length || 1, `${where}.shape`);
    return { name, meaning };
  });
  different(told.map(({ name }) => name), "outputs");
  const meanings = told.map(({ meaning }) => meaning);
  different(meanings, "outputs");
  if (!meanings.includes("prediction") || meanings.includes("low") !== meanings.includes("high")) {
    refuse("outputs", meanings.join(", "), "a prediction, and low and high both or neither");
  }
}

interface Answers {
  readonly name: string;
  readonly right: readonly (readonly number[])[];
  readonly bounds: readonly (readonly number[])[];
}

function vectors(contract: Contract): void {
  const { dtype, features } = contract.input;
  const golden = object(contract.golden, "golden");
  const count = array(golden.inputs, "golden.inputs").length;
  const inputs = table(golden.inputs, count, features.length, "golden.inputs");
  if (dtype === "float32" && !inputs.every((row) => row.every((x) => Math.fround(x) === x))) {
    throw new Wrong("golden.inputs: must be numbers that float32 holds");
  }
  const real: Answers[] = [];
  for (const { name, meaning, shape } of contract.outputs) {
    const [right, bounds] = ["outputs", "bounds"].map((part) => {
      const tables = object(golden[part], `golden.${part}`);
      const rows = Object.hasOwn(tables, name) ? tables[name] : undefined;
      return table(rows, count, shape[1], `golden.${part}.${name}`);
    }) as [number[][], number[][]];
    const least = Math.min(...bounds.map((row) => Math.min(...row)));
    if (least < 0) refuse(`golden.bounds.${name}`, least, "0 or more");
    if (meaning !== "in_range") real.push({ name, right, bounds });
    else if (bounds.flat().some(Boolean) || right.flat().some((value) => value !== 0 && value !== 1)) {
      throw new Wrong(`golden.bounds.${name}: must be 0, of answers that are 0 or 1`);
    }
  }
  checkBounds(contract, inputs, real);
}

/**
 * Refuse bounds that are too wide to prove anything.
 *
 * An answer is a sum of terms that the contract does not have. The answers give their size: the
 * largest answer in the training range, times the distance of the row relative to that range, or
 * the row's own answer. A bound may be WIDEST_BOUND times the size, or eps (p + 3)² times for many
 * features p, whose terms may be p times their sum.
 */
function checkBounds(
  { input: { dtype, features } }: Contract,
  inputs: readonly (readonly number[])[],
  real: readonly Answers[],
): void {
  const single = dtype === "float32";
  const [eps, tiny, huge] = single
    ? [2 ** -23, 2 ** -126, (2 - 2 ** -23) * 2 ** 127]
    : [Number.EPSILON, 2 ** -1022, Number.MAX_VALUE];
  const reach = features.map(({ min, max }) => Math.max(Math.abs(min), Math.abs(max)) || 1);
  const outside = inputs.map((row) =>
    row.reduce((most, x, column) => Math.max(most, Math.abs(x) / (reach[column] ?? 1)), 1),
  );
  const answer = (row: number, column: number) =>
    Math.max(...real.map(({ right }) => Math.abs(right[row]?.[column] ?? 0)));
  const share = Math.max(WIDEST_BOUND, eps * (features.length + 3) ** 2);
  const largest = (real[0]?.right[0] ?? []).map((_, column) =>
    outside.reduce((most, far, row) => (far === 1 ? Math.max(most, answer(row, column)) : most), 0),
  );
  for (const { name, bounds } of real) {
    bounds.forEach((row, index) =>
      row.forEach((bound, column) => {
        const far = (outside[index] ?? 1) * ((largest[column] ?? 0) + tiny);
        const size = Math.max(Math.min(far, huge), answer(index, column));
        if (bound > share * size) {
          throw new Wrong(
            `golden.bounds.${name}[${index}]: found ${number(bound)}, which is no bound to answers of` +
              ` the size ${number(size)}`,
          );
        }
      }),
    );
  }
}

/** Finite numbers, [rows][columns]. */
function table(value: unknown, rows: number, columns: number, where: string): number[][] {
  const found = array(value, where);
  if (found.length !== rows) {
    throw new Wrong(`${where}: found ${count(found.length, "row")}, must be ${rows}`);
  }
  found.forEach((each, index) => {
    const row = array(each, `${where}[${index}]`);
    if (row.length !== columns) {
      throw new Wrong(`${where}[${index}]: found ${count(row.length, "number")}, must be ${columns}`);
    }
    row.forEach((cell, column) => finite(cell, `${where}[${index}][${column}]`));
  });
  return found as number[][];
}

function object(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  return refuse(where, value, "an object");
}

function array(value: unknown, where: string, empty = false): unknown[] {
  if (Array.isArray(value) && (empty || value.length > 0)) return value;
  return refuse(where, value, empty ? "a list" : "a list that is not empty");
}

function text(value: unknown, where: string): string {
  return typeof value === "string" ? value : refuse(where, value, "text");
}

function oneOf(value: unknown, allowed: readonly string[], where: string): string {
  return allowed.includes(value as string) ? String(value) : refuse(where, value, allowed.join(" or "));
}

function shape(value: unknown, columns: number, where: string): void {
  if (canonical(value) !== canonical(["batch", columns])) refuse(where, value, `["batch", ${columns}]`);
}

function finite(value: unknown, where: string): number {
  return typeof value === "number" && Number.isFinite(value)
    ? value
    : refuse(where, value, "a finite number");
}

function different(names: readonly string[], where: string): void {
  const seen = new Set<string>();
  const twice = names.filter((name) => seen.size === seen.add(name).size);
  if (twice.length > 0) throw new Wrong(`${where}: found ${list([...new Set(twice)])} twice`);
}

/** A number as Python writes it, so that both clients say the same. */
function number(value: number): string {
  return String(value).replace(/e([+-])(\d)$/, "e$10$2");
}

function refuse(where: string, value: unknown, allowed: string): never {
  throw new Wrong(`${list([where])}: found ${short(value)}, must be ${allowed}`);
}
