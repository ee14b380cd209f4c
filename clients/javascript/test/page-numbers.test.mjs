// Numbers as people type them, and as the page marks its axes with.

import assert from "node:assert/strict";
import { test } from "node:test";

import { parse, ticks } from "../dist/page/numbers.js";

test("numbers with a point or a comma", () => {
  const right = {
    "3,5": 3.5,
    "3.5": 3.5,
    "0,234": 0.234,
    "1.234": 1.234, // as the page writes its own numbers
    "1234,567": 1234.567,
    "1.234,5": 1234.5,
    "1,234.5": 1234.5,
    "1.234,567": 1234.567,
    "1.234.567": 1234567,
    "1,234,567": 1234567,
    "1,234,567.8": 1234567.8,
    "1 234,5": 1234.5,
    "1\u202f234": 1234,
    "1'234.5": 1234.5,
    "1 234,567": 1234.567,
    " 7 ": 7,
    "−4": -4,
    "-4,5": -4.5,
    "+4": 4,
    ",5": 0.5,
    ".5": 0.5,
    "5,": 5,
    "5.": 5,
    "1e3": 1000,
    "1,5E-3": 0.0015,
    "-0": -0,
    "12,3456": 12.3456,
    "1000,234": 1000.234,
  };
  for (const [text, value] of Object.entries(right)) assert.equal(parse(text), value, text);
});

test("what could be two numbers is said, and not guessed", () => {
  for (const text of ["1,234", "12,345", "123,456", "-1,234", "1,234e2"]) {
    assert.match(String(parse(text)), /^.* may be [\d.]+ or \d+: write one of these$/, text);
  }
  assert.equal(parse("1,234"), "1,234 may be 1.234 or 1234: write one of these");
});

test("what is no number is said, and no character is left out", () => {
  const wrong = ["abc", "3a", "1,2,3", "1.2.3", "12.34,5", "1,23,456", "1.234,5,6", "1,234.5.6", "--1"];
  wrong.push("1 2", "1 2345", "0.123.456", ".", ",", "-", "e5", "1e", "1e5e5", "0x10", "Infinity", "NaN");
  wrong.push("٣", "３", "1_000", "1.234 5", "1 234.567,8", "3 ,5", "1'2");
  for (const text of wrong) assert.match(String(parse(text)), /is no number$/, text);
  assert.equal(parse(""), "type a number");
  assert.equal(parse("  "), "type a number");
  assert.match(parse("1e999"), /is too large$/);
  // In a time that grows with the length, not with its square.
  assert.match(parse("1,".repeat(1e5)), /is no number$/);
});

test("axes are marked with round numbers", () => {
  const labels = (low, high, most = 6) => ticks(low, high, most).map(({ label }) => label);
  assert.deepEqual(labels(0.5, 3.5), ["1.0", "2.0", "3.0"].map((each) => each.replace(".0", "")));
  assert.deepEqual(labels(0.5, 4), ["1", "2", "3", "4"]);
  assert.deepEqual(labels(0, 1), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
  assert.deepEqual(labels(-0.3, 0.3), ["-0.2", "0", "0.2"]);
  assert.deepEqual(labels(1.44, 8.43, 5), ["2", "4", "6", "8"]);
  assert.deepEqual(labels(0, 5e6), ["0", "1e6", "2e6", "3e6", "4e6", "5e6"]);
  assert.deepEqual(labels(0, 5e-7), ["0", "1e-7", "2e-7", "3e-7", "4e-7", "5e-7"]);
  assert.deepEqual(labels(1e9, 1e9 + 3, 4), ["1e9", "1.000000001e9", "1.000000002e9", "1.000000003e9"]);
  assert.deepEqual(labels(1, 1), []);
  assert.deepEqual(labels(-1.7e308, 1.7e308), []);
  assert.deepEqual(labels(1e300, 1e300 * (1 + 2 ** -52)), []);
});

test("there are a few marks in any range, all within it and in order", () => {
  let state = 1;
  const random = () => (state = (state * 16807) % 2147483647) / 2147483647;
  for (let trial = 0; trial < 2000; trial++) {
    const size = Number(`1e${Math.floor(random() * 60 - 30)}`);
    const low = (random() * 2 - 1) * size;
    const high = low + random() * size;
    const most = 4 + Math.floor(random() * 6);
    const found = ticks(low, high, most);
    assert.ok(found.length >= 1 && found.length <= most + 1, `${low} ${high} ${most}: ${found.length}`);
    const slack = 1e-6 * (high - low);
    found.forEach(({ value, label }, index) => {
      assert.ok(value >= low - slack && value <= high + slack);
      assert.ok(Math.abs(Number(label) - value) <= 1e-9 * Math.abs(value), `${label} for ${value}`);
      assert.ok(index === 0 || value > found[index - 1].value);
    });
  }
});
