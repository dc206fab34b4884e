import { describe, expect, it } from "vitest";
import { parseCascade } from "../../src/einsum/cascade.js";
import { cascadeLimits } from "../../src/einsum/parse.js";

const take = (text: string) => () => parseCascade(text, "mine");
const list = (count: number, item: (i: number) => string): string[] => Array.from({ length: count }, (_, i) => item(i));

describe("what one cascade may be", () => {
  it.each<[string, (over: number) => string, RegExp]>([
    [
      "characters",
      over => `Z = A[k]\n${"#".repeat(cascadeLimits.characters - 9 + over)}`,
      /^mine:1:1: got a text of 100001 characters; expected at most 100000$/,
    ],
    [
      "Einsums",
      over => list(1000 + over, i => `T${i} = A[k]`).join("\n"),
      /^mine:1001:1: got one Einsum more; expected at most 1000$/,
    ],
    // A name or a number, a sign and the end.
    [
      "tokens in a line",
      over => `Z = A${" + 2".repeat(1998)}${over > 0 ? ";" : ""}`,
      /at most 4000 tokens in a line, not 4001$/,
    ],
    [
      "ranks",
      over => `ranks: ${list(200 + over, i => `R${i}`)}\nZ = A[k]`,
      /^mine:1:\d+: got the end of the line; expected at most 200 ranks$/,
    ],
    [
      "parts of a rank",
      over => `ranks: M = ${list(12 + over, i => `R${i}`).join("*")}\nZ = A[m]`,
      /^mine:1:8: got M split into 13 ranks; expected at most 12$/,
    ],
    [
      "letters of a name",
      over => `Z = ${"A".repeat(100 + over)}`,
      /^mine:1:5: got a name or number of 101 characters; expected at most 100$/,
    ],
    [
      "parentheses",
      over => `Z = ${"(".repeat(200 + over)}A${")".repeat(200 + over)}`,
      /^mine:1:206: got "A"; expected at most 200 levels of nesting$/,
    ],
    ["signs", over => `Z = ${"+".repeat(200 + over)}A`, /expected at most 200 levels of nesting$/],
    ["minus signs", over => `Z = ${"-".repeat(200 + over)}A`, /expected at most 200 levels of nesting$/],
    [
      "functions",
      over => `Z = ${"exp(".repeat(200 + over)}A${")".repeat(200 + over)}`,
      /expected at most 200 levels of nesting$/,
    ],
    [
      "maxima",
      over => `Z = ${"max(".repeat(200 + over)}A${", 1)".repeat(200 + over)}`,
      /expected at most 200 levels of nesting$/,
    ],
    [
      "second arguments",
      over => `Z = ${"exp(1, ".repeat(200 + over)}A${")".repeat(200 + over)}`,
      /expected at most 200 levels of nesting$/,
    ],
    [
      "others of a maximum",
      over => `Z = ${"max(1, ".repeat(200 + over)}A${")".repeat(200 + over)}`,
      /expected at most 200 levels of nesting$/,
    ],
    [
      "parentheses of an index",
      over => `Z = A[${"(".repeat(20 + over)}k${")".repeat(20 + over)}]`,
      /^mine:1:27: got "\("; expected a rank variable, a rank's size or a number/,
    ],
  ])("%s: as many are taken, and not one more", (_what, text, message) => {
    expect(take(text(0))).not.toThrow();
    expect(take(text(1))).toThrow(message);
  });
});
