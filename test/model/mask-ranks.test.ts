import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { compileDesign } from "../../src/model/compile.js";
import { accountingOf } from "../../src/model/corrections.js";
import { evaluate } from "../../src/model/evaluate.js";
import type { Design } from "../../src/spec/design.js";
import { loadDesign } from "../../src/spec/load.js";
import type { Mapping } from "../../src/spec/mapping.js";

const accounting = accountingOf("published", undefined);
const names = ["fusemax", "architecture", "cascade", "flat", "unfused"] as const;
const sizes = { B: 2, H: 2, E: 64, F: 64, M: 600, queries: 600, group: 2, modelDim: 64, feedForward: 64 };
const sequences = [
  { count: 1, queries: 600, keys: 600 },
  { count: 1, queries: 80, keys: 300 },
];
const causal = { left: -1, right: 0, sequences };

/** The design with the ranks of its mapping, and what is named after them, called otherwise; `sizes` says how many each has. */
function renamed(
  design: Design,
  to: Readonly<Record<string, string>>,
  sizes: Readonly<Record<string, string>>,
): Design {
  const text = JSON.stringify(design.mapping.data).replace(
    /\b(B|H|G|P|M)([0-9t]?)\b/g,
    (_, rank: string, part: string) => `${to[rank] ?? rank}${part}`,
  );
  const data = JSON.parse(text) as Mapping;
  return {
    ...design,
    mapping: { ...design.mapping, data: { ...data, symbols: { ...data.symbols, ...sizes } } },
  };
}

const evaluated = (design: Design) => {
  const { cycles, trafficBytes, energyPj, utilization } = evaluate(
    compileDesign(design),
    sizes,
    accounting,
    [],
    causal,
  );
  return { cycles, trafficBytes, energyPj, utilization };
};

describe("a mask", () => {
  it("acts on the ranks of queries, keys and sequences, whatever they are called", () => {
    const all = fc.constantFrom(...names);
    const letters = fc.shuffledSubarray(["R", "S", "T", "U", "X", "Z"], { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(all, letters, (name, [batch = "", heads = "", rows = "", keys = ""]) => {
        const design = loadDesign(specFiles, name);
        const other = renamed(
          design,
          { B: batch, H: heads, P: rows, M: keys },
          { [batch]: "B", [heads]: "H", [keys]: "M" },
        );
        expect(evaluated(other)).toEqual(evaluated(design));
      }),
      { numRuns: 40 },
    );
  });

  it("is refused where no rank is of queries, or of keys, or where sequences differ and no rank is theirs", () => {
    const design = loadDesign(specFiles, "fusemax");
    const with_ = (size: Readonly<Record<string, string>>) => () => evaluated(renamed(design, {}, size));
    expect(with_({ P: "600" })).toThrow(/got a mask, but no rank of queries; expected a rank whose size follows/);
    expect(() => evaluated(renamed(design, { M: "N" }, { N: "600" }))).toThrow(/no rank of keys/);
    // What follows more than the queries, or not as they do, is none of theirs.
    for (const size of ["queries + M - M0", "queries * queries / 600", "queries + 1"])
      expect(with_({ P: size }), size).toThrow(/no rank of queries/);
    expect(() => evaluated(renamed(design, { B: "C" }, { C: "2" }))).toThrow(
      /no rank of the sequences, whose lengths differ/,
    );
    expect(() => evaluated(renamed(design, { G: "N" }, { N: "M" }))).toThrow(
      /two ranks of keys in one Einsum, (N and M|M and N)/,
    );
  });
});
