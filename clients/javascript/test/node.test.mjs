// Against the model that `make repro` made; ABLINE_MODELS names its folder.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";

import { Tensor } from "onnxruntime-node";

import { open } from "../dist/open.js";
import { ContractError, InputError, Model, load } from "../dist/node.js";

const models = process.env.ABLINE_MODELS ?? fileURLToPath(new URL("../../../models", import.meta.url));

let model;
beforeEach(async () => {
  model = await load(models);
});

test("it answers what was verified", async () => {
  const { golden } = model.contract;
  const [answer] = await model.predict([golden.inputs[0]]);
  const { bounds, outputs } = golden;
  answer.forEach((value, target) => {
    assert.ok(Math.abs(value - outputs.y[0][target]) <= bounds.y[0][target]);
  });
});

test("all golden vectors are within their bounds", async (context) => {
  const found = await model.conformance();
  assert.equal(found.ok, true);
  assert.equal(found.problem, undefined);
  assert.equal(found.within, found.vectors);
  assert.ok(found.vectors >= 16);
  assert.ok(found.worst <= 1);
  context.diagnostic(`${found.bitEqual} of ${found.vectors} bit-equal`);
});

test("rows by name are those by position", async () => {
  const rows = [0, 1].map((row) => model.features.map((_, column) => row + column + 0.5));
  const columns = { other: ["a", "b"] };
  for (const name of [...model.features].reverse()) {
    columns[name] = rows.map((row) => row[model.features.indexOf(name)]);
  }
  assert.deepEqual(await model.predict(columns), await model.predict(rows));
  assert.deepEqual(await model.predict([]), []);
  const record = (row) => Object.fromEntries(model.features.map((name, i) => [name, row[i]]));
  const records = rows.map((row) => ({ other: "a", ...record(row) }));
  assert.deepEqual(await model.predict(records), await model.predict(rows));
  assert.deepEqual(model.inRange(records), model.inRange(rows));
});

test("a record of features called length and the like", async () => {
  const names = ["length", "__proto__", "größe"];
  const renamed = JSON.parse(JSON.stringify(model.contract));
  renamed.input.features.forEach((feature, index) => (feature.name = names[index]));
  const withNames = () => new Model(model.runtime, model.session, renamed, { file: "", contract: "" });
  const record = JSON.parse('{"length": 1, "__proto__": 2, "größe": 3}');
  const right = await model.predict([[1, 2, 3].slice(0, model.features.length)]);
  assert.deepEqual(await withNames().predict([record]), right);
  renamed.input.features[0].name = "größe";
  await assert.rejects(
    withNames().predict([{ [names[2].normalize("NFD")]: 1 }]),
    /looks the same but is written with other characters/,
  );
});

test("every output by its name", async () => {
  const rows = [model.contract.golden.inputs[0]];
  const answers = await model.answers(rows);
  assert.deepEqual(Object.keys(answers), model.contract.outputs.map(({ name }) => name));
  assert.deepEqual(answers.y, await model.predict(rows));
});

test("a model says what it is", () => {
  const interval = model.hasInterval ? "with" : "without";
  const [targets, features] = [model.targets, model.features].map((names) => names.join(", "));
  const told = `Model(${targets} from ${features}; float32, ${interval} interval; ${join(models, "model.onnx")})`;
  assert.equal(String(model), told);
  assert.equal(inspect(model), told);
});

test("an interval is around its prediction, where there is one", async () => {
  const rows = [model.contract.golden.inputs[0]];
  if (!model.hasInterval) {
    await assert.rejects(model.interval(rows), /was made without intervals; `export.outputs: /);
    return;
  }
  const [[y]] = await model.predict(rows);
  const { low, high } = await model.interval(rows);
  assert.ok(low[0][0] < y && y < high[0][0]);
  assert.deepEqual([low.length, high[0].length], [1, model.targets.length]);
});

test("a row outside of the training range is told", () => {
  const { features } = model.contract.input;
  const rows = [features.map(({ min }) => min), features.map(({ max }) => max + 1)];
  assert.deepEqual(model.inRange(rows), [true, false]);
});

test("rows that it cannot answer", async (context) => {
  const width = model.features.length;
  const [first] = model.features;
  const row = (value) => [Array(width).fill(value)];
  const record = (value) => Object.fromEntries(model.features.map((name) => [name, value]));
  const near = (value) => {
    const { [first]: moved, ...others } = record(value);
    return { ...others, [`${first}s`]: moved };
  };
  const cases = [
    [[1, 2], /row 0: found 1; a single row is \[\[/],
    [[Array(width + 1).fill(0)], /row 0: found \d+ numbers?; the model has \d+ features?: /],
    [row(NaN), /row 0, .*: must be a finite number, found NaN/],
    [row(-Infinity), /found -Infinity/],
    [row(null), /found null/],
    [row("3"), /found "3"/],
    [row(true), /found true/],
    [row(1n), /found 1/],
    [row(1e39), /1e\+39 is beyond float32/],
    [undefined, /must be a list of rows, or lists by column name; found undefined/],
    [new Float32Array(width), /must be a list of rows, .*; found a single list/],
    [[{ nobody: 4 }], /row 0: there (is no column|are no columns) .*; found nobody/],
    [[record(1), [1]], /row 1: must be values by name, found \[1\]/],
    [[Array(width).fill(1), record(1)], /row 1: must be a list of numbers, found \{/],
    [[record(1), {}], /row 1: there (is no column|are no columns)/],
    [[record("3")], /row 0, .*: must be a finite number, found "3"/],
    [[{ ...record(1), [first]: undefined }], /must be a finite number, found undefined/],
    [[near(1)], new RegExp(`is ${first}s meant for ${first}\\?`)],
    [near([1]), new RegExp(`is ${first}s meant for ${first}\\?`)],
    [record(4), /must be a list, found 4; a single row is \[\{".*": …\}\]/],
    [{ "a\u001b[31m\u202e": [1] }, /found a\\u\{1b\}\[31m\\u\{202e\}$/],
    [new Array(2), /row 0: found undefined; a single row is/],
    [Object.fromEntries(model.features.map((name) => [name, null])), /must be a list, found null/],
    [{ nobody: [1] }, /there (is no column|are no columns) .*; found nobody/],
  ];
  for (const [rows, message] of cases) {
    await context.test(String(message), () =>
      assert.rejects(model.predict(rows), (error) => {
        assert.ok(error instanceof InputError);
        assert.match(error.message, message);
        return true;
      }),
    );
  }
});

async function copied() {
  const folder = await mkdtemp(join(tmpdir(), "abline-"));
  await cp(models, folder, { recursive: true });
  return folder;
}

async function refused(change, message) {
  const folder = await copied();
  try {
    const path = join(folder, "contract.json");
    await writeFile(path, change(await readFile(path, "utf8")));
    await assert.rejects(load(folder), (error) => {
      assert.ok(error instanceof ContractError, String(error));
      if (message instanceof RegExp) assert.match(error.message, message);
      else assert.ok(error.message.includes(message), `${error.message}, must include ${message}`);
      return true;
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("a file that is not what its contract says", async (context) => {
  const spoilt = [
    [(text) => text.replace(/"sha256": "./, '"sha256": "x'), /is not the file that .*contract.json/],
    [(text) => text.replace(/"opset": \d+/, '"opset": 7'), /contradicts the terms .*opset/],
    [(text) => text.replace(/"y": \[/, '"y": [[],'), /golden vectors .*contract.json are not whole/],
    [() => "{", /contract.json: not a contract/],
    [(text) => Buffer.from(`\ufeff${text}`, "utf16le"), /contract.json: not a contract/],
    [() => "[".repeat(1e5) + "]".repeat(1e5), /contract.json: /],
    [
      (text) => text.replace(/"params": \{/, `"params": {"deep": ${"[".repeat(1e4)}${"]".repeat(1e4)},`),
      /contract/,
    ],
  ];
  for (const text of ["null", "[]", "1", '"x"', "true"]) {
    spoilt.push([() => text, /contract.json: not a contract \(the whole: found .*, must be an object/]);
  }
  for (const [change, message] of spoilt) {
    await context.test(String(message), () => refused(change, message));
  }
});

test("a contract that is none", async (context) => {
  // The same table is tried with the Python client.
  const table = new URL("../../refused.json", import.meta.url);
  for (const [place, value, message] of JSON.parse(await readFile(table, "utf8"))) {
    const put = (text) => {
      const whole = JSON.parse(text);
      const way = place.split(".");
      const last = way.pop();
      way.reduce((part, key) => part[key], whole)[last] = "@@";
      return JSON.stringify(whole).replace('"@@"', () => value);
    };
    await context.test(`${place} ${value.slice(0, 20)}`, () => refused(put, message));
  }
});

test("a model of the wrong sign does not pass, whatever its bounds", async () => {
  // The graph is as verified; the answers, which an honest bound holds to it, are not.
  const folder = await copied();
  try {
    const path = join(folder, "contract.json");
    const whole = JSON.parse(await readFile(path, "utf8"));
    whole.golden.outputs.y.forEach((row) => row.forEach((value, i) => (row[i] = -value)));
    await writeFile(path, JSON.stringify(whole));
    const found = await (await load(folder)).conformance();
    assert.equal(found.ok, false);
    assert.ok(found.within < found.vectors / 2);
    assert.match(found.problem, /^y of vector 0 is \[\S+\], must be \[\S+\]$/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a file of another width or dtype than its contract", async () => {
  const file = { file: "model.onnx", contract: "contract.json" };
  const [content, text] = [await readFile(join(models, "model.onnx")), undefined];
  const { inputMetadata, outputMetadata } = model.session;
  const like = (x, y) => ({
    Tensor,
    InferenceSession: {
      create: async () => ({
        inputMetadata: [{ ...inputMetadata[0], ...x }],
        outputMetadata: [{ ...outputMetadata[0], ...y }, ...outputMetadata.slice(1)],
      }),
    },
  });
  await open(like({}, {}), new Uint8Array(content), text, file);
  for (const [x, y] of [
    [{ shape: ["batch", 99] }, {}],
    [{ shape: [7, model.features.length] }, {}],
    [{ shape: [] }, {}],
    [{ type: "float64" }, {}],
    [{ name: "z" }, {}],
    [{}, { shape: ["batch", 2] }],
    [{}, { type: "bool" }],
    [{}, { isTensor: false }],
  ]) {
    await assert.rejects(
      open(like(x, y), new Uint8Array(content), text, file),
      /model.onnx: its inputs and outputs are .*, must be x: float32 \[batch, /,
    );
  }
});

test("a pipe is not waited for", async (context) => {
  for (const name of ["contract.json", "model.onnx"]) {
    await context.test(name, async () => {
      const folder = await copied();
      try {
        await rm(join(folder, name));
        execFileSync("mkfifo", [join(folder, name)]);
        await assert.rejects(load(folder), new RegExp(`${name}: must be a regular file`));
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  }
});

test("where a file was looked for is said", async () => {
  const folder = await mkdtemp(join(tmpdir(), "abline-"));
  try {
    await assert.rejects(load(join(folder, "no")), { message: /\/no: there is no such file or folder: / });
    await assert.rejects(load(folder), { message: /model.onnx: there is no such file in this folder; nor any other .onnx/ });
    await writeFile(join(folder, "other.onnx"), "");
    await assert.rejects(load(folder), { message: /it has other.onnx: name one of them/ });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("the file alone answers but proves nothing", async () => {
  const folder = await mkdtemp(join(tmpdir(), "abline-"));
  try {
    await cp(join(models, "model.onnx"), join(folder, "any.onnx"));
    const alone = await load(join(folder, "any.onnx"));
    const rows = [model.features.map(() => 2)];
    assert.deepEqual(await alone.predict(rows), await model.predict(rows));
    await assert.rejects(alone.conformance(), /contract.json, which has them, is not at \//);
    await writeFile(join(folder, "any.onnx"), "no model");
    await assert.rejects(load(join(folder, "any.onnx")), /carries no abline.contract/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
