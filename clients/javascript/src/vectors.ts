/** Golden vectors: checks that they are complete, and that their bounds prove something. */

import type { Contract, Input, MatrixContract } from "./contract.js";
import {
  aList,
  aNumber,
  aTable,
  aText,
  anInteger,
  anObject,
  refuse,
  Wrong,
} from "./json-values.js";
import { count, number } from "./messages.js";

/** The widest bound as a share of the size of the answers; a wider bound proves nothing. */
const WIDEST_BOUND = 0.01;

/** Answers and their bounds of one output, [rows][columns]; null where there is no answer. */
interface Answers {
  readonly name: string;
  readonly right: readonly (readonly (number | null)[])[];
  readonly bounds: readonly (readonly (number | null)[])[];
}

/** Check the golden vectors of a contract of the right form. Throws Wrong. */
export function checkGolden(contract: Contract): void {
  const golden = anObject(contract.golden, "golden");
  const distances =
    contract.version === 1 ? matrix(golden.inputs, contract.input) : columns(golden.inputs, contract.inputs);
  const width = contract.version === 1 ? contract.input.features.length : contract.encoded.length;
  const byTarget = new Map<string, Answers[]>();
  let single = false;
  for (const { name, meaning, dtype, shape, targets } of contract.outputs) {
    const real = meaning !== "in_range";
    const [right, bounds] = ["outputs", "bounds"].map((part) => {
      const tables = anObject(golden[part], `golden.${part}`);
      const rows = Object.hasOwn(tables, name) ? tables[name] : undefined;
      const gaps = contract.version > 1 && real;
      return aTable(rows, distances.length, shape[1], `golden.${part}.${name}`, gaps);
    }) as [(number | null)[][], (number | null)[][]];
    const least = Math.min(...bounds.map((row) => Math.min(...row.map(Number))));
    if (least < 0) refuse(`golden.bounds.${name}`, least, "0 or more");
    const unbound = bounds.findIndex((row, index) =>
      row.some((bound, column) => bound === null && right[index]?.[column] !== null),
    );
    if (unbound >= 0) {
      refuse(`golden.bounds.${name}[${unbound}]`, null, "a number, because the answer is one");
    }
    if (real) {
      single = dtype === "float32";
      const key = JSON.stringify(targets);
      byTarget.set(key, [...(byTarget.get(key) ?? []), { name, right, bounds }]);
    } else if (bounds.flat().some(Boolean) || right.flat().some((value) => value !== 0 && value !== 1)) {
      throw new Wrong(`golden.bounds.${name}: must be 0, of answers that are 0 or 1`);
    }
  }
  for (const answers of byTarget.values()) checkBounds(distances, width, answers, single);
}

/** Check the inputs of version 1; return the distance of each row. */
function matrix(value: unknown, { dtype, features }: MatrixContract["input"]): number[] {
  const rows = aList(value, "golden.inputs").length;
  const inputs = aTable(value, rows, features.length, "golden.inputs") as number[][];
  if (dtype === "float32" && !inputs.every((row) => row.every((x) => Math.fround(x) === x))) {
    throw new Wrong("golden.inputs: must be numbers that float32 holds");
  }
  return inputs.map((row) =>
    features.reduce((most, feature, column) => Math.max(most, distance(row[column] ?? 0, feature)), 1),
  );
}

/** Check the inputs of version 2; return the distance of each row. */
function columns(value: unknown, inputs: readonly Input[]): number[] {
  const golden = anObject(value, "golden.inputs");
  let distances: number[] | undefined;
  for (const input of inputs) {
    const { name, kind } = input;
    const where = `golden.inputs.${name}`;
    const values = aList(Object.hasOwn(golden, name) ? golden[name] : undefined, where);
    distances ??= values.map(() => 1);
    if (values.length !== distances.length) {
      throw new Wrong(`${where}: found ${count(values.length, "row")}, must be ${distances.length}`);
    }
    const check = { number: aNumber, category: aText, date: anInteger }[kind];
    values.forEach((each, row) => {
      if (each !== null) check(each, `${where}[${row}]`);
    });
    if (kind === "category") continue;
    const single = kind === "number" && input.dtype === "float32";
    if (single && !values.every((x) => x === null || Math.fround(x as number) === x)) {
      throw new Wrong(`${where}: must be numbers that float32 holds`);
    }
    const fill = kind === "number" ? input.fill : null;
    distances = distances.map((most, row) =>
      Math.max(most, distance((values[row] as number | null) ?? fill ?? 0, input)),
    );
  }
  return distances ?? [];
}

/** How far a number lies outside of the training range, relative to it; 1 if inside. */
function distance(x: number, { min, max }: { readonly min: number; readonly max: number }): number {
  const reach = Math.max(Math.abs(min), Math.abs(max)) || 1;
  return Math.max(1, Math.abs(x) / reach);
}

/**
 * Refuse bounds that are too wide to prove anything.
 *
 * An answer is a sum of terms that the contract does not have. The answers give their size: the
 * largest answer in the training range, times the distance of the row relative to that range, or
 * the row's own answer. A bound may be WIDEST_BOUND times the size, or eps (p + 3)² times for many
 * numbers p, whose terms may be p times their sum.
 *
 * distances: [rows]. width: p. real: outputs of the same targets. single: true for float32.
 */
function checkBounds(
  distances: readonly number[],
  width: number,
  real: readonly Answers[],
  single: boolean,
): void {
  const [eps, tiny, huge] = single
    ? [2 ** -23, 2 ** -126, (2 - 2 ** -23) * 2 ** 127]
    : [Number.EPSILON, 2 ** -1022, Number.MAX_VALUE];
  const answer = (row: number, column: number) =>
    Math.max(...real.map(({ right }) => Math.abs(right[row]?.[column] ?? 0)));
  const share = Math.max(WIDEST_BOUND, eps * (width + 3) ** 2);
  const largest = (real[0]?.right[0] ?? []).map((_, column) =>
    distances.reduce((most, far, row) => (far === 1 ? Math.max(most, answer(row, column)) : most), 0),
  );
  for (const { name, bounds } of real) {
    bounds.forEach((row, index) =>
      row.forEach((bound, column) => {
        const far = (distances[index] ?? 1) * ((largest[column] ?? 0) + tiny);
        const size = Math.max(Math.min(far, huge), answer(index, column));
        if (bound !== null && bound > share * size) {
          throw new Wrong(
            `golden.bounds.${name}[${index}]: found ${number(bound)}, which is no bound to answers of` +
              ` the size ${number(size)}`,
          );
        }
      }),
    );
  }
}
