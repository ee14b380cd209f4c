// Dates as the page writes them, and as it marks its axes with.

import assert from "node:assert/strict";
import { test } from "node:test";

import { dateTicks, isoText } from "../dist/page/dates.js";

process.env.TZ = "America/St_Johns"; // no date depends on the zone of the machine

test("days and seconds as ISO texts", () => {
  assert.deepEqual([0, -1, 19782, 2932896].map((day) => isoText(day, "days")), [
    "1970-01-01",
    "1969-12-31",
    "2024-02-29",
    "9999-12-31",
  ]);
  assert.equal(isoText(1709249459, "seconds"), "2024-02-29T23:30");
  assert.equal(isoText(1e12, "days"), "");
});

test("axes are marked with first days of years or months, days, or hours", () => {
  const day = (text) => Date.parse(text) / 86_400_000;
  const labels = (from, to, most = 6) => dateTicks(day(from), day(to), "days", most).map(({ label }) => label);
  assert.deepEqual(labels("2015-11-01", "2020-05-01"), ["2016", "2017", "2018", "2019", "2020"]);
  assert.deepEqual(labels("1890-01-02", "2030-05-01", 8), ["1900", "1920", "1940", "1960", "1980", "2000", "2020"]);
  assert.deepEqual(labels("2019-12-15", "2020-05-01"), ["2020-01", "2020-02", "2020-03", "2020-04", "2020-05"]);
  assert.deepEqual(labels("2019-12-30", "2020-01-02"), ["2019-12-30", "2019-12-31", "2020-01-01", "2020-01-02"]);
  assert.deepEqual(labels("2020-01-01", "2020-01-01"), []);
  const seconds = (text) => Date.parse(`${text}Z`) / 1000;
  const hours = dateTicks(seconds("1969-12-31T20:00"), seconds("1970-01-01T13:00"), "seconds", 4);
  assert.deepEqual(hours.map(({ label }) => label), ["01-01 00:00", "01-01 06:00", "01-01 12:00"]);
  assert.deepEqual(hours.map(({ value }) => value), [0, 21600, 43200]);
});

test("there are a few marks in any range, all within it and in order", () => {
  let state = 1;
  const random = () => (state = (state * 16807) % 2147483647) / 2147483647;
  for (let trial = 0; trial < 1000; trial++) {
    const low = Math.floor(random() * 60_000) - 20_000;
    const high = low + 3 + Math.floor(random() * 10 ** (1 + random() * 4));
    const marks = dateTicks(low, high, "days", 6);
    assert.ok(marks.length >= 1 && marks.length <= 6, `${low} ${high}: ${marks.length}`);
    marks.forEach(({ value }, index) => {
      assert.ok(value >= low && value <= high && Number.isInteger(value));
      assert.ok(index === 0 || value > marks[index - 1].value);
    });
  }
});
