/** The page: type features, see the prediction, the fitted line, and whether the model is right. */

import { type Dtype, type Feature, type Model, type Rows, load } from "abline-client";

import { apart, parse, short, ticks } from "./numbers.js";

const POINTS = 65; // of a line that may be bent
const LETTER = 7; // pixels that a digit of an axis takes

function element<T extends Element>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no ${id}`);
  return found as unknown as T;
}

const message = element<HTMLElement>("message");
const badge = element<HTMLElement>("badge");
const along = element<HTMLSelectElement>("along");
const target = element<HTMLSelectElement>("target");

async function main(): Promise<void> {
  const model = await load(new URLSearchParams(location.search).get("model") ?? "models/");
  const title = `predict ${model.targets.join(", ")}`;
  element("title").textContent = title;
  document.title = title;
  const fields = model.contract.input.features.map((feature) => field(feature, model.dtype));
  choices(along, model.features);
  choices(target, model.targets);
  element<HTMLElement>("by").hidden = model.features.length === 1;
  element<HTMLElement>("of").hidden = model.targets.length === 1;
  element<HTMLElement>("band").hidden = !model.hasInterval;
  const source = model.contract.source;
  element("source").textContent =
    `training ${source.training_id} · opset ${model.contract.opset}` +
    (model.contract.onnxruntime ? ` · verified with onnxruntime ${model.contract.onnxruntime}` : "");
  const update = () => void show(model, fields).catch(fail);
  for (const control of [...fields.map(({ input }) => input), along, target]) {
    control.addEventListener("input", update);
  }
  element("features").addEventListener("submit", (event) => event.preventDefault());
  await show(model, fields);
  await prove(model);
  let width = innerWidth;
  addEventListener("resize", () => {
    if (width !== innerWidth) update(); // a phone's keyboard changes the height alone
    width = innerWidth;
  });
}

/** A feature's field, and the number that was typed into it, or a message. */
interface Field {
  readonly feature: Feature;
  readonly input: HTMLInputElement;
  readonly read: HTMLElement;
  readonly typed: () => number | string;
}

function field(feature: Feature, dtype: Dtype): Field {
  const label = document.createElement("label");
  const name = document.createElement("span");
  const read = document.createElement("i");
  const input = document.createElement("input");
  const range = document.createElement("small");
  // Not a field of numbers: browsers drop the commas that they do not expect, 3,5 becomes 35.
  input.type = "text";
  // Some phones show no minus among their digits.
  input.inputMode = feature.min < 0 ? "text" : "decimal";
  input.spellcheck = false;
  input.name = feature.name;
  const start = feature.mean ?? feature.min + (feature.max - feature.min) / 2;
  const rounded = Number(short(start));
  input.value = String(feature.min <= rounded && rounded <= feature.max ? rounded : start);
  const [low, high] = apart(feature.min, feature.max);
  range.textContent = `trained on ${low} to ${high}`;
  name.append(feature.name, " ", read);
  label.append(name, input, range);
  element("features").append(label);
  const typed = () => {
    const value = parse(input.value);
    const beyond = dtype === "float32" && !Number.isFinite(Math.fround(Number(value)));
    return typeof value === "number" && beyond ? `${input.value} is beyond ${dtype}` : value;
  };
  return { feature, input, read, typed };
}

function choices(select: HTMLSelectElement, names: readonly string[]): void {
  select.replaceChildren(...names.map((name, index) => new Option(name, String(index))));
}

/** The conformance badge: does this browser compute what was verified? */
async function prove(model: Model): Promise<void> {
  if (model.contract.golden === undefined) {
    badge.textContent = "no contract.json: nothing to check with";
    return;
  }
  const found = await model.conformance();
  badge.dataset.state = found.ok ? "ok" : "failed";
  badge.textContent =
    `${found.ok ? "✓" : "✗"} ${found.within} of ${found.vectors} golden vectors within their bounds`;
  badge.title =
    (found.ok
      ? "This browser computes what was verified when the model was made. "
      : "This browser does not compute what was verified when the model was made. ") +
    "Golden vectors are inputs that are hard to answer, with the right answers. Within its bound an" +
    " answer is off by no more than rounding explains." +
    ` To the last bit right: ${found.bitEqual} of ${found.vectors}.`;
}

/** Number of the newest request: a late answer to an earlier one is dropped. */
let asked = 0;

async function show(model: Model, fields: readonly Field[]): Promise<void> {
  const figure = element<HTMLElement>("plot").closest("figure");
  const number = ++asked;
  const row: number[] = [];
  let problem = "";
  for (const { feature, input, read, typed } of fields) {
    const value = typed();
    const wrong = typeof value === "string";
    input.setAttribute("aria-invalid", String(wrong));
    read.textContent = wrong || input.value.trim() === String(value) ? "" : `= ${value}`;
    const kept = model.dtype === "float32" ? Math.fround(Number(value)) : Number(value);
    const inside = feature.min <= kept && kept <= feature.max;
    input.parentElement?.classList.toggle("outside", !wrong && !inside);
    if (wrong) problem ||= `${feature.name}: ${value}.`;
    else row.push(value);
  }
  if (problem === "") {
    const [answer = []] = await model.predict([row]);
    const around = await ends(model, [row]);
    const drawn = await plot(model, row);
    if (number !== asked) return;
    if (answer.every(Number.isFinite)) {
      const inside = model.inRange([row])[0];
      message.textContent = inside ? "" : "Outside of what the model was trained on.";
      predictions(model, answer, around);
      element("plot").replaceChildren(...drawn);
      if (figure) figure.hidden = drawn.length === 0;
      figure?.classList.remove("old");
      return;
    }
    problem = `The answer is beyond ${model.dtype}.`;
  }
  // What was drawn stays where it is, only paler: nothing jumps while a number is typed.
  message.textContent = problem;
  predictions(model, [], undefined);
  figure?.classList.add("old");
}

type Ends = Awaited<ReturnType<Model["interval"]>>;

/** The interval of each row, if the model has one. */
async function ends(model: Model, rows: Rows): Promise<Ends | undefined> {
  return model.hasInterval ? model.interval(rows) : undefined;
}

function predictions(
  { targets, hasInterval }: Model,
  answer: readonly number[],
  around: Ends | undefined,
): void {
  element("predictions").replaceChildren(
    ...targets.flatMap((name, index) => {
      const term = document.createElement("dt");
      const value = document.createElement("dd");
      const found = answer[index];
      term.textContent = name;
      value.textContent = found === undefined ? "–" : short(found);
      value.dataset.value = found === undefined ? "" : String(found);
      if (hasInterval) {
        const interval = document.createElement("small");
        const low = around?.low[0]?.[index];
        const high = around?.high[0]?.[index];
        const known = low !== undefined && high !== undefined;
        interval.textContent = `95 % prediction interval: ${known ? `${short(low)} to ${short(high)}` : "–"}`;
        value.append(interval);
      }
      return [term, value];
    }),
  );
}

/** The prediction along one feature, the others as typed; nothing where it is not finite. */
async function plot(model: Model, row: readonly number[]): Promise<SVGElement[]> {
  const column = Number(along.value);
  const index = Number(target.value);
  const feature = model.contract.input.features[column];
  const here = row[column];
  if (feature === undefined || here === undefined) return [];
  const reach = (feature.max - feature.min || Math.abs(feature.min) || 1) / 4;
  const low = Math.min(feature.min - reach, here);
  const high = Math.max(feature.max + reach, here);
  const xs = Array.from({ length: POINTS }, (_, i) => low + ((high - low) * i) / (POINTS - 1));
  const rows = [...xs, here].map((value) => row.map((other, i) => (i === column ? value : other)));
  if (model.dtype === "float32" && !rows.flat().every((x) => Number.isFinite(Math.fround(x)))) return [];
  const ofTarget = (answers: readonly (readonly number[])[]) =>
    answers.map((answer) => answer[index] ?? NaN);
  const ys = ofTarget(await model.predict(rows));
  const around = await ends(model, rows);
  const lows = around ? ofTarget(around.low) : ys;
  const highs = around ? ofTarget(around.high) : ys;
  const bottom = Math.min(...lows);
  const top = Math.max(...highs) > bottom ? Math.max(...highs) : bottom + 1;
  if (!Number.isFinite(top - bottom) || !Number.isFinite(high - low)) return [];
  // In pixels of the page, so that letters have the size that the style sheet gives them.
  const { width, height } = size();
  const marks = ticks(bottom, top, 6);
  const letters = Math.max(3, ...marks.map(({ label }) => label.length));
  const frame = { left: 12 + LETTER * letters, right: width - 12, top: 26, bottom: height - 40 };
  const x = (value: number) => frame.left + ((value - low) / (high - low)) * (frame.right - frame.left);
  const y = (value: number) =>
    frame.bottom - ((value - bottom) / (top - bottom)) * (frame.bottom - frame.top);
  const path = (values: readonly number[]) =>
    xs.map((value, i) => `${x(value).toFixed(1)},${y(values[i] ?? NaN).toFixed(1)}`);
  const { left, right } = frame;
  // As many as have room beside each other.
  const below =
    [8, 7, 6, 5, 4]
      .map((most) => ticks(low, high, most))
      .find((found) => found.every(({ label }) => (label.length + 2) * LETTER * found.length < right - left)) ??
    [];
  return [
    shape("rect", {
      class: "range",
      x: x(feature.min),
      y: frame.top,
      width: Math.max(1, x(feature.max) - x(feature.min)),
      height: frame.bottom - frame.top,
    }),
    ...below.map(({ value }) => shape("line", { x1: x(value), x2: x(value), y1: frame.top, y2: frame.bottom })),
    ...marks.map(({ value }) => shape("line", { x1: left, x2: right, y1: y(value), y2: y(value) })),
    shape("rect", {
      class: "frame",
      x: left,
      y: frame.top,
      width: right - left,
      height: frame.bottom - frame.top,
    }),
    ...(around
      ? [shape("polygon", { class: "interval", points: [...path(lows), ...path(highs).reverse()].join(" ") })]
      : []),
    shape("polyline", { class: "fit", points: path(ys).join(" ") }),
    shape("circle", { class: "here", cx: x(here), cy: y(ys[POINTS] ?? NaN), r: 5 }),
    ...below.map(({ value, label }) =>
      text(label, { x: x(value), y: frame.bottom + 16, "text-anchor": "middle" }),
    ),
    ...marks.map(({ value, label }) => text(label, { x: left - 6, y: y(value) + 4, "text-anchor": "end" })),
    text(feature.name, { x: (left + right) / 2, y: height - 6, "text-anchor": "middle" }),
    text(model.targets[index] ?? "", { x: left, y: 16 }),
  ];
}

/** The drawing's size in pixels; its coordinates are made to be the same. */
function size(): { width: number; height: number } {
  const svg = element<SVGSVGElement>("plot");
  const figure = svg.closest("figure");
  const hidden = figure?.hidden ?? false;
  if (figure) figure.hidden = false; // what is hidden has no size
  const box = svg.getBoundingClientRect();
  if (figure) figure.hidden = hidden;
  // A window that is being closed may be almost zero pixels wide.
  const [width, height] = [Math.max(200, box.width), Math.max(150, box.height)];
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  return { width, height };
}

function shape(name: string, attributes: Record<string, string | number>): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

function text(content: string, attributes: Record<string, string | number>): SVGElement {
  const made = shape("text", attributes);
  made.textContent = content;
  return made;
}

function fail(error: unknown): void {
  message.textContent = error instanceof Error ? error.message : String(error);
  badge.dataset.state = "failed";
  badge.textContent = "✗ not verified";
  if (document.querySelector("dd") === null) element("title").textContent = "No model";
}

main().catch(fail);
