import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CascadeError } from "../src/einsum/source.js";
import { hasUnseen, howMany, InputError, shown } from "../src/errors.js";

it.each([
  [[1, "rank"], "1 rank"],
  [[0, "rank"], "0 ranks"],
  [[2, "query"], "2 queries"],
  [[3, "key"], "3 keys"],
  [[2, "axis"], "2 axes"],
  [[2, "pass"], "2 passes"],
  [[4, "batch"], "4 batches"],
  [["1K", "token"], "1K tokens"],
  [["1", "cycle"], "1 cycle"],
] as const)("%j are %s in words", ([count, noun], said) => expect(howMany(count, noun)).toBe(said));

it("a place without a name is still a place", () => {
  expect(new InputError({ where: "", got: "a folder", expected: "a file" }).message).toBe(
    '"": got a folder; expected a file',
  );
});

describe("text from outside", () => {
  it.each([
    ["\u001b[2K\rfusemax: all is well", "\\u001b[2K\\u000dfusemax: all is well"],
    ["two\nlines\u2028three", "two\\u000alines\\u2028three"],
    ["\u202egnp.exe", "\\u202egnp.exe"],
    ["\u{e0041}\ud800", "\\u{e0041}\\ud800"],
    ["naïve ∞ 漢字", "naïve ∞ 漢字"],
  ])("%j is shown as %s", (text, escaped) => expect(shown(text)).toBe(escaped));

  it("law: an error is one line of what can be seen, of a bounded length, whatever is in it", () => {
    const any = fc.oneof(
      fc.string({ unit: "binary", maxLength: 3000 }),
      fc.string({ maxLength: 100 }).map(text => text.repeat(1000)),
    );
    fc.assert(
      fc.property(any, any, any, any, (where, got, expected, fix) => {
        const { message, complaint } = new InputError({ where, got, expected, fix });
        expect(hasUnseen(message)).toBe(false);
        expect(message).not.toMatch(/[\r\n\t]/);
        // An escape is up to nine characters long.
        expect(message.length).toBeLessThan(9 * (3 * 400 + 1500) + 200);
        expect(new InputError(complaint).message).toBe(message);
      }),
      { numRuns: 2000 },
    );
  });

  it("an excerpt keeps its caret below the place, and hides what moves a cursor", () => {
    const line = "Z = A[k] \u001b[31m* B[k]";
    const error = new CascadeError(
      { name: "x", lines: [line] },
      { line: 1, column: 10, length: 1 },
      { got: "a", expected: "b" },
    );
    expect(error.excerpt).toBe("  Z = A[k] \ufffd[31m* B[k]\n           ^");
  });
});
