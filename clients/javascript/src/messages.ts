/** Parts of messages: names, values, numbers with their nouns, and what may have been meant. */

/** A name for which likely matches are sought has no more characters; the search takes its square. */
const LONGEST_NAME = 100;

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

/** A value of a contract for a message. */
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

/** A caller's value for a message. */
export function shown(value: unknown): string {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "an invalid Date" : value.toISOString();
  return value === undefined || typeof value === "number" ? String(value) : short(value);
}

/** A number as Python writes it, so that both clients say the same. */
export function number(value: number): string {
  return String(value).replace(/e([+-])(\d)$/, "e$10$2");
}

/** A message: the missing columns, the columns that are there, and likely matches. */
export function noColumn(missing: readonly string[], there: readonly string[]): string {
  const near = missing.slice(0, 3).flatMap((name) => likely(name, there) ?? []);
  const first = missing.length === 1 ? "there is no column" : "there are no columns";
  return [`${first} ${list(missing)}`, `found ${list(there)}`, ...near].join("; ");
}

/** Which of the names in `there` may be meant for `name`; undefined if none is like it. */
export function likely(name: string, there: readonly string[]): string | undefined {
  const same = there.filter((each) => each.normalize() === name.normalize());
  if (same.length > 0) {
    return `${list(same)} looks the same but is written with other characters (normalize() makes them equal)`;
  }
  const close = nearest(name, there);
  return close === undefined ? undefined : `is ${list([close])} meant for ${list([name])}?`;
}

/** The name in `there` that is most like `name`, in any case; undefined if none is. */
function nearest(name: string, there: readonly string[]): string | undefined {
  if (name.length > LONGEST_NAME) return undefined;
  const most = Math.max(1, name.length / 3);
  const [close] = there
    .filter((each) => Math.abs(each.length - name.length) <= most)
    .map((each) => ({ each, edits: distance(each.toLowerCase(), name.toLowerCase()) }))
    .filter(({ edits }) => edits <= most)
    .sort((a, b) => a.edits - b.edits);
  return close?.each;
}

/** The number of letters to change, leave out or add. */
function distance(a: string, b: string): number {
  let before = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const now = [row];
    for (let column = 1; column <= b.length; column++) {
      const changed = (before[column - 1] ?? 0) + Number(a[row - 1] !== b[column - 1]);
      now.push(Math.min(changed, (before[column] ?? 0) + 1, (now[column - 1] ?? 0) + 1));
    }
    before = now;
  }
  return before[b.length] ?? 0;
}
