/** The drawing along a category: a line for each of its levels, with the answer and its interval. */

import type { CategoryInput, Model } from "abline-client";

import { choicesOf } from "./fields.js";
import { ticks } from "./numbers.js";
import { type Row, answersTo } from "./plot.js";
import { shape, size, text } from "./svg.js";

const MOST = 40; // levels in the drawing
const LINE = 26; // pixels from one level to the next
const LETTER = 7; // pixels that a letter takes, at most

/** The answers for each level, where the other columns are as typed; nothing where one is not finite. */
export async function levels(
  model: Model,
  input: CategoryInput,
  row: Row,
  target: number,
  svg: SVGSVGElement,
): Promise<SVGElement[]> {
  const choices = shownChoices(input, row[input.name]);
  const rows = choices.map(({ value }) => ({ ...row, [input.name]: value }));
  const { ys, lows, highs } = await answersTo(model, rows, target);
  const low = Math.min(...lows);
  const high = Math.max(...highs);
  if (!Number.isFinite(high - low)) return [];
  const room = (high - low || Math.abs(high) || 1) / 20;
  const [first, last] = [low - room, high + room];
  const { width, height } = size(svg, 66 + LINE * choices.length);
  const letters = Math.max(...choices.map(({ label }) => [...label].length));
  const most = Math.max(4, Math.min(letters, Math.floor((0.35 * width) / LETTER)));
  const frame = { left: 14 + LETTER * most, right: width - 12, top: 26, bottom: height - 40 };
  const { left, right } = frame;
  const x = (value: number) => left + ((value - first) / (last - first)) * (right - left);
  const y = (index: number) => frame.top + LINE * (index + 0.5);
  const below =
    [8, 7, 6, 5, 4, 3, 2]
      .map((count) => ticks(first, last, count))
      .find((all) => all.every(({ label }) => (label.length + 2) * LETTER * all.length < right - left)) ?? [];
  return [
    ...below.map(({ value }) => shape("line", { x1: x(value), x2: x(value), y1: frame.top, y2: frame.bottom })),
    ...choices.map((_, i) => shape("line", { x1: left, x2: right, y1: y(i), y2: y(i) })),
    shape("rect", {
      class: "frame",
      x: left,
      y: frame.top,
      width: right - left,
      height: frame.bottom - frame.top,
    }),
    ...(model.hasInterval
      ? choices.map((_, i) => {
          const [from, to] = [x(lows[i] ?? NaN), x(highs[i] ?? NaN)];
          return shape("rect", { class: "interval", x: from, width: to - from, y: y(i) - 6, height: 12, rx: 3 });
        })
      : []),
    ...choices.map(({ value }, i) => {
      const here = value === row[input.name];
      return shape("circle", { class: here ? "here" : "level", cx: x(ys[i] ?? NaN), cy: y(i), r: here ? 6 : 4 });
    }),
    ...choices.map(({ label }, i) => text(label, { x: left - 6, y: y(i) + 4, "text-anchor": "end" }, most)),
    ...below.map(({ value, label }) =>
      text(label, { x: x(value), y: frame.bottom + 16, "text-anchor": "middle" }),
    ),
    text(model.targets[target] ?? "", { x: (left + right) / 2, y: height - 6, "text-anchor": "middle" }),
    text(input.name, { x: 0, y: 16 }),
  ];
}

/** All choices, or those of the most training rows and the one that is chosen. */
function shownChoices(input: CategoryInput, chosen: unknown): ReturnType<typeof choicesOf> {
  const choices = choicesOf(input);
  if (choices.length <= MOST) return choices;
  const rows = new Map<string | null, number>(input.levels.map((level) => [level.name, level.rows]));
  const largest = [...choices]
    .sort((a, b) => (rows.get(b.value) ?? 0) - (rows.get(a.value) ?? 0))
    .slice(0, MOST);
  return choices.filter((each) => largest.includes(each) || each.value === chosen);
}
