/** Comparison of this machine's answers to the golden vectors with the right answers. */

import type { Contract } from "./contract.js";
import { list } from "./messages.js";

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

type Golden = NonNullable<Contract["golden"]>;

/** Compare answers, [rows][columns] by the output's name, with those of the golden vectors. */
export function compared(
  golden: Golden,
  answers: Readonly<Record<string, readonly (readonly number[])[]>>,
  vectors: number,
): Conformance {
  const largest = Array.from({ length: vectors }, () => 0);
  let problem: string | undefined;
  for (const [name, rows] of Object.entries(answers)) {
    rows.forEach((answer, row) => {
      const right = golden.outputs[name]?.[row] ?? [];
      const bounds = golden.bounds[name]?.[row] ?? [];
      const shares = right.map((value, column) => share(answer[column], value, bounds[column]));
      const most = Math.max(...shares);
      if (most > 1) {
        const must = right.map((value) => value ?? NaN);
        problem ??= `${list([name])} of vector ${row} is [${answer.join(", ")}], must be [${must.join(", ")}]`;
      }
      largest[row] = Math.max(largest[row] ?? 0, most);
    });
  }
  const within = largest.filter((share) => share <= 1).length;
  const bitEqual = largest.filter((share) => share === 0).length;
  const worst = Math.max(0, ...largest);
  return { ok: vectors > 0 && within === vectors, vectors, within, bitEqual, worst, problem };
}

/** The difference of an answer as a share of its bound. right: null where NaN is the right answer. */
function share(answer = NaN, right: number | null, bound: number | null = NaN): number {
  if (right === null) return Number.isNaN(answer) ? 0 : Infinity;
  const difference = Math.abs(answer - right);
  const ratio = difference === 0 ? 0 : difference / (bound ?? NaN);
  return Number.isNaN(ratio) ? Infinity : ratio;
}
