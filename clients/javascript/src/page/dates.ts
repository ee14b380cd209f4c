/** Dates on the page: as ISO texts, and as marks of an axis. */

import type { DateInput } from "abline-client";

import type { Tick } from "./numbers.js";

type Unit = DateInput["unit"];

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Steps between marks: milliseconds, or months. */
const STEPS: readonly (readonly [number, "milliseconds" | "months"])[] = [
  ...([1, 3, 6, 12].map((hours) => [hours * HOUR, "milliseconds"] as const)),
  ...([1, 2, 7, 14].map((days) => [days * DAY, "milliseconds"] as const)),
  ...([1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000].map((each) => [each, "months"] as const)),
];

/** The milliseconds of a day or of a second. */
export function millisecondsPer(unit: Unit): number {
  return unit === "days" ? DAY : 1000;
}

/** The ISO text of a moment, in UTC: 2024-03-31, or 2024-03-31T18:30. "" beyond the calendar. */
export function isoText(moment: number, unit: Unit): string {
  const date = new Date(moment * millisecondsPer(unit));
  if (Number.isNaN(date.getTime())) return "";
  return date.toISOString().slice(0, unit === "days" ? -14 : -8);
}

/** First days of years or months, or whole days or hours, from low to high, at most `most` of them. */
export function dateTicks(low: number, high: number, unit: Unit, most: number): Tick[] {
  const per = millisecondsPer(unit);
  const [first, last] = [low * per, high * per];
  if (!(last > first) || Math.max(Math.abs(first), Math.abs(last)) > 8.64e15) return [];
  for (const [step, kind] of STEPS) {
    const length = kind === "months" ? step * 30 * DAY : step;
    if ((unit === "days" && length < DAY) || (last - first) / length > most + 1) continue;
    const marks = kind === "months" ? months(first, last, step) : multiples(first, last, step);
    if (marks.length > most) continue;
    return marks.map((each) => ({ value: each / per, label: label(each, kind === "months" ? step : 0, length) }));
  }
  return [];
}

function multiples(first: number, last: number, step: number): number[] {
  const start = Math.ceil(first / step);
  return Array.from({ length: Math.max(0, Math.floor(last / step) - start + 1) }, (_, i) => (start + i) * step);
}

/** The first days of every `step`-th month, of those of the year 0. */
function months(first: number, last: number, step: number): number[] {
  const count = (at: number) => new Date(at).getUTCFullYear() * 12 + new Date(at).getUTCMonth();
  const found: number[] = [];
  for (let month = Math.floor(count(first) / step) * step; month <= count(last); month += step) {
    const start = new Date(0).setUTCFullYear(Math.floor(month / 12), month - Math.floor(month / 12) * 12, 1);
    if (first <= start && start <= last) found.push(start);
  }
  return found;
}

function label(moment: number, months: number, length: number): string {
  const [day = "", time = ""] = new Date(moment).toISOString().split("T");
  if (length < DAY) return `${day.slice(-5)} ${time.slice(0, 5)}`;
  if (months === 0) return day;
  return months % 12 === 0 ? day.slice(0, -6) : day.slice(0, -3);
}
