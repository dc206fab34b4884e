import { UsageError } from "../../errors.js";
import { numberWithUnit } from "../values.js";

/** A range longer than this is taken for a slip of the pen. */
const mostValues = 10_000_000;

/** `1,2,5`, `4M..64M*2`, `64..512+64`, `0.5..2:100`, or several of them between commas. Throws UsageError. */
export function parseValues(where: string, text: string): readonly number[] {
  const values = text.split(",").flatMap(part => parsePart(where, part.trim()));
  const seen = new Set<number>();
  const twice = values.find(value => seen.size === seen.add(value).size);
  if (twice !== undefined) throw new UsageError({ where, got: `${twice} twice`, expected: "each value once" });
  return values;
}

function parsePart(where: string, text: string): readonly number[] {
  const [first, rest] = text.split("..");
  if (rest === undefined) return [parseValue(where, text)];
  const match = /^([^*+:]+?(?:e\+\d+)?)([*+:])(.+)$/i.exec(rest);
  const from = parseValue(where, first ?? "");
  const to = parseValue(where, match?.[1] ?? rest);
  const by = match === null ? Number.NaN : parseValue(where, match[3] as string);
  const wrong = (got: string, expected: string): UsageError => new UsageError({ where, got, expected });
  if (match === null) throw wrong(`"${text}"`, "a range FIRST..LAST with *FACTOR, +STEP or :COUNT, such as 4M..64M*2");
  if (!(to >= from)) throw wrong(`"${text}"`, "a range whose last value is not below its first");
  const [, , step] = match;
  if (step === ":") {
    if (!Number.isInteger(by) || by < 2 || by > mostValues) throw wrong(`"${text}"`, "a count of at least 2");
    return Array.from({ length: by }, (_, i) => from + ((to - from) * i) / (by - 1));
  }
  if (step === "*" ? !(by > 1 && from > 0) : !(by > 0))
    throw wrong(`"${text}"`, "a range that goes on: *FACTOR above 1, +STEP above 0");
  // The last value may miss `to` by rounding alone.
  const end = to * (1 + 1e-12);
  const length = step === "*" ? Math.floor(Math.log(end / from) / Math.log(by)) + 1 : Math.floor((end - from) / by) + 1;
  if (length > mostValues) throw wrong(`"${text}", ${length} values`, `at most ${mostValues}`);
  return Array.from({ length }, (_, i) => (step === "*" ? from * by ** i : from + by * i));
}

function parseValue(where: string, text: string): number {
  const value = numberWithUnit(text);
  if (value !== null) return value;
  throw new UsageError({
    where,
    got: text === "" ? "nothing" : `"${text}"`,
    expected: "a number, with K, M, G or T for powers of 1024, such as 8M",
  });
}
