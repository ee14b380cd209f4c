/** A column of numbers: null, "" and NaN are gaps. */

import { type Column, Problem, isGap } from "./column.js";
import type { NumberInput } from "./contract.js";
import { shown } from "./messages.js";

export class NumberColumn implements Column<number> {
  readonly name: string;
  readonly dtype: NumberInput["dtype"];

  constructor(private readonly input: NumberInput) {
    this.name = input.name;
    this.dtype = input.dtype;
  }

  /** The number, rounded once to the model's precision; NaN for a gap. */
  value(value: unknown): number | Problem {
    const { fill } = this.input;
    if (fill !== null && isGap(value)) return NaN;
    if (typeof value !== "number" || !Number.isFinite(value)) {
      const gap = fill === null ? "" : ", or null for no value";
      return new Problem(`must be a finite number${gap}, found ${shown(value)}`);
    }
    const kept = this.rounded(value);
    if (!Number.isFinite(kept)) return new Problem(`${value} is beyond ${this.dtype}`);
    const { above, at_least } = this.input;
    if (above !== undefined && kept <= above) {
      return withoutValue(`above ${above}`, "logarithm", value);
    }
    if (at_least !== undefined && kept < at_least) {
      return withoutValue(`at least ${at_least}`, "square root", value);
    }
    return kept;
  }

  restored(value: number | string | null): number {
    return value === null ? NaN : Number(value);
  }

  isInRange(value: number): boolean {
    const { min, max, fill, missing_rows } = this.input;
    if (Number.isNaN(value)) return fill !== null && missing_rows > 0;
    return min <= value && value <= max;
  }

  data(values: readonly number[]): Float32Array | Float64Array {
    return this.dtype === "float32" ? Float32Array.from(values) : Float64Array.from(values);
  }

  private rounded(value: number): number {
    return this.dtype === "float32" ? Math.fround(value) : value;
  }
}

function withoutValue(limit: string, of: string, value: number): Problem {
  return new Problem(`must be ${limit}, because the model takes its ${of}; found ${value}`);
}
