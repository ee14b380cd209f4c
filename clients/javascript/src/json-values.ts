/**
 * Values of a contract: each is returned if it is of the right form, or refused with its place.
 *
 * Each function takes the value and `where` it is, such as "outputs[0].name", and throws Wrong with
 * what is there and what is allowed.
 */

import { count, list, short } from "./messages.js";

/** A mistake in a part of a contract; `parse` and `checkVectors` add the file's name. */
export class Wrong extends Error {}

export function anObject(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  return refuse(where, value, "an object");
}

/** empty: true if the list may be empty. */
export function aList(value: unknown, where: string, empty = false): unknown[] {
  if (Array.isArray(value) && (empty || value.length > 0)) return value;
  return refuse(where, value, empty ? "a list" : "a list that is not empty");
}

export function aText(value: unknown, where: string): string {
  return typeof value === "string" ? value : refuse(where, value, "text");
}

export function aBoolean(value: unknown, where: string): boolean {
  return typeof value === "boolean" ? value : refuse(where, value, "true or false");
}

export function oneOf(value: unknown, allowed: readonly string[], where: string): string {
  return allowed.includes(value as string) ? String(value) : refuse(where, value, allowed.join(" or "));
}

export function aNumber(value: unknown, where: string): number {
  return typeof value === "number" && Number.isFinite(value)
    ? value
    : refuse(where, value, "a finite number");
}

export function anInteger(value: unknown, where: string, least = -Infinity): number {
  if (Number.isInteger(value) && Number(value) >= least) return Number(value);
  return refuse(where, value, Number.isFinite(least) ? `an integer from ${least}` : "an integer");
}

/** Check that an input or an output has these dimensions. */
export function aShape(value: unknown, shape: readonly unknown[], where: string): void {
  const required = JSON.stringify(shape);
  if (JSON.stringify(value) !== required) refuse(where, value, required.replaceAll(",", ", "));
}

/** Check that no name is there twice. */
export function different(names: readonly string[], where: string): void {
  const seen = new Set<string>();
  const twice = names.filter((name) => seen.size === seen.add(name).size);
  if (twice.length > 0) throw new Wrong(`${where}: found ${list([...new Set(twice)])} twice`);
}

/** Numbers, [rows][columns]; gaps: true if null is allowed. */
export function aTable(
  value: unknown,
  rows: number,
  columns: number,
  where: string,
  gaps = false,
): (number | null)[][] {
  const table = aList(value, where);
  if (table.length !== rows) {
    throw new Wrong(`${where}: found ${count(table.length, "row")}, must be ${rows}`);
  }
  table.forEach((each, index) => {
    const row = aList(each, `${where}[${index}]`);
    if (row.length !== columns) {
      throw new Wrong(`${where}[${index}]: found ${count(row.length, "number")}, must be ${columns}`);
    }
    row.forEach((cell, column) => {
      if (!(gaps && cell === null)) aNumber(cell, `${where}[${index}][${column}]`);
    });
  });
  return table as (number | null)[][];
}

export function refuse(where: string, value: unknown, allowed: string): never {
  throw new Wrong(`${list([where])}: found ${short(value)}, must be ${allowed}`);
}

