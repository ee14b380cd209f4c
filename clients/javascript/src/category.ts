/** A column of categories: texts, and booleans and numbers that stand for the text of a level. */

import { type Column, Problem, isGap } from "./column.js";
import type { CategoryInput } from "./contract.js";
import { likely, list, shown } from "./messages.js";

/**
 * A text that onnxruntime in JavaScript does not pass on as it is: it cuts it at NUL, so that it may
 * become another level, and has no form for half of a pair of surrogates.
 */
const NOT_PASSED_ON = /[\0\p{Surrogate}]/u;

export class CategoryColumn implements Column<string> {
  readonly name: string;
  readonly dtype = "string";
  /** The training rows of each level. */
  private readonly rows: ReadonlyMap<string, number>;

  constructor(private readonly input: CategoryInput) {
    this.name = input.name;
    this.rows = new Map(input.levels.map(({ name, rows }) => [name, rows]));
  }

  /** The text; "" for a gap. */
  value(value: unknown): string | Problem {
    const { has_missing, unseen } = this.input;
    if (isGap(value)) return has_missing ? "" : new Problem(this.required(value));
    const text = this.text(value);
    if (text === undefined) return new Problem(this.required(value));
    if (NOT_PASSED_ON.test(text)) {
      return new Problem(`found ${shown(value)}, with a character that onnxruntime does not take here`);
    }
    if (this.rows.has(text) || unseen !== "refuse") return text;
    const hint = likely(text, [...this.rows.keys()]);
    return new Problem(
      [`found ${shown(value)}, which no training row has`, this.known(), ...(hint ? [hint] : [])].join("; "),
    );
  }

  restored(value: number | string | null): string {
    return value === null ? "" : String(value);
  }

  isInRange(value: string): boolean {
    const { has_missing, missing_rows, unseen, rare_rows } = this.input;
    if (value === "") return has_missing && missing_rows > 0;
    return (this.rows.get(value) ?? (unseen === "rare" ? rare_rows : 0)) > 0;
  }

  data(values: readonly string[]): string[] {
    return [...values];
  }

  /** The text that a value stands for, as the pipeline reads it from tables of other types. */
  private text(value: unknown): string | undefined {
    if (typeof value === "string") return value;
    if (typeof value === "boolean" || typeof value === "bigint") return String(value);
    if (typeof value !== "number") return undefined;
    // JavaScript has one number for 4 and 4.0, which are two texts.
    const known = [String(value), `${value}.0`].find((text) => this.rows.has(text));
    return known ?? (Number.isSafeInteger(value) ? String(value) : undefined);
  }

  private required(value: unknown): string {
    const gap = this.input.has_missing ? ", or null for no value" : "";
    return `must be text${gap}, found ${shown(value)}; ${this.known()}`;
  }

  private known(): string {
    return `known are ${list([...this.rows.keys()])}`;
  }
}
