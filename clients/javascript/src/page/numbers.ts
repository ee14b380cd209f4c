/** Numbers as people type them and as they read them. */

const AMBIGUOUS = /^[1-9]\d{0,2},\d{3}$/;
const GROUPS = /[ \u00a0\u2009\u202f'’]/; // what some languages write between groups of three digits

/**
 * Read a number with a decimal point or a decimal comma: the number, or what is wrong with it.
 *
 * No character is left out. 1.234,5 and 1,234.5 and 1 234,5 are 1234.5, and 1.234.567 is what it
 * looks like. 1.234 is read as this page writes numbers, 1,234 could be either and is not guessed.
 */
export function parse(text: string): number | string {
  const typed = text.trim().replace("−", "-");
  if (typed === "") return "type a number";
  const [, sign = "", digits = "", power = "0"] =
    /^([+-]?)([\d.,'’ \u00a0\u2009\u202f]+)(?:[eE]([+-]?\d{1,4}))?$/.exec(typed) ?? [];
  if (AMBIGUOUS.test(digits)) {
    const point = digits.replace(",", ".");
    return `${typed} may be ${point} or ${digits.replace(",", "")}: write one of these`;
  }
  const [whole, fraction] = split(digits);
  const number =
    whole === undefined || !/^\d*$/.test(fraction) || whole + fraction === ""
      ? NaN
      : Number(`${sign}${whole || "0"}.${fraction || "0"}e${power}`);
  if (Number.isNaN(number)) return `${typed} is no number`;
  return Number.isFinite(number) ? number : `${typed} is too large`;
}

/** The digits before the decimal mark, undefined if they are not well formed, and those after it. */
function split(digits: string): [string | undefined, string] {
  const last = Math.max(digits.lastIndexOf("."), digits.lastIndexOf(","));
  const mark = digits[last] ?? "";
  // A mark that comes more than once stands between groups of digits.
  const decimal = mark !== "" && digits.indexOf(mark) === last;
  const whole = decimal ? digits.slice(0, last) : digits;
  const fraction = decimal ? digits.slice(last + 1) : "";
  if (/^\d*$/.test(whole)) return [whole, fraction];
  const between = /\D/.exec(whole)?.[0] ?? "";
  const groups = whole.split(between);
  const [first = "", ...others] = groups;
  // One sort of mark before the decimal one, and another than it.
  const allowed = ".,".includes(between) || GROUPS.test(between);
  const formed =
    !(decimal && between === mark) &&
    /^[1-9]\d{0,2}$/.test(first) &&
    others.every((group) => /^\d{3}$/.test(group));
  return [formed && allowed ? groups.join("") : undefined, fraction];
}

/** As many digits as a person reads. */
export function short(value: number): string {
  return String(Number(value.toPrecision(6)));
}

/** Two numbers, each with as many digits as it takes to tell them apart. */
export function apart(a: number, b: number): [string, string] {
  const share = Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b), Number.MIN_VALUE);
  const digits = Math.min(17, Math.max(6, 3 - Math.floor(Math.log10(share || 1))));
  return [String(Number(a.toPrecision(digits))), String(Number(b.toPrecision(digits)))];
}

export interface Tick {
  readonly value: number;
  readonly label: string;
}

/** Round numbers from low to high, at most `most` of them: 1, 2 or 5 times a power of ten apart. */
export function ticks(low: number, high: number, most: number): Tick[] {
  const span = high - low;
  if (!(span > 0 && Number.isFinite(span))) return [];
  const rough = span / Math.max(1, most - 1);
  let power = Math.floor(Math.log10(rough));
  // As text: 10 ** -5 is not 1e-5 everywhere.
  const unit = (factor: number) => Number(`${factor}e${power}`);
  let factor = [1, 2, 5].find((each) => unit(each) >= rough * (1 - 1e-9));
  if (factor === undefined) [factor, power] = [1, power + 1];
  const step = unit(factor);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  // Where float64 has no numbers so near each other there is nothing to mark.
  if (!(step > 0) || Math.abs(first) > 1e12 || last - first > 100) return [];
  const size = Math.max(Math.abs(first), Math.abs(last)) * step;
  const scientific = size >= 1e6 || step < 1e-4;
  const digits = Math.max(0, Math.floor(Math.log10(size) + 1e-9) - power);
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const count = (first + index) * factor;
    // "3e-1" reads as 0.3 exactly, where 3 * 0.1 does not.
    const value = Number(`${count}e${power}`);
    const label = scientific
      ? value.toExponential(Math.min(digits, 20)).replace(/\.?0*e\+?/, "e")
      : value.toFixed(Math.min(20, Math.max(0, -power)));
    return { value, label: value === 0 ? "0" : label };
  });
}
