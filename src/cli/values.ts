import { UsageError } from "../errors.js";
import { isBeyondDouble, withinDouble } from "../numerics/decimal.js";

// What users write after an option, as values. Each parser names the option it reads and says what it would have taken.

const wrong = (option: string, text: string, expected: string): UsageError =>
  new UsageError({ where: option, got: text === "" ? "nothing" : `"${text}"`, expected });

const unitOf: Readonly<Record<string, number>> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** `a b,c` as a list of words, none of them blank. */
export function parseWords(option: string, texts: readonly string[]): readonly string[] {
  const words = texts.flatMap(text => text.split(",")).map(word => word.trim());
  if (words.includes("")) throw wrong(option, texts.join(" "), "a comma-separated list with nothing left blank");
  return words;
}

/** A size: a whole number from 1 to `most`, with K, M or G for powers of 1024. */
export function parseSize(
  option: string,
  text: string,
  most = Number.MAX_SAFE_INTEGER,
  examples = "4096, 4K or 1M",
): number {
  const size = wholeWithUnit(text);
  if (size === null && Number(/^0*([1-9]\d*)[KMG]?$/i.exec(text)?.[1]) >= 1) {
    throw wrong(option, text, `at most ${most.toLocaleString("en-US")}`);
  }
  if (size === null || size < 1) {
    throw wrong(option, text, `a whole number of at least 1, such as ${examples}`);
  }
  if (size > most) throw wrong(option, text, `at most ${most.toLocaleString("en-US")}`);
  return size;
}

/** A sequence length for the model: a size of at most `most`. */
export function parseSequence(option: string, text: string, most: number): number {
  const length = parseSize(
    option,
    text.replace(/^(\d+)T$/i, (_, n) => `${Number(n) * 1024}G`),
  );
  if (length > most) throw wrong(option, text, `at most ${most / 2 ** 30}G tokens`);
  return length;
}

/** Each different length is a sequence of its own to the model. */
const mostLengths = 4096;

/** A comma-separated list of lengths; 0 is a sequence without any. */
export function parseLengths(option: string, text: string): readonly number[] {
  const parts = text.split(",");
  if (parts.length > mostLengths) throw wrong(option, `${parts.length} lengths`, `at most ${mostLengths}`);
  return parts.map(part => {
    const length = wholeWithUnit(part.trim());
    if (length === null) throw wrong(option, text, "one whole number for each batch, such as 100,4096,4K");
    return length;
  });
}

/** A number with K, M, G or T (or KiB, …) for powers of 1024 after it, or nothing; null for anything else. */
export function numberWithUnit(text: string): number | null {
  const match = /^((?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)(?:([KMGT])(?:iB)?)?$/i.exec(text.trim());
  const value = Number(match?.[1]) * (unitOf[(match?.[2] ?? "").toUpperCase()] ?? Number.NaN);
  return Number.isFinite(value) ? value : null;
}

function wholeWithUnit(text: string): number | null {
  const match = /^(\d+)([KMG]?)$/i.exec(text);
  if (match === null) return null;
  const value = Number(match[1]) * (unitOf[(match[2] ?? "").toUpperCase()] ?? 1);
  return Number.isSafeInteger(value) ? value : null;
}

/** ROWSxCOLS: M0 keys down the rows, P0 queries across the columns. */
export function parseTile(option: string, text: string): { readonly m0: number; readonly p0: number } {
  const match = /^(\d+)[x×](\d+)$/i.exec(text);
  const m0 = Number(match?.[1]);
  const p0 = Number(match?.[2]);
  if (match === null || m0 < 1 || p0 < 1 || !Number.isSafeInteger(m0 * p0)) {
    throw wrong(option, text, "ROWSxCOLUMNS, both at least 1, such as 256x256");
  }
  return { m0, p0 };
}

/** L,R: keys seen to the left and to the right of a query's own place; -1 is unbounded. */
export function parseWindow(option: string, text: string): { readonly left: number; readonly right: number } {
  const match = /^(-?\d+),\s*(-?\d+)$/.exec(text.trim());
  const left = Number(match?.[1]);
  const right = Number(match?.[2]);
  if (match === null || !Number.isSafeInteger(left) || !Number.isSafeInteger(right)) {
    throw wrong(option, text, "LEFT,RIGHT in keys, -1 for unbounded, such as 4095,0");
  }
  if (left < -1 || right < -1) {
    throw wrong(option, text, "LEFT,RIGHT of at least 0, or -1 for unbounded: this window sees nothing");
  }
  return { left, right };
}

/** A finite decimal number within [least, most]. */
export function parseNumber(option: string, text: string, range: string, least: number, most: number): number {
  const value = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text.trim()) ? Number(text) : Number.NaN;
  if (isBeyondDouble(value, text)) throw wrong(option, text, withinDouble);
  if (!(value >= least && value <= most)) throw wrong(option, text, range);
  return value;
}

/** A seed: the integers that a generated input can be asked for. */
export function parseSeed(option: string, text: string): number {
  const seed = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(seed)) throw wrong(option, text, "a whole number from 0 to 2^53 - 1");
  return seed;
}

/** One of a few names, in any case. */
export function parseName<Name extends string>(option: string, text: string, names: readonly Name[]): Name {
  const found = names.find(name => name.toLowerCase() === text.toLowerCase());
  if (found === undefined) throw wrong(option, text, `one of ${names.join(", ")}`);
  return found;
}

/** How many output rows are compared with the float64 reference: all, a number of them, or none. */
export type CheckRows = "full" | "none" | number;

/** full, none or sample:N. */
export function parseCheck(option: string, text: string): CheckRows {
  if (text === "full" || text === "none") return text;
  const sample = /^sample:(.*)$/.exec(text);
  const rows = sample === null ? null : wholeWithUnit(sample[1] ?? "");
  if (rows === null || rows < 1)
    throw wrong(option, text, "full, none or sample:N with N of at least 1, such as sample:64");
  return rows;
}

/** b,h,m1,p1: batch, query head, key tile, query tile. */
export function parseTileCoordinates(option: string, text: string) {
  const match = /^(\d+),(\d+),(\d+),(\d+)$/.exec(text.replaceAll(" ", ""));
  if (match === null) throw wrong(option, text, "BATCH,HEAD,KEYTILE,QUERYTILE counted from 0, such as 0,0,2,1");
  const [b, h, m1, p1] = match.slice(1).map(Number) as [number, number, number, number];
  return { b, h, m1, p1 };
}

/** Bytes in words: 12 B, 3.4 KiB, 1.5 GiB. */
export function bytesInWords(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"];
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  const value = bytes / 1024 ** step;
  return `${step === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[step]}`;
}
