/** The drawing: the prediction along one column, where the other columns are as typed. */

import type { DateInput, Model, NumberInput } from "abline-client";

import { dateTicks, isoText, millisecondsPer } from "./dates.js";
import { type Tick, ticks } from "./numbers.js";
import { shape, size, text } from "./svg.js";

const POINTS = 65; // of a line that may be bent
const DAYS = 400; // points of a line along dates, at most: each month may have a step
const LETTER = 7; // pixels that a digit of an axis takes

/** A record: the value of each column by its name. */
export type Row = Readonly<Record<string, unknown>>;

/** Answers for one target, with the ends of their intervals; the answers themselves without one. */
export interface Answers {
  readonly ys: readonly number[];
  readonly lows: readonly number[];
  readonly highs: readonly number[];
}

/** The answers to rows for one target. */
export async function answersTo(model: Model, rows: readonly Row[], target: number): Promise<Answers> {
  const ofTarget = (answers: readonly (readonly number[])[]) => answers.map((each) => each[target] ?? NaN);
  const ys = ofTarget(await model.predict(rows));
  if (!model.hasInterval) return { ys, lows: ys, highs: ys };
  const { low, high } = await model.interval(rows);
  return { ys, lows: ofTarget(low), highs: ofTarget(high) };
}

/** An axis along a column of numbers or dates. */
interface Axis {
  readonly low: number;
  readonly high: number;
  readonly xs: readonly number[];
  /** The place of the typed value; undefined where there is none. */
  readonly here: number | undefined;
  /** The value of the column at a place. */
  readonly value: (x: number) => unknown;
  readonly ticks: (most: number) => Tick[];
}

function axis(input: NumberInput | DateInput, typed: unknown): Axis {
  const here = input.kind === "number" ? (typed as number | null) : moment(String(typed), input);
  const reach = (input.max - input.min || (input.kind === "number" ? Math.abs(input.min) : 0) || 1) / 4;
  const at = here ?? input.min;
  const [low, high] = [Math.min(input.min - reach, at), Math.max(input.max + reach, at)];
  if (input.kind === "number") {
    const xs = Array.from({ length: POINTS }, (_, i) => low + ((high - low) * i) / (POINTS - 1));
    const marks = (most: number) => ticks(low, high, most);
    return { low, high, xs, here: here ?? undefined, value: (x) => x, ticks: marks };
  }
  const [first, last] = [Math.floor(low), Math.ceil(high)];
  const step = Math.max(1, Math.ceil((last - first) / DAYS));
  const xs = Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, i) => first + i * step);
  const marks = (most: number) => dateTicks(low, high, input.unit, most);
  const value = (x: number) => isoText(x, input.unit);
  return { low, high, xs, here: at, value, ticks: marks };
}

/** Days or seconds since 1970-01-01 of what a field of dates holds. */
function moment(typed: string, { unit }: DateInput): number {
  // A text without a time is read in UTC; one with a time would be read in the zone of this machine.
  return Date.parse(unit === "days" ? typed : `${typed}Z`) / millisecondsPer(unit);
}

/** The line along a column of numbers or dates; nothing where an answer is not finite. */
export async function line(
  model: Model,
  input: NumberInput | DateInput,
  row: Row,
  target: number,
  svg: SVGSVGElement,
): Promise<SVGElement[]> {
  const along = axis(input, row[input.name]);
  const { low, high, xs, here } = along;
  const places = here === undefined ? xs : [...xs, here];
  const known = places.map((x) => model.check(input.name, along.value(x)).problem === undefined);
  if (input.kind === "number" && !known.every(Boolean)) return [];
  const rows = places
    .filter((_, i) => known[i])
    .map((x) => ({ ...row, [input.name]: along.value(x) }));
  if (rows.length === 0) return [];
  const answers = await answersTo(model, rows, target);
  const bottom = Math.min(...answers.lows);
  const top = Math.max(...answers.highs) > bottom ? Math.max(...answers.highs) : bottom + 1;
  if (!Number.isFinite(top - bottom) || !Number.isFinite(high - low)) return [];
  // In pixels of the page, so that letters have the size that the style sheet gives them.
  const { width, height } = size(svg);
  const marks = ticks(bottom, top, 6);
  const letters = Math.max(3, ...marks.map(({ label }) => label.length));
  const frame = { left: 12 + LETTER * letters, right: width - 12, top: 26, bottom: height - 40 };
  const { left, right } = frame;
  const x = (value: number) => left + ((value - low) / (high - low)) * (right - left);
  const y = (value: number) => frame.bottom - ((value - bottom) / (top - bottom)) * (frame.bottom - frame.top);
  // As many as have room beside each other.
  const below =
    [8, 7, 6, 5, 4, 3, 2]
      .map((most) => along.ticks(most))
      .find((all) => all.every(({ label }) => (label.length + 2) * LETTER * all.length < right - left)) ?? [];
  const box = { x: left, y: frame.top, width: right - left, height: frame.bottom - frame.top };
  const inside = { x: x(input.min), width: Math.max(1, x(input.max) - x(input.min)) };
  return [
    shape("rect", { ...box, ...inside, class: "range" }),
    ...below.map(({ value }) => shape("line", { x1: x(value), x2: x(value), y1: frame.top, y2: frame.bottom })),
    ...marks.map(({ value }) => shape("line", { x1: left, x2: right, y1: y(value), y2: y(value) })),
    shape("rect", { ...box, class: "frame" }),
    ...curve(xs, known, answers, model.hasInterval, x, y),
    ...(here === undefined
      ? []
      : [shape("circle", { class: "here", cx: x(here), cy: y(answers.ys.at(-1) ?? NaN), r: 5 })]),
    ...below.map(({ value, label }) =>
      text(label, { x: x(value), y: frame.bottom + 16, "text-anchor": "middle" }),
    ),
    ...marks.map(({ value, label }) => text(label, { x: left - 6, y: y(value) + 4, "text-anchor": "end" })),
    text(input.name, { x: (left + right) / 2, y: height - 6, "text-anchor": "middle" }),
    text(model.targets[target] ?? "", { x: left, y: 16 }),
  ];
}

/** The line and its band; broken where the model has no answer. known: for each x. */
function curve(
  xs: readonly number[],
  known: readonly boolean[],
  { ys, lows, highs }: Answers,
  hasInterval: boolean,
  x: (value: number) => number,
  y: (value: number) => number,
): SVGElement[] {
  const [low, high] = [xs[0] ?? NaN, xs.at(-1) ?? NaN];
  const parts: number[][] = [];
  xs.forEach((_, i) => {
    if (!known[i]) return;
    if (i > 0 && known[i - 1]) parts.at(-1)?.push(i);
    else parts.push([i]);
  });
  // The answers are those of the known places alone.
  let answered = 0;
  const answer = known.map((each) => (each ? answered++ : -1));
  const path = (part: readonly number[], values: readonly number[]) =>
    part.flatMap((i) => {
      const at = xs[i] ?? NaN;
      const height = y(values[answer[i] ?? -1] ?? NaN).toFixed(1);
      // A place alone has no line of its own: half of the way to its neighbours on each side.
      const half = part.length > 1 ? 0 : ((xs[1] ?? at) - (xs[0] ?? at)) / 2;
      const places = half > 0 ? [Math.max(low, at - half), Math.min(high, at + half)] : [at];
      return places.map((each) => `${x(each).toFixed(1)},${height}`);
    });
  const bands = parts.map((part) =>
    shape("polygon", {
      class: "interval",
      points: [...path(part, lows), ...path(part, highs).reverse()].join(" "),
    }),
  );
  const lines = parts.map((part) => shape("polyline", { class: "fit", points: path(part, ys).join(" ") }));
  return [...(hasInterval ? bands : []), ...lines];
}
