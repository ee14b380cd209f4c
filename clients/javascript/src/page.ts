/** The page: type features, see the prediction, the fitted line, and whether the model is right. */

import { type Feature, InputError, type Model, type Rows, load } from "abline-client";

const POINTS = 65; // of a line that may be bent
const HEIGHT = 320;
const FRAME = { left: 64, right: 624, top: 12, bottom: 276 };

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
  element("title").textContent = model.targets.join(", ");
  document.title = `${model.targets.join(", ")}: a model that proves its answers`;
  const inputs = model.contract.input.features.map((feature) => field(feature));
  choices(along, model.features);
  choices(target, model.targets);
  element<HTMLElement>("of").hidden = model.targets.length === 1;
  const source = model.contract.source;
  element("source").textContent =
    `training ${source.training_id} · opset ${model.contract.opset}` +
    (model.contract.onnxruntime ? ` · verified with onnxruntime ${model.contract.onnxruntime}` : "");
  const update = () => void show(model, inputs).catch(fail);
  for (const control of [...inputs, along, target]) control.addEventListener("input", update);
  element("features").addEventListener("submit", (event) => event.preventDefault());
  await show(model, inputs);
  await prove(model);
}

function field(feature: Feature): HTMLInputElement {
  const label = document.createElement("label");
  const input = document.createElement("input");
  input.type = "number";
  input.step = "any";
  input.name = feature.name;
  const middle = feature.min + (feature.max - feature.min) / 2;
  const short = round(middle);
  input.value = String(feature.min <= short && short <= feature.max ? short : middle);
  const range = document.createElement("small");
  const [low, high] = apart(feature.min, feature.max);
  range.textContent = `trained on ${low} to ${high}`;
  label.append(feature.name, input, range);
  element("features").append(label);
  return input;
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
  badge.title =
    "Inputs that are hard to answer, with the right answers. Within its bound an answer is off by" +
    " no more than rounding explains; bit-equal, by nothing.";
  const found = await model.conformance();
  badge.dataset.state = found.ok ? "ok" : "failed";
  badge.textContent =
    `${found.ok ? "✓" : "✗"} ${found.within} of ${found.vectors} golden vectors within their bounds,` +
    ` ${found.bitEqual} bit-equal`;
}

/** How often something was typed or chosen: answers to what is no longer asked are dropped. */
let asked = 0;

async function show(model: Model, inputs: readonly HTMLInputElement[]): Promise<void> {
  const row = inputs.map((input) => input.valueAsNumber);
  const figure = element("plot").closest("figure");
  const number = ++asked;
  try {
    const [answer = []] = await model.predict([row]);
    if (!answer.every(Number.isFinite)) {
      throw new InputError(`The answer is beyond ${model.contract.input.dtype}.`);
    }
    const around = await ends(model, [row]);
    const drawn = await plot(model, row);
    if (number !== asked) return;
    message.textContent = model.inRange([row])[0] ? "" : "Outside of what the model was trained on.";
    predictions(model.targets, answer, around);
    model.contract.input.features.forEach(({ min, max }, column) => {
      const typed = row[column] ?? NaN;
      const value = model.contract.input.dtype === "float32" ? Math.fround(typed) : typed;
      inputs[column]?.parentElement?.classList.toggle("outside", !(min <= value && value <= max));
    });
    element("plot").replaceChildren(...drawn);
    if (figure) figure.hidden = false;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    if (number !== asked) return;
    const empty = inputs.find((input) => Number.isNaN(input.valueAsNumber));
    message.textContent = empty ? `${empty.name}: type a number.` : error.message;
    predictions(model.targets, [], undefined);
    if (figure) figure.hidden = true;
  }
}

type Ends = Awaited<ReturnType<Model["interval"]>>;

/** The interval of each row, if the model has one. */
async function ends(model: Model, rows: Rows): Promise<Ends | undefined> {
  return model.hasInterval ? model.interval(rows) : undefined;
}

function predictions(
  targets: readonly string[],
  answer: readonly number[],
  around: Ends | undefined,
): void {
  element("predictions").replaceChildren(
    ...targets.flatMap((name, index) => {
      const term = document.createElement("dt");
      const value = document.createElement("dd");
      const found = answer[index];
      term.textContent = name;
      value.textContent = found === undefined ? "–" : String(round(found));
      value.dataset.value = found === undefined ? "" : String(found);
      const low = around?.low[0]?.[index];
      const high = around?.high[0]?.[index];
      if (low !== undefined && high !== undefined) {
        const interval = document.createElement("small");
        interval.textContent = `95 %: ${round(low)} to ${round(high)}`;
        value.append(" ", interval);
      }
      return [term, value];
    }),
  );
}

/** The prediction along one feature, the others as typed. */
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
  const ofTarget = (answers: readonly (readonly number[])[]) =>
    answers.map((answer) => answer[index] ?? NaN);
  const ys = ofTarget(await model.predict(rows));
  const around = await ends(model, rows);
  const lows = around ? ofTarget(around.low) : ys;
  const highs = around ? ofTarget(around.high) : ys;
  const bottom = Math.min(...lows);
  const top = Math.max(...highs) > bottom ? Math.max(...highs) : bottom + 1;
  const x = (value: number) =>
    FRAME.left + ((value - low) / (high - low)) * (FRAME.right - FRAME.left);
  const y = (value: number) =>
    FRAME.bottom - ((value - bottom) / (top - bottom)) * (FRAME.bottom - FRAME.top);
  const path = (values: readonly number[]) =>
    xs.map((value, i) => `${x(value).toFixed(1)},${y(values[i] ?? NaN).toFixed(1)}`);
  const middle = (FRAME.left + FRAME.right) / 2;
  const [from, to] = apart(low, high);
  const [least, most] = apart(bottom, top);
  return [
    shape("rect", {
      class: "range",
      x: x(feature.min),
      y: FRAME.top,
      width: Math.max(1, x(feature.max) - x(feature.min)),
      height: FRAME.bottom - FRAME.top,
    }),
    shape("rect", {
      class: "frame",
      x: FRAME.left,
      y: FRAME.top,
      width: FRAME.right - FRAME.left,
      height: FRAME.bottom - FRAME.top,
    }),
    ...(around
      ? [shape("polygon", { class: "interval", points: [...path(lows), ...path(highs).reverse()].join(" ") })]
      : []),
    shape("polyline", { class: "fit", points: path(ys).join(" ") }),
    shape("circle", { class: "here", cx: x(here), cy: y(ys[POINTS] ?? NaN), r: 5 }),
    text(from, { x: FRAME.left, y: FRAME.bottom + 18, "text-anchor": "middle" }),
    text(to, { x: FRAME.right, y: FRAME.bottom + 18, "text-anchor": "end" }),
    text(`${feature.name} (grey: trained on${around ? "; blue: 95 %" : ""})`, {
      x: middle,
      y: HEIGHT - 8,
      "text-anchor": "middle",
    }),
    text(most, { x: FRAME.left - 8, y: FRAME.top + 10, "text-anchor": "end" }),
    text(least, { x: FRAME.left - 8, y: FRAME.bottom, "text-anchor": "end" }),
    text(model.targets[index] ?? "", { x: FRAME.left - 8, y: 150, "text-anchor": "end" }),
  ];
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

/** As many digits as a person reads. */
function round(value: number): number {
  return Number(value.toPrecision(6));
}

/** Two numbers, each with as many digits as it takes to tell them apart. */
function apart(a: number, b: number): [string, string] {
  const share = Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b), Number.MIN_VALUE);
  const digits = Math.min(17, Math.max(6, 3 - Math.floor(Math.log10(share || 1))));
  return [String(Number(a.toPrecision(digits))), String(Number(b.toPrecision(digits)))];
}

function fail(error: unknown): void {
  message.textContent = error instanceof Error ? error.message : String(error);
  badge.dataset.state = "failed";
  badge.textContent = "✗ not verified";
  if (document.querySelector("dd") === null) element("title").textContent = "No model";
}

main().catch(fail);
