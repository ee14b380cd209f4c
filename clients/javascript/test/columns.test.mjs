// What becomes of the values of a column of each kind.

import assert from "node:assert/strict";
import { test } from "node:test";
import { runInNewContext } from "node:vm";

import { CategoryColumn } from "../dist/category.js";
import { Problem } from "../dist/column.js";
import { DateColumn } from "../dist/date.js";
import { NumberColumn } from "../dist/number.js";

process.env.TZ = "America/St_Johns"; // no date depends on the zone of the machine

const number = (more) =>
  new NumberColumn({ name: "area", dtype: "float32", min: 1, max: 3, fill: null, missing_rows: 0, ...more });
const HEATING = [
  { name: "gas", rows: 6 },
  { name: "oil", rows: 0 },
];
const category = (more) =>
  new CategoryColumn({
    name: "heating",
    levels: HEATING,
    unseen: "refuse",
    rare_rows: 0,
    has_missing: false,
    missing_rows: 0,
    ...more,
  });
const date = (more) => new DateColumn({ name: "sold", unit: "days", levels: {}, min: 0, max: 9, ...more });

function refused(column, value, message) {
  const problem = column.value(value);
  assert.ok(problem instanceof Problem, `${String(value)} became ${String(problem)}`);
  assert.match(problem.text, message);
}

test("numbers are rounded once, and nothing else is taken for one", () => {
  assert.equal(number().value(0.1), Math.fround(0.1));
  assert.equal(number({ dtype: "float64" }).value(0.1), 0.1);
  for (const value of ["3", true, 1n, undefined, [1], {}, new Date(), Infinity, -Infinity]) {
    refused(number(), value, /^must be a finite number, found /);
    refused(number({ fill: 2 }), value, /^must be a finite number, or null for no value, found /);
  }
  refused(number(), 1e39, /^1e\+39 is beyond float32$/);
  assert.equal(number({ dtype: "float64" }).value(1e39), 1e39);
});

test("null, NaN and an empty text are no value where the model takes none", () => {
  for (const gap of [null, NaN, ""]) {
    assert.ok(Number.isNaN(number({ fill: 2 }).value(gap)));
    assert.equal(category({ has_missing: true }).value(gap), "");
    refused(number(), gap, /must be a finite number, found (null|NaN|"")$/);
    refused(category(), gap, /^must be text, found (null|NaN|""); known are gas, oil$/);
    refused(date(), gap, /^must be a Date or an ISO text such as 2024-03-31, found /);
  }
  refused(category({ has_missing: true }), undefined, /^must be text, or null for no value, found undefined;/);
});

test("a number without a logarithm or a root is refused before the model is asked", () => {
  refused(number({ above: 0 }), 0, /^must be above 0, because the model takes its logarithm; found 0$/);
  refused(number({ above: 0 }), 1e-60, /^must be above 0, .*; found 1e-60$/); // 0 in float32
  refused(number({ at_least: 0 }), -2, /^must be at least 0, because the model takes its square root; found -2$/);
  assert.equal(number({ at_least: 0 }).value(0), 0);
  assert.equal(number({ above: 0 }).value(2), 2);
  assert.ok(Number.isNaN(number({ above: 0, fill: 2 }).value(null)));
});

test("a text is a level as it is written", () => {
  assert.equal(category().value("gas"), "gas");
  refused(category(), "Gas", /^found "Gas", which no training row has; known are gas, oil; is gas meant for Gas\?$/);
  refused(category(), "gas ", /^found "gas ", /);
  refused(category(), "coal", /known are gas, oil$/);
  const accents = category({ levels: [{ name: "Wärme", rows: 1 }] });
  refused(accents, "Wärme".normalize("NFD"), /Wärme looks the same but is written with other characters/);
  for (const unseen of ["reference", "rare"]) assert.equal(category({ unseen }).value("Gas"), "Gas");
  const many = Array.from({ length: 1e5 }, (_, i) => ({ name: `level ${i}`.repeat(30), rows: 1 }));
  refused(category({ levels: many }), "x".repeat(1e4), /^found "x{58}…, .*, …$/);
});

test("booleans and whole numbers stand for their text", () => {
  const levels = ["true", "4", "6.0", "2.5"].map((name) => ({ name, rows: 1 }));
  const mixed = category({ levels });
  for (const [value, text] of [[true, "true"], [4, "4"], [4n, "4"], [6, "6.0"], [2.5, "2.5"]]) {
    assert.equal(mixed.value(value), text);
  }
  refused(mixed, false, /^found false, which no training row has/);
  refused(mixed, 5, /^found 5, which no training row has/);
  refused(category({ unseen: "rare" }), 0.1, /^must be text, found 0.1;/);
  refused(mixed, ["4"], /^must be text, found \["4"\];/);
});

test("a text that onnxruntime would cut or change is refused, level or not", () => {
  const levels = [...HEATING, { name: "gas\0x", rows: 1 }];
  for (const text of ["gas\0x", "gas\0", "\ud83d", "a\udc00b"]) {
    refused(category({ levels, unseen: "rare" }), text, /a character that onnxruntime does not take here$/);
  }
  assert.equal(category({ unseen: "rare" }).value("😀"), "😀");
});

test("dates are whole days or seconds in UTC, rounded down", () => {
  assert.notEqual(new Date(0).getTimezoneOffset(), 0);
  const cases = [
    ["1970-01-03", 2, 172800],
    ["1969-12-31", -1, -86400],
    ["0001-01-01", -719162, -62135596800],
    ["9999-12-31", 2932896, 253402214400],
    ["2024-02-29T23:59:59.999Z", 19782, 1709251199],
    ["2024-02-29 23:30", 19782, 1709249400], // without a zone: UTC, whatever this machine has
    ["2024-02-29T23:30-01:00", 19783, 1709253000],
    ["2024-03-01T00:30+0100", 19782, 1709249400],
    ["2024-03-01t00:30:00,5+01", 19782, 1709249400],
    [new Date(-1), -1, -1],
    [new Date("2024-02-29T23:59:59.999Z"), 19782, 1709251199],
    [runInNewContext("new Date(172800000)"), 2, 172800],
  ];
  for (const [value, days, seconds] of cases) {
    assert.equal(date().value(value), days, String(value));
    assert.equal(date({ unit: "seconds" }).value(value), seconds, String(value));
  }
});

test("what is no date is refused", () => {
  const wrong = ["2023-02-29", "2024-02-30", "2024-13-01", "0000-01-01", "10000-01-01", "2024-1-1", "1.2.2024"];
  wrong.push("2024-01-01T24:00", "2024-01-01T10:60", "2024-01-01T10", "2024", "now", " 2024-01-01", "2024-01-01Z");
  for (const value of [...wrong, new Date(NaN), 19782, 19782n, true, undefined, {}]) {
    refused(date(), value, /^must be a Date or an ISO text such as 2024-03-31, found /);
  }
  refused(date({ unit: "seconds" }), new Date(NaN), /such as 2024-03-31T18:30, found an invalid Date$/);
});

test("a month or a weekday that no training row has is refused", () => {
  for (const [unit, time] of [["days", ""], ["seconds", "T23:00"]]) {
    const months = date({ unit, levels: { month: [1, 2] } });
    assert.equal(typeof months.value(`1969-02-28${time}`), "number");
    refused(months, `2024-03-01${time}`, /^found "2024-03-01.*", month 3, which no training row has; known are 1, 2$/);
    const weekdays = date({ unit, levels: { weekday: [1, 7] } });
    assert.equal(typeof weekdays.value(`1969-12-28${time}`), "number"); // a Sunday
    refused(weekdays, new Date(0), /^found 1970-01-01T00:00:00.000Z, weekday 4, which no training row has/);
  }
});

test("like the training rows: a range, levels with rows, gaps where they had gaps", () => {
  assert.deepEqual([0.9, 1, 3, 3.1].map((x) => number().isInRange(x)), [false, true, true, false]);
  assert.equal(number({ fill: 2 }).isInRange(NaN), false);
  assert.equal(number({ fill: 2, missing_rows: 1 }).isInRange(NaN), true);
  assert.deepEqual(["gas", "oil", "coal"].map((x) => category().isInRange(x)), [true, false, false]);
  assert.equal(category({ unseen: "reference", rare_rows: 1 }).isInRange("coal"), false);
  assert.equal(category({ unseen: "rare", rare_rows: 1 }).isInRange("coal"), true);
  assert.equal(category({ has_missing: true }).isInRange(""), false);
  assert.equal(category({ has_missing: true, missing_rows: 1 }).isInRange(""), true);
  assert.deepEqual([-1, 0, 9, 10].map((x) => date().isInRange(x)), [false, true, true, false]);
});

test("a missing date is the smallest integer that the file has", () => {
  assert.deepEqual(date().data([date().restored(null), 3]), BigInt64Array.of(-(2n ** 63n), 3n));
});
