/** The fields of the form: a box for a number, a list of levels, a date. */

import type { CategoryInput, DateInput, Input, Model, NumberInput } from "abline-client";

import { isoText, millisecondsPer } from "./dates.js";
import { apart, parse, short } from "./numbers.js";

/** The value of a field, or what is wrong with it. */
export type Typed = { readonly value: unknown } | { readonly problem: string };

/** A field of the form. */
export interface Field {
  readonly input: Input;
  readonly control: HTMLInputElement | HTMLSelectElement;
  /** The value now; what is said about it beside the field is brought up to date. */
  readonly typed: () => Typed;
}

/** The field for a column. */
export function field(input: Input, model: Model): Field {
  if (input.kind === "number") return numberField(input, model);
  return input.kind === "category" ? categoryField(input, model) : dateField(input, model);
}

/** The choices of a category: its levels, no value, and a level that no training row has. */
export function choicesOf(input: CategoryInput): { value: string | null; label: string; note: string }[] {
  const { levels, missing_rows, has_missing, unseen, rare_rows, reference } = input;
  const all = levels.reduce((sum, { rows }) => sum + rows, rare_rows + (has_missing ? missing_rows : 0));
  const of = (rows: number) => `${rows} of ${all} training rows`;
  // A text that is no level.
  let another = "another";
  while (levels.some(({ name }) => name === another)) another += "…";
  const asReference = `answered as ${reference === "(missing)" ? "no value" : reference}`;
  const note = unseen === "rare" ? `answered as rare: ${of(rare_rows)}` : asReference;
  return [
    ...levels.map(({ name, rows }) => ({ value: name, label: name, note: of(rows) })),
    ...(has_missing ? [{ value: null, label: "– no value –", note: of(missing_rows) }] : []),
    ...(unseen === "refuse" ? [] : [{ value: another, label: "– another –", note }]),
  ];
}

function numberField(input: NumberInput, model: Model): Field {
  const box = document.createElement("input");
  const { note, read, label } = labelled(input, box);
  // Not a field of numbers: browsers drop the commas that they do not expect, 3,5 becomes 35.
  box.type = "text";
  // Some phones show no minus among their digits.
  box.inputMode = input.min < 0 ? "text" : "decimal";
  box.spellcheck = false;
  const rounded = Number(short(input.mean));
  box.value = String(input.min <= rounded && rounded <= input.max ? rounded : input.mean);
  const [low, high] = apart(input.min, input.max);
  note.textContent = `trained on ${low} to ${high}${input.fill === null ? "" : "; may be empty"}`;
  if (input.fill !== null) box.placeholder = "no value";
  const typed = (): Typed => {
    const empty = box.value.trim() === "" && input.fill !== null;
    const value = empty ? null : parse(box.value);
    read.textContent = typeof value !== "number" || box.value.trim() === String(value) ? "" : `= ${value}`;
    if (typeof value === "string") return { problem: value };
    if (typeof value === "number" && input.dtype === "float32" && !Number.isFinite(Math.fround(value))) {
      return { problem: `${box.value} is beyond ${input.dtype}` };
    }
    return { value };
  };
  return checked({ input, control: box, typed }, label, model);
}

function categoryField(input: CategoryInput, model: Model): Field {
  const select = document.createElement("select");
  const { note, label } = labelled(input, select);
  const choices = choicesOf(input);
  select.replaceChildren(...choices.map((each, index) => new Option(each.label, String(index))));
  const most = Math.max(...input.levels.map(({ rows }) => rows));
  select.value = String(Math.max(0, input.levels.findIndex(({ rows }) => rows === most)));
  const typed = (): Typed => {
    const choice = choices[Number(select.value)];
    note.textContent = choice?.note ?? "";
    return { value: choice?.value ?? null };
  };
  return checked({ input, control: select, typed }, label, model);
}

function dateField(input: DateInput, model: Model): Field {
  const box = document.createElement("input");
  const { note, label } = labelled(input, box);
  const days = input.unit === "days";
  box.type = days ? "date" : "datetime-local";
  box.value = isoText(start(input, model), input.unit);
  // With hyphens at which no line is broken.
  const [low, high] = [input.min, input.max].map((each) =>
    isoText(each, input.unit).replace("T", " ").replaceAll("-", "\u2011"),
  );
  note.textContent = `trained on ${low} to ${high}${days ? "" : ", UTC"}`;
  const typed = (): Typed => {
    if (box.value === "") return { problem: days ? "choose a date" : "choose a date and a time" };
    const { problem } = model.check(input.name, box.value);
    return problem === undefined ? { value: box.value } : { problem };
  };
  return checked({ input, control: box, typed }, label, model);
}

/** The day nearest to the middle of the training rows that the model answers. */
function start({ name, unit, min, max }: DateInput, model: Model): number {
  const day = 86_400_000 / millisecondsPer(unit);
  const middle = Math.floor((min + max) / 2);
  // Each month and each weekday comes within a year.
  for (let away = 0; away <= 366; away++) {
    for (const moment of [middle - away * day, middle + away * day]) {
      if (model.check(name, isoText(moment, unit)).problem === undefined) return moment;
    }
  }
  return middle;
}

/** A label in the form with a control, a place for the number as it is read, and one for a note. */
function labelled(
  { name }: Input,
  control: HTMLInputElement | HTMLSelectElement,
): { label: HTMLElement; read: HTMLElement; note: HTMLElement } {
  const label = document.createElement("label");
  const title = document.createElement("span");
  const read = document.createElement("i");
  const note = document.createElement("small");
  control.name = name;
  title.append(name, " ", read);
  label.append(title, control, note);
  return { label, read, note };
}

/** The field with its label in the form, marked where its value is wrong or unlike the training rows. */
function checked(made: Field, label: HTMLElement, model: Model): Field {
  document.getElementById("features")?.append(label);
  const typed = (): Typed => {
    const value = made.typed();
    const wrong = "problem" in value;
    made.control.setAttribute("aria-invalid", String(wrong));
    label.classList.toggle("outside", !wrong && !model.check(made.input.name, value.value).inRange);
    return value;
  };
  return { ...made, typed };
}
