import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { computeCost } from "../../explorer/cost/designs.js";
import { checkDesign } from "../../explorer/design/check.js";
import { longestDesignLink, packDesign, unpackDesign } from "../../explorer/design/link.js";
import { allDesigns } from "../../explorer/design/names.js";
import { ownDesign, ownName } from "../../explorer/design/own.js";
import { copyOf, parts, withPart, withText } from "../../explorer/design/start.js";
import { wholeText } from "../../explorer/design/texts.js";
import {
  initialState,
  pinnedOf,
  readState,
  type State,
  settled,
  withoutPin,
  writeState,
} from "../../explorer/state.js";

const shipped = allDesigns.filter(name => name !== ownName);

/** The visitor's design beside another one, as the page asks for them. */
const stateOf = (own: State["own"], base: string): State => ({
  ...initialState,
  own,
  designs: [base, ownName],
  seq: 4096,
});

describe("a copy of a shipped design", () => {
  test.each(shipped)("law: it costs what %s costs, and a link carries it", base => {
    const own = copyOf(base, wholeText);
    const state = stateOf(own, base);
    const cost = (design: string) => computeCost({ design, seq: state.seq, state });
    expect(cost(ownName)).toEqual(cost(base));
    expect(checkDesign({ own, state })).toMatchObject({ fault: null, unfit: null });
    expect(packDesign(own).length).toBeLessThan(longestDesignLink);
    expect(readState(writeState(state))).toEqual({ state, notes: [] });
  });

  test("takes a part that the shipped one has none of", () => {
    const part = parts.find(({ field }) => field === "arithmetic");
    if (part === undefined) throw new Error("no arithmetic");
    const own = withPart(copyOf("fusemax", wholeText), part, wholeText);
    expect(own.files["design.yaml"]).toContain("arithmetic: arithmetic.yaml\n");
    expect(checkDesign({ own, state: stateOf(own, "fusemax") })).toMatchObject({ fault: null });
  });
});

test("what is pinned keeps the text that the design had then, in a link too", () => {
  const before = copyOf("fusemax", wholeText);
  const after = withText(before, "architecture.yaml", (before.files["architecture.yaml"] ?? "").replace("256", "128"));
  const state = stateOf(before, "fusemax");
  const pinned: State = { ...state, pin: writeState(withoutPin(state)), pinnedOwn: before };
  expect(writeState(pinned)).not.toContain("pinnedOwn");
  const edited: State = { ...pinned, own: after };
  for (const { state: read } of [pinned, edited].map(of => readState(writeState(of)))) {
    expect(pinnedOf(read)).toEqual(state);
    expect(read.pinnedOwn).toBe(before);
  }
});

describe("a text that is wrong", () => {
  test.each([
    ["architecture.yaml", "depth: 12", "depth: twelve", "architecture.yaml", "twelve"],
    ["architecture.yaml", "levels:", "levels", "architecture.yaml", ""],
    ["mapping.yaml", "einsums:", "einsum:", "mapping.yaml", "unknown key"],
    ["binding.yaml", "latency:", "latency: nothing +", "binding.yaml", "nothing"],
    ["einsums.cascade", "max(m0)", "max(m7)", "einsums.cascade", "m7"],
    ["schedule.yaml", "tiles:", "tile:", "schedule.yaml", "tiles"],
    ["design.yaml", "mapping.yaml", "mappings.yaml", "design.yaml", "mappings.yaml"],
  ])("%s: %s -> %s is named with its line", (file, from, to, where, said) => {
    const copy = copyOf("fusemax", wholeText);
    const text = copy.files[file] ?? "";
    expect(text).toContain(from);
    const own = withText(copy, file, text.replace(from, to));
    const check = checkDesign({ own, state: stateOf(own, "fusemax") });
    expect(check.fault).toMatchObject({ file: where });
    expect(check.fault?.message).toContain(said);
    const lines = (own.files[where] ?? "").split("\n");
    expect(check.fault?.line).toBeLessThanOrEqual(lines.length);
    expect(check.fault?.excerpt).toContain("^");
    // What cannot be read has a cost that says the same.
    const cost = computeCost({ design: ownName, seq: 4096, state: stateOf(own, "fusemax") });
    expect(cost).toBe(check.fault?.message);
  });
});

test("a schedule that no array can follow is named with its line, and the rest of the design goes on", () => {
  const copy = copyOf("fusemax", wholeText);
  const own = withText(copy, "schedule.yaml", (copy.files["schedule.yaml"] ?? "").replace("2d:", "3d:"));
  const check = checkDesign({ own, state: stateOf(own, "fusemax") });
  expect(check).toMatchObject({ fault: null, unfit: { file: "schedule.yaml" } });
});

describe("the design in a link", () => {
  const texts = fc.dictionary(fc.string({ minLength: 1, maxLength: 20 }), fc.string({ maxLength: 200 }), {
    maxKeys: 4,
  });

  test("law: comes back as it was written", () => {
    fc.assert(
      fc.property(fc.string(), texts, (base, files) => {
        const own = ownDesign(base, files);
        expect(unpackDesign(packDesign(own))).toBe(own);
      }),
    );
  });

  test("law: what is none is refused, whatever it is", () => {
    fc.assert(fc.property(fc.string(), text => void unpackDesign(text)));
    const packed = packDesign(copyOf("fusemax", wholeText));
    expect(unpackDesign(packed.slice(0, -20))).toBeUndefined();
    const { state, notes } = readState("1/cost?own=abc&designs=own,flat&sweepDesign=own&design=own");
    expect(notes).toEqual(["The link's design could not be read: it may have been cut on its way."]);
    expect(state).toMatchObject({ own: null, designs: ["flat"], sweepDesign: "fusemax", design: "fusemax" });
  });

  test("is no part of it where it is too long, and is said to be elsewhere", () => {
    let noise = "";
    for (let i = 0, at = 1; i < 12_000; i += 1) {
      at = (at * 48271) % 2147483647; // Lehmer's generator: nothing that could be compressed
      noise += String.fromCharCode(33 + (at % 90));
    }
    const state = { ...initialState, own: ownDesign("flat", { "design.yaml": noise }) };
    expect(writeState(settled(state).state)).toBe("1/cost?own=kept");
    expect(readState("1/cost?own=kept").notes).toEqual([
      "The design of this link was too long for it; only the browser in which it was made has it.",
    ]);
  });
});
