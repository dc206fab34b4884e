import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { processorSeconds } from "../../bench/processor-time.js";
import { parseCascade } from "../../src/einsum/cascade.js";
import { compareCascades } from "../../src/einsum/equal.js";
import { CascadeError } from "../../src/einsum/source.js";
import { FusemaxError } from "../../src/errors.js";
import { loadCascade } from "../../src/io/cascade-files.js";
import { passesReport, passesText } from "../../src/report/passes.js";
import { randomCascade } from "./random-cascade.js";

/** Parses; if that works, analyses, prints and runs. Errors that people can fix are fine, any other is a defect. */
function takeThrough(text: string): void {
  try {
    const cascade = parseCascade(text);
    passesText(cascade, passesReport(cascade));
    compareCascades(cascade, cascade, { trials: 1 });
  } catch (error) {
    if (!(error instanceof FusemaxError)) throw error;
    if (!(error instanceof CascadeError)) return;
    const { line, column } = error.span;
    expect(line).toBeGreaterThanOrEqual(1);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(error.excerpt).toMatch(/\^/);
  }
}

const token = fc.constantFrom(
  ...["A", "B", "RM", "Z", "K", "M0", "k", "i", "m1", "0", "1", "2.5", "inf", "exp", "max", "ranks", "inputs", "until"],
  ...[
    "[",
    "]",
    "(",
    ")",
    ",",
    ":",
    "::",
    "=",
    "+",
    "-",
    "*",
    "/",
    "<=",
    ">=",
    "@",
    "operand",
    "\n",
    "\n",
    " ",
    "#",
    "é",
  ],
);

describe("any text", () => {
  it("is a cascade or an error with a place: words of the language in any order", () => {
    fc.assert(
      fc.property(fc.array(token, { maxLength: 40 }), tokens => takeThrough(tokens.join(""))),
      { numRuns: 2000 },
    );
  });

  it("... and library cascades with a few characters changed", () => {
    const texts = ["attention-1-pass", "attention-2-pass", "cascade-3", "variance-welford"].map(name =>
      loadCascade(name).source.lines.join("\n"),
    );
    const edit = fc.record({ at: fc.nat(), remove: fc.nat(3), insert: fc.option(token, { nil: "" }) });
    fc.assert(
      fc.property(fc.constantFrom(...texts), fc.array(edit, { minLength: 1, maxLength: 3 }), (text, edits) => {
        const edited = edits.reduce((t, { at, remove, insert }) => {
          const place = at % (t.length + 1);
          return t.slice(0, place) + insert + t.slice(place + remove);
        }, text);
        takeThrough(edited);
      }),
      { numRuns: 200 },
    );
  });

  it("... and random cascades, which always run", () => {
    fc.assert(
      fc.property(randomCascade(8), text => {
        const cascade = parseCascade(text);
        passesText(cascade, passesReport(cascade));
        expect(compareCascades(cascade, cascade, { trials: 1, shape: { K: 4 } }).equal).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  it("compares cascades of a thousand inputs, and refuses shapes that would fill the memory", () => {
    const many = parseCascade(Array.from({ length: 300 }, (_, i) => `Z${i}[m] = A[m] * B${i}[m]`).join("\n"));
    expect(compareCascades(many, many, { trials: 1 }).cases.length).toBe(1 + 12 + 2 * 8);
    const softmax = loadCascade("softmax");
    expect(() => compareCascades(softmax, softmax, { shape: { M: 2e8 } })).toThrow(
      /got 200000000 elements; expected at most/,
    );
  });

  it("refuses names that would fill a screen", () => {
    expect(() => parseCascade(`Z = ${"A".repeat(5000)}[k]`)).toThrow(
      /got a name or number of 5000 characters; expected at most 100/,
    );
  });

  it("a rank split into itself again and again is answered at once", () => {
    const splits = Array.from({ length: 150 }, (_, i) => `R${i} = R${i + 1} * R${i + 1}`);
    const began = process.cpuUsage();
    takeThrough(`ranks: ${splits.join(", ")}\nZ = A[r0] * B[r150]`);
    takeThrough("ranks: M = M1 * M0, M1 = M * M0\nZ = A[m] * B[m1,m0]");
    expect(processorSeconds(began)).toBeLessThan(2);
  });
});
