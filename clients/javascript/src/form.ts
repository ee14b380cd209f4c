/** The form of a contract: version 1, of a matrix of numbers, and version 2, of typed columns. */

import type { Contract } from "./contract.js";
import {
  aBoolean,
  aList,
  aNumber,
  aShape,
  aText,
  anInteger,
  anObject,
  different,
  oneOf,
  refuse,
  Wrong,
} from "./json-values.js";
import { number } from "./messages.js";

const FLOATS = ["float32", "float64"];
const MEANINGS = ["prediction", "low", "high", "in_range"];
const PARTS = ["days", "year", "month", "weekday", "hour"];

/** Check the form of the inputs and the outputs. Throws Wrong. */
export function checkForm(contract: Contract): void {
  if (contract.version === 1) {
    checkOutputs(contract.outputs, matrix(contract.input), false);
    return;
  }
  const dtype = columns(contract.inputs);
  aList(contract.encoded, "encoded", true).forEach((each, index) => aText(each, `encoded[${index}]`));
  checkOutputs(contract.outputs, dtype, true);
}

/** Check the input of version 1; return its dtype. */
function matrix(value: unknown): string {
  const entry = anObject(value, "input");
  aText(entry.name, "input.name");
  const dtype = oneOf(entry.dtype, FLOATS, "input.dtype");
  const features = aList(entry.features, "input.features");
  const names = features.map((each, index) => {
    const where = `input.features[${index}]`;
    const feature = anObject(each, where);
    const name = aText(feature.name, `${where}.name`);
    checkRange(feature, where);
    return name;
  });
  different(names, "input.features");
  aShape(entry.shape, ["batch", features.length], "input.shape");
  return dtype;
}

/** Check the min, the max and the mean, if any, of a column of numbers. */
function checkRange(entry: Record<string, unknown>, where: string): void {
  const min = aNumber(entry.min, `${where}.min`);
  const max = aNumber(entry.max, `${where}.max`);
  if (min > max) refuse(`${where}.min`, min, `no more than its max, ${number(max)}`);
  const mean = entry.mean ?? min;
  if (!(min <= aNumber(mean, `${where}.mean`) && Number(mean) <= max)) {
    refuse(`${where}.mean`, mean, `from ${number(min)} to ${number(max)}`);
  }
}

/** Check the inputs of version 2; return the dtype of the numbers, if there are any. */
function columns(value: unknown): string | undefined {
  let dtype: string | undefined;
  const names = aList(value, "inputs").map((each, index) => {
    const where = `inputs[${index}]`;
    const entry = anObject(each, where);
    const name = aText(entry.name, `${where}.name`);
    const kind = oneOf(entry.kind, ["number", "category", "date"], `${where}.kind`);
    if (kind === "number") {
      dtype = oneOf(entry.dtype, dtype === undefined ? FLOATS : [dtype], `${where}.dtype`);
    } else oneOf(entry.dtype, [kind === "category" ? "string" : "int64"], `${where}.dtype`);
    aShape(entry.shape, ["batch"], `${where}.shape`);
    anInteger(entry.missing_rows, `${where}.missing_rows`, 0);
    if (kind === "number") checkNumber(entry, where);
    else if (kind === "category") checkCategory(entry, where);
    else checkDate(entry, where);
    return name;
  });
  different(names, "inputs");
  return dtype;
}

function checkNumber(entry: Record<string, unknown>, where: string): void {
  checkRange(entry, where);
  if (entry.fill !== null) aNumber(entry.fill, `${where}.fill`);
  aBoolean(entry.indicator, `${where}.indicator`);
  for (const limit of ["above", "at_least"]) {
    if (limit in entry) aNumber(entry[limit], `${where}.${limit}`);
  }
}

function checkCategory(entry: Record<string, unknown>, where: string): void {
  const names = aList(entry.levels, `${where}.levels`, true).map((each, index) => {
    const level = anObject(each, `${where}.levels[${index}]`);
    anInteger(level.rows, `${where}.levels[${index}].rows`, 0);
    return aText(level.name, `${where}.levels[${index}].name`);
  });
  different(names, `${where}.levels`);
  aText(entry.reference, `${where}.reference`);
  oneOf(entry.unseen, ["refuse", "reference", "rare"], `${where}.unseen`);
  anInteger(entry.rare_rows, `${where}.rare_rows`, 0);
  aBoolean(entry.has_missing, `${where}.has_missing`);
}

function checkDate(entry: Record<string, unknown>, where: string): void {
  oneOf(entry.unit, ["days", "seconds"], `${where}.unit`);
  aList(entry.parts, `${where}.parts`).forEach((part, index) =>
    oneOf(part, PARTS, `${where}.parts[${index}]`),
  );
  for (const [part, levels] of Object.entries(anObject(entry.levels, `${where}.levels`))) {
    oneOf(part, ["month", "weekday"], `${where}.levels`);
    aList(levels, `${where}.levels.${part}`).forEach((level, index) =>
      anInteger(level, `${where}.levels.${part}[${index}]`),
    );
  }
  const min = anInteger(entry.min, `${where}.min`);
  const max = anInteger(entry.max, `${where}.max`);
  if (min > max) refuse(`${where}.min`, min, `no more than its max, ${max}`);
}

/**
 * Check the outputs.
 *
 * dtype: of the numbers, if the inputs say it. alone: true if each target has an output of its own,
 * as in version 2.
 */
function checkOutputs(value: unknown, dtype: string | undefined, alone: boolean): void {
  const targetsOf = new Map<string, string[]>();
  let first: string[] | undefined;
  const names = aList(value, "outputs").map((each, index) => {
    const where = `outputs[${index}]`;
    const output = anObject(each, where);
    const name = aText(output.name, `${where}.name`);
    const meaning = oneOf(output.meaning, MEANINGS, `${where}.meaning`);
    const real = meaning !== "in_range";
    const allowed = !real ? ["bool"] : dtype === undefined ? FLOATS : [dtype];
    const kind = oneOf(output.dtype, allowed, `${where}.dtype`);
    if (real) dtype = kind;
    const targets = aList(output.targets, `${where}.targets`, !real).map((target, column) =>
      aText(target, `${where}.targets[${column}]`),
    );
    different(targets, `${where}.targets`);
    if (alone && targets.length > 1) refuse(`${where}.targets`, targets, "one target");
    first ??= targets;
    if (!alone && targets.length > 0 && !same(targets, first)) {
      refuse(`${where}.targets`, targets, "the targets of the first output");
    }
    aShape(output.shape, ["batch", targets.length || 1], `${where}.shape`);
    const others = targetsOf.get(meaning);
    if (others !== undefined && !(alone && real)) throw new Wrong(`outputs: found ${meaning} twice`);
    targetsOf.set(meaning, [...(others ?? []), ...targets]);
    return name;
  });
  different(names, "outputs");
  const predicted = targetsOf.get("prediction");
  if (predicted === undefined || targetsOf.has("low") !== targetsOf.has("high")) {
    const found = [...targetsOf.keys()].join(", ");
    return refuse("outputs", found, "a prediction, and low and high both or neither");
  }
  for (const [meaning, targets] of targetsOf) {
    different(targets, `outputs, ${meaning}`);
    if (targets.length > 0 && !same(targets, predicted)) {
      refuse(`outputs, ${meaning}`, targets, "the targets of the predictions");
    }
  }
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each, index) => each === b[index]);
}
