// Against a model of raw columns, in onnxruntime for Node and for the web. ABLINE_RAW_MODELS names
// its folder, and in it two/, of two targets, and exported/, which the pipeline made; tests/ has
// raw_column_models.py and exported_models.py, which write them.

import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import * as node from "onnxruntime-node";
import * as web from "onnxruntime-web";

import { ContractError, InputError, load } from "../dist/node.js";
import { open } from "../dist/open.js";

const models = process.env.ABLINE_RAW_MODELS;
const options = { skip: models === undefined && "ABLINE_RAW_MODELS names no model" };
web.env.wasm.numThreads = 1;

const ROW = { area: 50.5, rooms: 3, heating: "gas", district: "north", sold: "1970-01-03" };
const PRICE = 50.5 + 30 + 100 + 2 / 8 + 0.5;

async function opened(runtime, folder = models) {
  const content = new Uint8Array(await readFile(join(folder, "model.onnx")));
  const text = await readFile(join(folder, "contract.json"), "utf8");
  return open(runtime, content, text, { file: "model.onnx", contract: "contract.json" });
}

for (const [name, runtime] of Object.entries({ node, web })) {
  test(`${name}: golden vectors, of which some have no answer`, options, async () => {
    for (const folder of [models, join(models, "two")]) {
      const found = await (await opened(runtime, folder)).conformance();
      assert.deepEqual([found.ok, found.problem, found.within, found.vectors], [true, undefined, 6, 6]);
    }
  });

  test(`${name}: a model of the pipeline, of two targets with intervals`, options, async () => {
    const model = await opened(runtime, join(models, "exported"));
    const found = await model.conformance();
    assert.deepEqual([found.ok, found.problem, found.within], [true, undefined, found.vectors]);
    assert.ok(found.vectors >= 32 && found.bitEqual >= 4, String(found.bitEqual));
    const row = { area: 50, rooms: null, heating: "Wärme 😀", district: "new", sold: "1970-01-01" };
    const rows = [row, { ...row, heating: null, district: "north", sold: "2030-01-01" }];
    const predictions = await model.predict(rows);
    const { low, high } = await model.interval(rows);
    predictions.forEach((values, index) =>
      values.forEach((y, target) => assert.ok(low[index][target] < y && y < high[index][target])),
    );
    assert.deepEqual([model.targets, low.length, high[0].length], [["price", "rent"], 2, 2]);
    // As the file itself says it.
    const { in_range } = await model.answers(rows);
    assert.deepEqual(in_range.map(([value]) => value === 1), model.inRange(rows));
    assert.deepEqual(model.inRange(rows), [true, false]);
  });

  test(`${name}: terms inside the file, and numbers of which they have no value`, options, async () => {
    const model = await opened(runtime, join(models, "terms"));
    const found = await model.conformance();
    assert.deepEqual([found.ok, found.problem, found.within], [true, undefined, found.vectors]);
    const row = { area: 50, age: null, rooms: 3, heating: "gas", roof: "flat", town: "west", only: "one" };
    const dates = { sold: "2018-01-05", seen: "2018-01-05T12:00:00Z" };
    const [[y]] = await model.predict([{ ...row, ...dates }]);
    assert.ok(Number.isFinite(y));
    const wrong = { message: /row 0, area: must be above 0, because the model takes its logarithm/ };
    await assert.rejects(model.predict([{ ...row, ...dates, area: -50 }]), wrong);
  });

  test(`${name}: columns and records in any order, gaps, dates`, options, async () => {
    const model = await opened(runtime);
    const records = [
      ROW,
      { ...ROW, rooms: null, sold: new Date("1970-01-03T23:59:59.999Z") },
      { ...ROW, rooms: NaN, district: "" },
      { other: 1, ...Object.fromEntries(Object.entries(ROW).reverse()), district: "an odd one 😀" },
      { ...ROW, heating: "Wärme", district: null, sold: "1970-01-02T23:30-01:00" },
    ];
    const right = [PRICE, PRICE + 100, PRICE + 200, PRICE + 200, PRICE + 2100];
    assert.deepEqual((await model.predict(records)).flat(), right);
    const columns = Object.fromEntries(
      Object.keys(ROW).map((key) => [key, records.map((record) => record[key])]),
    );
    assert.deepEqual((await model.predict(columns)).flat(), right);
    columns.area = Float32Array.from(columns.area);
    assert.deepEqual((await model.predict({ ...columns, other: ["a"] })).flat(), right);
    for (const batch of [0, 1, 2, 3, 1000]) {
      const answers = await model.predict(Array.from({ length: batch }, (_, i) => records[i % 5]));
      assert.deepEqual(answers.flat(), Array.from({ length: batch }, (_, i) => right[i % 5]));
    }
    assert.deepEqual(await model.predict(Object.fromEntries(Object.keys(ROW).map((key) => [key, []]))), []);
  });

  test(`${name}: two targets have an output each, and a column each`, options, async () => {
    const model = await opened(runtime, join(models, "two"));
    assert.deepEqual(model.targets, ["price", "rent"]);
    assert.deepEqual(await model.predict([ROW, ROW]), [[PRICE, 2 * PRICE], [PRICE, 2 * PRICE]]);
    const answers = await model.answers([ROW]);
    assert.deepEqual(Object.values(answers), [[[PRICE]], [[2 * PRICE]]]);
    assert.deepEqual(Object.keys(answers), model.contract.outputs.map(({ name }) => name));
  });
}

test("a wrong answer to a row that is refused does not pass", options, async () => {
  const model = await opened(node);
  const { golden } = model.contract;
  const row = golden.outputs[model.contract.outputs[0].name].findIndex(([value]) => value === null);
  // As if the file answered what it has to refuse.
  for (const { name, kind } of model.contract.inputs) golden.inputs[name][row] = golden.inputs[name][0];
  const found = await model.conformance();
  assert.deepEqual([found.ok, found.within], [false, found.vectors - 1]);
  assert.match(found.problem, new RegExp(`of vector ${row} is \\[20\\], must be \\[NaN\\]$`));
});

test("a right answer that is NaN here does not pass", options, async () => {
  const model = await opened(node);
  model.contract.golden.inputs.area[0] = null;
  const found = await model.conformance();
  assert.deepEqual([found.ok, found.worst], [false, Infinity]);
  assert.match(found.problem, /of vector 0 is \[NaN\], must be \[20\]$/);
});

test("the columns and what each takes", options, async () => {
  const model = await load(models);
  assert.deepEqual(model.features, Object.keys(ROW));
  assert.deepEqual(model.inputs.map(({ kind }) => kind), ["number", "number", "category", "category", "date"]);
  assert.deepEqual(model.inputs[2].levels[0], { name: "gas", rows: 6 });
  assert.deepEqual(model.check("heating", "gas"), { problem: undefined, inRange: true });
  assert.match(model.check("heating", "Gas").problem, /is gas meant for Gas/);
  assert.throws(() => model.check("Heating", "gas"), /there is no column Heating; .* is heating meant/);
});

test("rows that are unlike the training rows", options, async () => {
  const model = await load(models);
  const rows = [ROW, { ...ROW, rooms: null }, { ...ROW, district: "new" }, { ...ROW, district: "" }];
  rows.push({ ...ROW, area: 1e3 }, { ...ROW, sold: "1999-12-30" });
  assert.deepEqual(model.inRange(rows), [true, true, true, false, false, false]);
});

test("all mistakes of all columns are in one message, and nothing is asked of the file", options, async () => {
  const model = await load(models);
  model.session.run = () => assert.fail("the session was asked");
  const wrong = { area: "50", rooms: 3, heating: "Gas", district: 0.5, sold: "1970-01-04" };
  await assert.rejects(model.predict([ROW, wrong, { ...wrong, rooms: "three" }]), (error) => {
    assert.ok(error instanceof InputError);
    assert.deepEqual(error.message.split("\n"), [
      'row 1, area: must be a finite number, found "50" (1 more row with a wrong value)',
      'row 2, rooms: must be a finite number, or null for no value, found "three"',
      'row 1, heating: found "Gas", which no training row has; known are gas, oil, Wärme; is gas meant for' +
        " Gas? (1 more row with a wrong value)",
      "row 1, district: must be text, or null for no value, found 0.5; known are centre, north" +
        " (1 more row with a wrong value)",
      'row 1, sold: found "1970-01-04", weekday 7, which no training row has; known are 4, 5, 6' +
        " (1 more row with a wrong value)",
    ]);
    return true;
  });
});

test("rows in forms that are refused", options, async (context) => {
  const model = await load(models);
  const { sold, area, ...others } = ROW;
  const cases = [
    [[others], /^row 0: there are no columns area, sold; found rooms, heating, district$/],
    [[ROW, { ...others, sold, Area: area }], /^row 1: there is no column area; .*is Area meant for area\?$/],
    [[[50, 3, "gas", "north", sold]], /^row 0: must be values by name, because columns have kinds: \[\{ area: …, /],
    [[ROW, null], /^row 1: must be values by name, .*found null$/],
    [ROW, /^column area: must be a list, found 50.5; a single row is \[\{"area": …\}\]$/],
    [{ ...ROW, area: [1], rooms: [1] }, /^column heating: must be a list, found "gas"; a single row is/],
    [{ area: [1], rooms: [1, 2], heating: [], district: [], sold: [] }, /^column rooms: columns are lists of one length/],
    ["rows", /^must be a list of rows, or lists by column name; found "rows"$/],
    [[{ ...ROW, area: undefined }], /^row 0, area: must be a finite number, found undefined$/],
    [{ ...Object.fromEntries(Object.entries(ROW).map(([k, v]) => [k, [v]])), sold: new Array(1) }, /found undefined$/],
  ];
  for (const [rows, message] of cases) {
    await context.test(String(message), () =>
      assert.rejects(model.predict(rows), (error) => error instanceof InputError && message.test(error.message)),
    );
  }
});

test("a contract of columns that is none", options, async (context) => {
  const cases = [
    ["inputs", [], "inputs: found [], must be a list that is not empty"],
    ["inputs.0.name", "rooms", "inputs: found rooms twice"],
    ["inputs.0.kind", "text", 'inputs[0].kind: found "text", must be number or category or date'],
    ["inputs.0.dtype", "float64", 'inputs[1].dtype: found "float32", must be float64'],
    ["inputs.0.shape", ["batch", 1], 'inputs[0].shape: found ["batch",1], must be ["batch"]'],
    ["inputs.0.missing_rows", -1, "inputs[0].missing_rows: found -1, must be an integer from 0"],
    ["inputs.1.fill", "3", 'inputs[1].fill: found "3", must be a finite number'],
    ["inputs.1.indicator", 1, "inputs[1].indicator: found 1, must be true or false"],
    ["inputs.2.levels.0", "gas", 'inputs[2].levels[0]: found "gas", must be an object'],
    ["inputs.2.levels.0.name", "oil", "inputs[2].levels: found oil twice"],
    ["inputs.2.levels.0.rows", 0.5, "inputs[2].levels[0].rows: found 0.5, must be an integer from 0"],
    ["inputs.2.unseen", null, "inputs[2].unseen: found null, must be refuse or reference or rare"],
    ["inputs.4.unit", "hours", 'inputs[4].unit: found "hours", must be days or seconds'],
    ["inputs.4.levels", { day: [1] }, 'inputs[4].levels: found "day", must be month or weekday'],
    ["inputs.4.levels.weekday", [1.5], "inputs[4].levels.weekday[0]: found 1.5, must be an integer"],
    ["encoded", null, "encoded: found null, must be a list"],
    ["outputs.1.targets", ["price"], "outputs, prediction: found price twice"],
    ["outputs.1.targets", ["price", "rent"], 'outputs[1].targets: found ["price","rent"], must be one target'],
    ["outputs.1.meaning", "low", 'outputs: found "prediction, low", must be a prediction, and low and high'],
    ["golden.inputs.sold", null, "golden.inputs.sold: found null, must be a list that is not empty"],
    ["golden.inputs.sold", [1], "golden.inputs.sold: found 1 row, must be 6"],
    ["golden.inputs.sold.0", 0.5, "golden.inputs.sold[0]: found 0.5, must be an integer"],
    ["golden.inputs.area.0", 0.1, "golden.inputs.area: must be numbers that float32 holds"],
    ["golden.inputs.heating.0", 1, "golden.inputs.heating[0]: found 1, must be text"],
  ];
  for (const [place, value, message] of cases) {
    await context.test(message, () => refused(place, value, message));
  }
  const [{ name }] = JSON.parse(await readFile(join(models, "two/contract.json"), "utf8")).outputs;
  for (const [bound, message] of [
    [null, `golden.bounds.${name}[0]: found null, must be a number, because the answer is one`],
    [100, `golden.bounds.${name}[0]: found 100, which is no bound to answers of the size `],
  ]) {
    await context.test(message, () => refused(`golden.bounds.${name}.0.0`, bound, message));
  }
});

async function refused(place, value, message) {
  const folder = await mkdtemp(join(tmpdir(), "abline-"));
  try {
    await cp(join(models, "two"), folder, { recursive: true });
    const path = join(folder, "contract.json");
    const whole = JSON.parse(await readFile(path, "utf8"));
    const way = place.split(".");
    const last = way.pop();
    way.reduce((part, key) => part[key], whole)[last] = value;
    await writeFile(path, JSON.stringify(whole));
    await assert.rejects(load(folder), (error) => {
      assert.ok(error instanceof ContractError, String(error));
      assert.ok(error.message.includes(message), error.message);
      return true;
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}
