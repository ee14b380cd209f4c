/** A column of dates, or of moments in UTC: Date objects and ISO texts. */

import { type Column, Problem } from "./column.js";
import type { DateInput } from "./contract.js";
import { shown } from "./messages.js";

/** The integer in the place of a missing date. */
const GAP = -(2 ** 63);
const MILLISECONDS_PER_DAY = 86_400_000;

const ISO =
  /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:[.,]\d+)?)?(Z|[+-]\d\d(?::?\d\d)?)?)?$/i;

export class DateColumn implements Column<number> {
  readonly name: string;
  readonly dtype = "int64";
  private readonly levels: readonly (readonly [string, readonly number[]])[];

  constructor(private readonly input: DateInput) {
    this.name = input.name;
    this.levels = Object.entries(input.levels);
  }

  /** Whole days or seconds since 1970-01-01 in UTC, rounded down. */
  value(value: unknown): number | Problem {
    const milliseconds = isDate(value) ? value.getTime() : typeof value === "string" ? parsed(value) : NaN;
    if (Number.isNaN(milliseconds)) {
      const example = this.input.unit === "days" ? "2024-03-31" : "2024-03-31T18:30";
      return new Problem(`must be a Date or an ISO text such as ${example}, found ${shown(value)}`);
    }
    for (const [part, known] of this.levels) {
      const level = partOf(milliseconds, part);
      if (!known.includes(level)) {
        return new Problem(
          `found ${shown(value)}, ${part} ${level}, which no training row has; known are` +
            ` ${known.join(", ")}`,
        );
      }
    }
    return Math.floor(milliseconds / (this.input.unit === "days" ? MILLISECONDS_PER_DAY : 1000));
  }

  restored(value: number | string | null): number {
    return value === null ? GAP : Number(value);
  }

  isInRange(value: number): boolean {
    return this.input.min <= value && value <= this.input.max;
  }

  data(values: readonly number[]): BigInt64Array {
    return BigInt64Array.from(values, BigInt);
  }
}

/** A Date, of another window or frame too. */
function isDate(value: unknown): value is Date {
  return Object.prototype.toString.call(value) === "[object Date]";
}

/**
 * The milliseconds since 1970-01-01 of an ISO text, NaN if it is none.
 *
 * A time without a zone is in UTC, as in the training table; Date.parse takes the zone of this
 * machine, and 31 February for 2 March.
 */
function parsed(text: string): number {
  const [, day = "", minute = "00:00", second = "00", zone = "Z"] = ISO.exec(text) ?? [];
  const midnight = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== day) return NaN;
  if (minute >= "24" || day < "0001") return NaN;
  const [, sign, hours = "", minutes = "00"] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? [];
  const offset = sign === undefined ? "Z" : `${sign}${hours}:${minutes}`;
  return Date.parse(`${day}T${minute}:${second}${offset}`);
}

/** The month or the weekday, of which 1 is Monday, in UTC. */
function partOf(milliseconds: number, part: string): number {
  const date = new Date(milliseconds);
  return part === "month" ? date.getUTCMonth() + 1 : date.getUTCDay() || 7;
}
