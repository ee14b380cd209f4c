/** The page: fill in the columns, see the prediction, what it depends on, and whether the model is right. */

import { type Model, load } from "abline-client";

import { type Field, field } from "./fields.js";
import { levels } from "./levels.js";
import { short } from "./numbers.js";
import { type Row, line } from "./plot.js";

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
  const fields = model.inputs.map((input) => field(input, model));
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
  for (const control of [...fields.map(({ control }) => control), along, target]) {
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
  const values: [string, unknown][] = [];
  let problem = "";
  for (const { input, typed } of fields) {
    const read = typed();
    if ("problem" in read) problem ||= `${input.name}: ${read.problem}.`;
    else values.push([input.name, read.value]);
  }
  if (problem === "") {
    const row: Row = Object.fromEntries(values);
    const [answer = []] = await model.predict([row]);
    const around = model.hasInterval ? await model.interval([row]) : undefined;
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

/** The drawing along the chosen column. */
async function plot(model: Model, row: Row): Promise<SVGElement[]> {
  const input = model.inputs[Number(along.value)];
  if (input === undefined) return [];
  const svg = element<SVGSVGElement>("plot");
  const isCategory = input.kind === "category";
  element<HTMLElement>("range").hidden = isCategory;
  svg.setAttribute("aria-label", isCategory ? "the answer for each level" : "the fitted line");
  const index = Number(target.value);
  return isCategory ? levels(model, input, row, index, svg) : line(model, input, row, index, svg);
}

type Ends = Awaited<ReturnType<Model["interval"]>>;

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

function fail(error: unknown): void {
  message.textContent = error instanceof Error ? error.message : String(error);
  badge.dataset.state = "failed";
  badge.textContent = "✗ not verified";
  if (document.querySelector("dd") === null) element("title").textContent = "No model";
}

main().catch(fail);
