import { describe, expect, it } from "vitest";
import { FusemaxError } from "../../src/errors.js";
import { specFiles } from "../../src/io/spec-files.js";
import { compileDesign } from "../../src/model/compile.js";
import type { Design } from "../../src/spec/design.js";
import { loadDesign, type SpecKind, type SpecSource } from "../../src/spec/load.js";

type Change = readonly [kind: SpecKind, from: string | RegExp, to: string];

/** A design with texts of its files changed: the first occurrence of `from` becomes `to`. */
function changed(design: string, changes: readonly Change[]): SpecSource {
  return {
    ...specFiles,
    read(asked, wanted, by) {
      const spec = specFiles.read(asked, wanted, by);
      if (spec === undefined) return spec;
      const mine = changes.filter(([kind]) => kind === asked && (kind !== "designs" || wanted === design));
      if (mine.length === 0) return spec;
      const text = mine.reduce((before, [, from, to]) => {
        const after = before.replace(from, to);
        expect(after, `${from} in ${spec.file}`).not.toBe(before);
        return after;
      }, spec.text);
      return { file: `${asked}.txt`, text };
    },
  };
}

const load = (design: string, ...changes: readonly Change[]): Design => loadDesign(changed(design, changes), design);

function complaint(design: string, ...changes: readonly Change[]): string {
  try {
    compileDesign(load(design, ...changes));
  } catch (error) {
    if (error instanceof FusemaxError) return error.message;
    throw error;
  }
  throw new Error("nothing was wrong with it");
}

const typed = (fields: string): Change => ["mappings", "  LM:\n    array: 2d", `  LM:\n    array: 2d\n    ${fields}`];

describe("a mapping that contradicts its cascade is refused in one line with its place", () => {
  const cases: Readonly<Record<string, readonly [changes: readonly Change[], message: RegExp]>> = {
    "a cascade that is not there": [
      [["designs", "cascade: attention-1-pass", "cascade: attention-9-pass"]],
      /^designs\.txt:\d+:1 cascade: got "attention-9-pass"; expected one of attention-1-pass, .* or a cascade's file$/,
    ],
    "a cascade whose text is none": [[["cascades", "max(m0)", "mean(m0)"]], /^cascades\.txt:16:\d+: got .*mean/],
    "a design whose cascade is another": [
      [["designs", "cascade: attention-1-pass", "cascade: attention-3-pass"]],
      /^specs\/mappings\/fusemax\.yaml:\d+:12 aliases\.QK: got BQK; expected a tensor of attention-3-pass: /,
    ],
    "an Einsum that the cascade does not have": [
      [["mappings", "  SLD:\n", "  SLX:\n"]],
      /^mappings\.txt:\d+:3 einsums\.SLX: got the Einsum SLX; expected one of attention-1-pass: BQK, LM, .*; did you mean SLN\?/,
    ],
    "an Einsum without a place": [
      [["mappings", / {2}SLD:\n( {4}.*\n)+/, ""]],
      /^mappings\.txt:\d+:1 einsums: no place for SLD, which .*attention-1-pass\.cascade has on line \d+; expected every Einsum of attention-1-pass/,
    ],
    "inputs that it does not read": [
      [typed("inputs: [BQK, RM]")],
      /^mappings\.txt:\d+:5 einsums\.LM\.inputs: got the inputs BQK, RM; expected BQK, which LM reads on line 16/,
    ],
    "an output that it does not write": [
      [typed("output: SLD")],
      /^mappings\.txt:\d+:5 einsums\.LM\.output: got the output SLD; expected LM/,
    ],
    "operations that it does not do": [
      [typed("operations: { max: 2 }")],
      /^mappings\.txt:\d+:5 einsums\.LM\.operations: got max: 2; expected max: 1, which LM takes on the 2d array; leave them out, or say in 'source'/,
    ],
    "ranks that it does not have": [
      [["mappings", "tensors:\n", "tensors:\n  LM: [B, H, G, M, P]\n"]],
      /^mappings\.txt:\d+:3 tensors\.LM: got the ranks B, H, G, M, P; expected B, H, G, M1, P, as .*attention-1-pass\.cascade has it/,
    ],
    "a batch of something that is made": [
      [["mappings", "batch: { Q:", "batch: { RM: [B], Q:"]],
      /^mappings\.txt:\d+:10 batch\.RM: got RM; expected an input: Q, K, V/,
    ],
    "a loop over a rank that it does not have": [
      [["mappings", "buffer: [G1, P1, E]", "buffer: [G1, P1, E, F]"]],
      /^mappings\.txt:\d+:\d+ einsums\.BQK\.loops\.buffer: got a loop over F; expected loops over B, H, G2, G1, /,
    ],
    "parts that do less than the Einsum": [
      [
        [
          "mappings",
          "  SLD:\n    array: 2d\n",
          "  SLD-a:\n    of: SLD\n    array: 2d\n    operations: { max: 1 }\n    loops: *tile2d\n    keep: { spill: [SLD], registers2d: [SLN, SLD] }\n  SLD-b:\n    of: SLD\n    operations: { add: 2 }\n    array: 2d\n",
        ],
      ],
      /^mappings\.txt:\d+:3 einsums\.SLD-a: got parts of SLD that do max: 1, add: 2; expected add: 1/,
    ],
    "nothing said and no cascade": [
      [["designs", /cascade: .*\n/, ""]],
      /^specs\/mappings\/fusemax\.yaml:\d+:3 einsums\.BQK: no inputs, and a design that names no cascade; expected inputs in the mapping/,
    ],
    "a role that no input has": [
      [["cascades", "q=Q", "q=X"]],
      /^cascades\.txt:5:1: got q=X; expected an input: Q, K, V/,
    ],
    "a role that does not exist": [
      [["cascades", "q=Q", "query=Q"]],
      /^cascades\.txt:5:1: got the role "query=Q"; expected roles among q, k, v, out/,
    ],
  };
  it.each(Object.entries(cases))("%s", (_, [changes, message]) => {
    const said = complaint("fusemax", ...changes);
    expect(said).toMatch(message);
    expect(said).not.toContain("\n");
  });
});

it("a design without a cascade has to list its tensors", () => {
  const said = complaint("linear-flat", ["mappings", "  Y: [R, N]\n", ""]);
  expect(said).toMatch(/^mappings\.txt:\d+:\d+ einsums\.Q\.output: no tensor 'Y'; expected a tensor listed/);
});

it("parts are parts of a cascade's Einsums", () => {
  const said = complaint("linear-flat", ["mappings", "  Z:\n", "  Z:\n    of: Q\n"]);
  expect(said).toMatch(/^mappings\.txt:\d+:5 einsums\.Z\.of: got a part of Q; expected parts only with a cascade/);
});

describe("a mapping may", () => {
  it("type what the cascade says, if it agrees", () => {
    const design = load("fusemax", typed("inputs: [BQK]\n    output: LM\n    operations: { max: 1, mac: 0 }"));
    expect(design.mapping.data.einsums["LM"]).toMatchObject({ inputs: ["BQK"], output: "LM" });
  });

  it("say operations of its own with their source", () => {
    const design = load("fusemax", typed("operations: { max: 2 }\n    source: a comparator of two cycles"));
    expect(design.placement?.find(({ name }) => name === "LM")?.variants[0]?.operations).toEqual({ max: 2 });
  });

  it("use its aliases throughout, and bindings and --set may too", () => {
    const renamed: Change = ["mappings", /\bBQK\b(?!\s\})/g, "QK"];
    const patches = [{ path: "mapping.einsums.QK.operations.mac", value: 2 }];
    const compiled = compileDesign(load("fusemax", renamed, ["bindings", "BQK", "QK"]), { patches });
    expect(compiled.einsums.map(({ name }) => name)).toContain("BQK");
    expect(compiled.phases[0]?.einsums).toContain("BQK");
    expect(compiled.mapping.einsums["BQK"]).toMatchObject({ operations: { mac: 2 } });
  });

  it("place an Einsum in parts that together do what it does", () => {
    const place = "    array: 2d\n    loops: *tile2d\n    keep: { spill: [RM], registers2d: [BQK, RM, SLN] }\n";
    const design = load(
      "fusemax",
      [
        "mappings",
        / {2}SLN:\n( {4}.*\n)+/,
        `  subtract:\n    of: SLN\n    operations: { add: 1 }\n${place}  power:\n    of: SLN\n    operations: { mac: 6 }\n${place}`,
      ],
      ["bindings", "SLN", "subtract + power"],
    );
    expect(design.placement?.filter(({ isPart }) => isPart).map(({ name }) => name)).toEqual(["subtract", "power"]);
    expect(() => compileDesign(design)).not.toThrow();
  });

  it("cut further what the cascade cuts", () => {
    const design = load(
      "fusemax",
      ["mappings", "M: { M1: rest, M0: rows }", "M: { M2: rest, M1: 4, M0: rows }"],
      ["mappings", /P2, M1\]/g, "P2, M2, M1]"],
    );
    expect(design.mapping.data.tensors["LM"]).toEqual(["B", "H", "G", "M2", "M1", "P"]);
    expect(design.mapping.data.tensors["BQK"]).toEqual(["B", "H", "G", "M", "P"]);
  });
});
