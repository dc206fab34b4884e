import { finite } from "./finite.js";

const decimal = ["", "k", "M", "G", "T", "P", "E", "Z", "Y", "R", "Q"];
const fractions = ["", "m", "µ", "n", "p", "f"];

/** A value with its unit and a decimal prefix, four digits: 1.234 mJ. */
export function engineering(value: number, unit: string): string {
  if (finite(value, "a number to print") === 0) return `0 ${unit}`;
  const step = Math.floor(Math.log10(Math.abs(value) * (1 + 1e-12)) / 3);
  const prefix = step >= 0 ? decimal[step] : fractions[-step];
  if (prefix === undefined) return `${value.toExponential(3)} ${unit}`;
  return `${(value / 1000 ** step).toPrecision(4)} ${prefix}${unit}`;
}

export const seconds = (value: number): string => engineering(value, "s");
const spans = [
  ["d", 86_400],
  ["h", 3600],
  ["min", 60],
] as const;

/** A time as people say it: 7.403 s, 12.3 min, 4.56 h. */
export function duration(value: number): string {
  const [unit, size] = spans.find(([, span]) => value >= 2 * span) ?? ["s", 1];
  return size === 1 ? seconds(value) : `${ratio(value / size)} ${unit}`;
}

export const bytes = (value: number): string => engineering(value, "B");
/** Energies are counted in picojoules. */
export const energy = (pj: number): string => engineering(pj / 1e12, "J");
/** Areas are counted in square micrometres. */
export const area = (um2: number): string => `${(finite(um2, "an area") / 1e6).toPrecision(4)} mm²`;
export const percent = (share: number): string => `${(100 * finite(share, "a share")).toFixed(1)}%`;
export const ratio = (value: number): string => finite(value, "a ratio").toPrecision(4);

/** 1024 -> 1K, 1048576 -> 1M; whatever is no such multiple as it is. */
export function lengthLabel(length: number): string {
  for (const [unit, size] of [
    ["T", 2 ** 40],
    ["G", 2 ** 30],
    ["M", 2 ** 20],
    ["K", 2 ** 10],
  ] as const) {
    if (length >= size && length % size === 0) return `${length / size}${unit}`;
  }
  return String(length);
}

/** A number for an axis or a tooltip: no binary dust, an exponent only where it is shorter. */
export function plain(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6 || (size > 0 && size < 1e-3)) return value.toExponential(6).replace(/\.?0+e\+?/, "e");
  return String(Number(value.toPrecision(6)));
}
