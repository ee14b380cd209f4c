// Against the model that `make repro` made; ABLINE_MODELS names its folder.

import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";

import { ContractError, InputError, load } from "../dist/node.js";

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
});

test("an interval is around its prediction, where there is one", async () => {
  const rows = [model.contract.golden.inputs[0]];
  if (!model.hasInterval) {
    await assert.rejects(model.interval(rows), /was made without interval; export.outputs/);
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
  const row = (value) => [Array(width).fill(value)];
  const cases = [
    [[1, 2], /row 0: found 1; a single row is \[\[/],
    [[Array(width + 1).fill(0)], /row 0: found \d+ numbers; the model has \d+ features: /],
    [row(NaN), /row 0, .*: must be a finite number, found NaN/],
    [row(-Infinity), /found -Infinity/],
    [row(null), /found null/],
    [row("3"), /found "3"/],
    [row(true), /found true/],
    [row(1n), /found 1/],
    [row(1e39), /1e\+39 is beyond float32/],
    [undefined, /must be a list of rows, or lists by column name; found undefined/],
    [new Float32Array(width), /must be a list of rows, .*; found a single list/],
    [[{ x: 4 }], /row 0: must be a list of numbers, found \{"x":4\}/],
    [new Array(2), /row 0: found undefined; a single row is/],
    [Object.fromEntries(model.features.map((name) => [name, null])), /must be a list, found null/],
    [{ nobody: [1] }, /there is no column .*; found nobody/],
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

test("a file that is not what its contract says", async (context) => {
  const spoilt = [
    [(text) => text.replace(/"sha256": "./, '"sha256": "x'), /is not the one that contract.json/],
    [(text) => text.replace('"version": 1', '"version": 0'), /version 0; this client reads 1/],
    [(text) => text.replace(/"opset": \d+/, '"opset": 7'), /contradicts the terms .*opset/],
    [(text) => text.replace(/"y": \[/, '"y": [[],'), /golden vectors in contract.json are not whole/],
    [(text) => JSON.stringify({ ...JSON.parse(text), golden: {} }), /golden vectors .* not whole/],
    [
      (text) => {
        const found = JSON.parse(text);
        found.golden.inputs = found.golden.outputs.y = found.golden.bounds.y = [];
        return JSON.stringify(found);
      },
      /golden vectors .* not whole/,
    ],
    [() => "{", /contract.json: not a contract/],
    [() => "null", /contract.json: version undefined/],
  ];
  for (const [change, message] of spoilt) {
    await context.test(String(message), async () => {
      const folder = await mkdtemp(join(tmpdir(), "abline-"));
      try {
        await cp(models, folder, { recursive: true });
        const path = join(folder, "contract.json");
        await writeFile(path, change(await readFile(path, "utf8")));
        await assert.rejects(load(folder), (error) => {
          assert.ok(error instanceof ContractError);
          assert.match(error.message, message);
          return true;
        });
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  }
});

test("the file alone answers but proves nothing", async () => {
  const folder = await mkdtemp(join(tmpdir(), "abline-"));
  try {
    await cp(join(models, "model.onnx"), join(folder, "any.onnx"));
    const alone = await load(join(folder, "any.onnx"));
    const rows = [model.features.map(() => 2)];
    assert.deepEqual(await alone.predict(rows), await model.predict(rows));
    await assert.rejects(alone.conformance(), /there are no golden vectors; contract.json has them/);
    await writeFile(join(folder, "any.onnx"), "no model");
    await assert.rejects(load(join(folder, "any.onnx")), /carries no abline.contract/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
