import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { initialState, readSize, readState, type State, writeSize, writeState } from "../../explorer/state.js";

describe("the state in the address", () => {
  test("is short where nothing differs from the default", () => {
    expect(writeState(initialState)).toBe("1/cost");
    expect(readState("1/cost")).toEqual({ state: initialState, notes: [] });
  });

  test("comes back as it was written", () => {
    const states = fc.record({
      model: fc.constantFrom("bert", "xlm", "custom"),
      seq: fc.integer({ min: 16, max: 2 ** 30 }),
      batch: fc.integer({ min: 1, max: 65536 }),
      designs: fc.uniqueArray(fc.constantFrom("unfused", "flat", "cascade", "fusemax"), { minLength: 1 }),
      accounting: fc.constantFrom("default" as const, "published" as const, "corrected" as const),
      scope: fc.constantFrom("attention" as const, "layer" as const),
      rows: fc.integer({ min: 8, max: 1024 }),
      buffer: fc.double({ min: 1 / 64, max: 64, noNaN: true }),
    });
    fc.assert(
      fc.property(states, part => {
        const state: State = { ...initialState, ...part };
        expect(readState(writeState(state))).toEqual({ state, notes: [] });
      }),
    );
  });

  test.each([
    ["nonsense", "could not be read"],
    ["2/cost", "version 2"],
    ["1/other", 'no page "other"'],
    ["1/cost?colour=red", '"colour" is not known'],
    ["1/cost?rows=100000", "rows = "],
    ["1/cost?seq=-5", "seq = "],
    ["1/cost?rows=", "rows = "],
    ["1/cost?model=nosuch", "model = "],
    ["1/cost?designs=flat,nosuch", "designs = "],
    ["1/cost?designs=", "designs = "],
    ["1/cascade?cascade=nosuch", "cascade = "],
  ])("%s falls back to the defaults and says so", (fragment, said) => {
    const { state, notes } = readState(fragment);
    expect(state).toEqual({ ...initialState, panel: state.panel });
    expect(notes.join()).toContain(said);
  });

  test("a link of any length is answered with a few notes of what can be seen", () => {
    expect(readState(`1/cost?${"a&".repeat(1e6)}`).notes).toEqual([
      "This link is longer than 60000 characters; the defaults are shown.",
    ]);
    const many = readState(`1/cost?${Array.from({ length: 3000 }, (_, i) => `k${i}=\u001b`).join("&")}`).notes;
    expect(many).toHaveLength(6);
    expect(many.at(-1)).toBe("2995 more of the link could not be read.");
    expect(readState("1/cost?rows=%1b[2J%0a").notes).toEqual([
      'The link\'s rows = "\\u001b[2J\\u000a" is not allowed; the default is shown.',
    ]);
  });

  test("any text is read without an exception", () => {
    fc.assert(fc.property(fc.string(), text => void readState(text)));
    fc.assert(fc.property(fc.string(), text => void readState(`1/cost?${text}`)));
  });

  test("sizes are written as the command line reads them", () => {
    expect([1, 1000, 1024, 65536, 3 * 2 ** 20, 2 ** 30].map(writeSize)).toEqual(["1", "1000", "1K", "64K", "3M", "1G"]);
    fc.assert(fc.property(fc.integer({ min: 1, max: 2 ** 40 }), size => readSize(writeSize(size)) === size));
    expect(["", "K", "1.5K", "-1", "0", "1e3", "9".repeat(30)].map(readSize)).toEqual(Array(7).fill(undefined));
  });
});
