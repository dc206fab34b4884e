import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SpecError } from "../../src/errors.js";
import { specFilesOf } from "../../src/spec/timeloop/spec-files.js";
import { walkTimeloop } from "../oracle/timeloop-walk.js";
import { countsOfTexts } from "./counts-of-texts.js";

const machine = `
architecture:
  version: 0.4
  nodes:
  - !Container {name: top, attributes: {technology: 22nm, global_cycle_seconds: 1.0e-9}}
  - !Component {name: Main, class: DRAM, attributes: {width: 64, datawidth: 16}}
  - !Component {name: Shared, class: SRAM, attributes: {depth: 4096, width: 64, datawidth: 16}}
  - !Container {name: PE, spatial: {meshX: 4, meshY: 16}}
  - !Component {name: Local, class: storage, subclass: aladdin_register, attributes: {depth: 64, width: 16, datawidth: 16}}
  - !Component {name: MAC, class: intmac, attributes: {width: 16}}
`;
const levels = ["Main", "Shared", "PE", "Local"] as const;
const spaces = { A: ["M", "K"], B: ["K", "N"], Z: ["M", "N"] } as const;
const problem = (bounds: Readonly<Record<"M" | "N" | "K", number>>): string => `
problem:
  version: 0.4
  shape:
    name: product
    dimensions: [M, N, K]
    data_spaces:
    - {name: A, projection: [[[M]], [[K]]]}
    - {name: B, projection: [[[K]], [[N]]]}
    - {name: Z, projection: [[[M]], [[N]]], read_write: True}
  instance: {M: ${bounds.M}, N: ${bounds.N}, K: ${bounds.K}}
`;
const specFilesFor = (architecture: string, given: string, mapping: string) =>
  specFilesOf({
    architecture: { file: "arch.yaml", text: architecture },
    problem: { file: "problem.yaml", text: given },
    mapping: { file: "map.yaml", text: mapping },
  });

describe("Timeloop's files", () => {
  const factor = fc.constantFrom(1, 1, 2, 3);
  const byLevel = fc.record({ M: factor, N: factor, K: factor });
  const nests = fc.record({
    factors: fc.tuple(byLevel, byLevel, byLevel, byLevel),
    orders: fc.tuple(...levels.map(() => fc.shuffledSubarray(["M", "N", "K"], { minLength: 3, maxLength: 3 }))),
    shared: fc.subarray(["A", "B", "Z"]),
  });

  it("law: the design counts what a walk of the mapping's own loops sees", () => {
    fc.assert(
      fc.property(nests, ({ factors, orders, shared }) => {
        const size = (dimension: "M" | "N" | "K"): number => factors.reduce((p, f) => p * f[dimension], 1);
        const bounds = { M: size("M"), N: size("N"), K: size("K") };
        const loops = levels.flatMap((level, i) =>
          [...(orders[i] as string[])].reverse().map(dimension => ({
            level: i,
            dimension,
            bound: factors[i]?.[dimension as "M"] ?? 1,
            spatial: level === "PE",
          })),
        );
        const directives = levels.map((level, i) => {
          const own = Object.entries(factors[i] ?? {}).map(([d, n]) => `${d}=${n}`);
          const split = level === "PE" ? ", split: 1" : "";
          return `- {target: ${level}, type: ${level === "PE" ? "spatial" : "temporal"}, factors: [${own.join(", ")}], permutation: [${orders[i]?.join(", ")}]${split}}`;
        });
        const passed = ["A", "B", "Z"].filter(name => !shared.includes(name));
        const mapping = `mapping:\n${directives.join("\n")}\n- {target: Shared, type: dataspace, keep: [${shared}], bypass: [${passed}]}\n`;
        const wide = machine.replace("meshX: 4, meshY: 16", "meshX: 16, meshY: 16");
        const found = countsOfTexts(specFilesFor(wide, problem(bounds), mapping));
        const seen = walkTimeloop(
          loops,
          Object.entries(spaces).map(([name, dimensions]) => ({
            name,
            dimensions,
            output: name === "Z",
            kept: shared.includes(name) ? [0, 1, 3] : [0, 3],
          })),
          levels,
        );
        expect(found).toEqual(seen);
      }),
      { numRuns: 40 },
    );
  });

  const kept = "mapping:\n- {target: Main, type: temporal, factors: M=2 N=2 K=2, permutation: KNM}\n";
  const eight = { M: 2, N: 2, K: 2 };

  it("comments each guess, and what it leaves out", () => {
    const plain = machine.replace(", attributes: {technology: 22nm, global_cycle_seconds: 1.0e-9}", "");
    const texts = specFilesFor(
      plain.replace("{depth: 4096, width: 64", "{n_banks: 2, depth: 4096, width: 64"),
      problem(eight),
      kept,
    );
    const architecture = texts.get("architecture.yaml") ?? "";
    for (const said of [
      "guess: energies and areas of 45nm; the file names no technology",
      "1e9 # guess: the file says no global_cycle_seconds",
      "guess: a bandwidth at which nothing waits",
      "left out, as nothing here counts it: n_banks: 2",
    ]) {
      expect(architecture).toContain(said);
    }
    expect(texts.get("Z.cascade")).toMatch(/^# guess: a sum of products.*\n.*\nZ\[m,n\] = A\[m,k\] \* B\[k,n\]\n$/m);
  });

  it("takes a list, a text and letters for factors and permutations alike, and 0 for a whole dimension", () => {
    const forms = [
      kept,
      kept.replace("M=2 N=2 K=2", "[M=2, N=0, K2]").replace("KNM", "[K, N, M]"),
      kept.replace("KNM", "K N M"),
    ];
    const texts = forms.map(mapping => specFilesFor(machine, problem(eight), mapping).get("mapping.yaml"));
    expect(new Set(texts).size).toBe(1);
    expect(texts[0]).toContain("Main: [M1, N, K]");
  });

  it("leaves out sizes of 1 that a shape does not have, in an instance and in a permutation", () => {
    const wider = problem(eight).replace("K: 2}", "K: 2, J: 1}");
    const texts = specFilesFor(machine, wider, kept.replace("KNM", "JKNM"));
    expect(texts.get("mapping.yaml")).toContain("# left out: J: 1, which is no dimension of the problem");
    expect(countsOfTexts(texts)).toEqual(countsOfTexts(specFilesFor(machine, problem(eight), kept)));
  });

  it("keeps a text of a file within its comment", () => {
    const forged = machine.replace("technology: 22nm", 'technology: "22nm\\nfrequencyHz: 1"');
    const texts = specFilesFor(forged, problem(eight), kept);
    expect(texts.get("architecture.yaml")).toContain("the file says 22nm\\u000afrequencyHz: 1\n");
  });

  it("counts a dimension of no data-space as work that repeats", () => {
    const repeated = problem({ M: 2, N: 2, K: 2 })
      .replace("[[[M]], [[K]]]", "[[[M]]]")
      .replace("[[[K]], [[N]]]", "[[[N]]]");
    const texts = specFilesFor(machine, repeated, kept);
    expect(texts.has("Z.cascade")).toBe(false);
    expect(texts.get("mapping.yaml")).toContain("# guess: no data-space has K, which only repeats the work");
    expect(countsOfTexts(texts)).toMatchObject({ cycles: 8, accesses: { "Local A": { reads: 8, fills: 2 } } });
  });

  it.each([
    [
      "a sparse format",
      machine.replace("class: SRAM,", "class: SRAM, sparse_optimizations: {},"),
      undefined,
      undefined,
      /arch\.yaml:7:\d+ .*sparse_optimizations, which has no counterpart here/,
    ],
    [
      "a node of another kind",
      machine.replace("- !Container {name: PE", "- !Nothing {name: PE"),
      undefined,
      undefined,
      /arch\.yaml:8:\d+ .*got !Nothing, which has no counterpart/,
    ],
    [
      "an attribute that moves counts",
      machine.replace("{depth: 4096", "{metadata_storage_depth: 8, depth: 4096"),
      undefined,
      undefined,
      /arch\.yaml:7:\d+ .*metadata_storage_depth, which has no counterpart/,
    ],
    [
      "an expression",
      machine.replace("depth: 4096", "depth: 64 * 64"),
      undefined,
      undefined,
      /arch\.yaml:7:\d+ .*the expression "64 \* 64", which has no counterpart/,
    ],
    [
      "another version",
      machine.replace("0.4", "0.3"),
      undefined,
      undefined,
      /arch\.yaml:3:3 .*version 0\.3; expected version 0\.4/,
    ],
    [
      "no memory at the PEs",
      machine.replace(/ {2}- !Component \{name: Local.*\n/, ""),
      undefined,
      undefined,
      /arch\.yaml:8:\d+ .*instances of MAC at one memory, which has no counterpart/,
    ],
    [
      "a coefficient that is not said",
      undefined,
      problem(eight).replace("[[[M]], [[K]]]", "[[[M, S]], [[K]]]"),
      undefined,
      /problem\.yaml:8:\d+ .*the coefficient S; expected a number/,
    ],
    [
      "a window in what is written",
      undefined,
      problem(eight).replace("[[[M]], [[N]]]", "[[[M], [N]]]"),
      undefined,
      /problem\.yaml:10:\d+ .*the sum M \+ N in what is written, which has no counterpart/,
    ],
    [
      "a dimension in two places",
      undefined,
      problem(eight).replace("[[[M]], [[K]]]", "[[[M], [K]], [[K]]]"),
      undefined,
      /problem\.yaml:8:\d+ .*the dimension K twice, which has no counterpart/,
    ],
    [
      "a window beside a dimension of no data-space",
      undefined,
      problem(eight).replace("[[[M]], [[K]]]", "[[[M], [K]]]").replace(", [[N]]", "").replace(", [[N]]", ""),
      undefined,
      /problem\.yaml:8:\d+ .*a sum of dimensions beside N of no data-space, which has no counterpart/,
    ],
    [
      "sparse data",
      undefined,
      problem(eight).replace("K: 2}", "K: 2, densities: {A: 0.5}}"),
      undefined,
      /problem\.yaml:11:\d+ .*densities, which has no counterpart/,
    ],
    [
      "no output",
      undefined,
      problem(eight).replace(", read_write: True", ""),
      undefined,
      /problem\.yaml:7:5 .*no data-space that is written/,
    ],
    [
      "an imperfect factor",
      undefined,
      undefined,
      kept.replace("M=2 N=2 K=2", '"M=2,1 N=2 K=2"'),
      /map\.yaml:2:\d+ .*the residual 1, which has no counterpart/,
    ],
    [
      "factors that miss the size",
      undefined,
      undefined,
      kept.replace("M=2", "M=3"),
      /map\.yaml:\d+:\d+ mapping: got factors of M whose product is 3; expected 2/,
    ],
    [
      "an unknown target",
      undefined,
      undefined,
      kept.replace("Main", "Mian"),
      /map\.yaml:2:4 .*the memory Mian; expected one of Main, Shared, Local/,
    ],
    [
      "a directive of another kind",
      undefined,
      undefined,
      kept.replace("temporal", "skew"),
      /map\.yaml:2:\d+ .*the directive skew, which has no counterpart/,
    ],
    [
      "a switch of a directive",
      undefined,
      undefined,
      kept.replace("KNM", "KNM, no_reuse: [A]"),
      /map\.yaml:2:\d+ .*no_reuse, which has no counterpart/,
    ],
    [
      "a loop without a place",
      undefined,
      undefined,
      kept.replace("KNM", "KN"),
      /map\.yaml:2:\d+ .*a permutation without M; expected the order of M, N, K, .*innermost first/,
    ],
    [
      "loops in no order",
      undefined,
      undefined,
      kept.replace(", permutation: KNM", ""),
      /map\.yaml:2:\d+ .*no permutation; expected the order of M, N, K/,
    ],
    [
      "a letter that is no dimension",
      undefined,
      undefined,
      kept.replace("KNM", "KNX"),
      /map\.yaml:2:\d+ .*the dimension X, read letter by letter of KNX; expected some of M, N, K/,
    ],
    [
      "a dimension twice in an order",
      undefined,
      undefined,
      kept.replace("KNM", "KNK"),
      /map\.yaml:2:\d+ .*the dimension K twice/,
    ],
    [
      "a size of no dimension",
      undefined,
      problem(eight).replace("K: 2}", "K: 2, J: 3}"),
      undefined,
      /problem\.yaml:11:\d+ .*J, which the shape does not have; expected sizes of M, N, K, or 1/,
    ],
    [
      "a dimension without a size, whatever its name",
      undefined,
      problem(eight).replaceAll("K", "constructor").replace(", constructor: 2", ""),
      undefined,
      /problem\.yaml:11:\d+ .*no constructor; expected constructor: …/,
    ],
    [
      "a shape without dimensions",
      undefined,
      problem(eight).replace("[M, N, K]", "[]"),
      undefined,
      /problem\.yaml:6:\d+ .*no dimension; expected one or more/,
    ],
    [
      "a fan-out where there is none",
      machine.replace(/ {2}- !Container \{name: PE.*\n/, ""),
      undefined,
      `${kept}- {target: PE, type: spatial, factors: K=1}\n`,
      /map\.yaml:3:\d+ .*the fan-out PE; expected a fan-out of the architecture, which has none/,
    ],
    [
      "a split that is no number of loops",
      undefined,
      undefined,
      `${kept}- {target: PE, type: spatial, factors: K=1, permutation: K, split: -1}\n`,
      /map\.yaml:3:\d+ .*got -1; expected a whole number from 0/,
    ],
    [
      "words of no bits",
      machine.replace("width: 64, datawidth: 16}", "width: 64, datawidth: 0}"),
      undefined,
      undefined,
      /arch\.yaml:6:\d+ .*got 0; expected a whole number from 1/,
    ],
    [
      "a cycle of no time",
      machine.replace("1.0e-9", "0.0"),
      undefined,
      undefined,
      /arch\.yaml:5:\d+ .*got 0; expected a number above 0/,
    ],
    [
      "more instances than there are",
      undefined,
      undefined,
      kept
        .replace("K=2,", "K=1,")
        .replace("- {", "- {target: PE, type: spatial, factors: K=2, permutation: K, split: 0}\n- {")
        .replace("meshX", "meshX"),
      null,
    ],
    [
      "a mapping that is none",
      undefined,
      undefined,
      "mapping: {}\n",
      /map\.yaml:1:1 mapping: got a map; expected a list/,
    ],
  ])("refuses %s with its line", (_, architecture = machine, given = problem(eight), mapping = kept, message) => {
    const run = () => specFilesFor(architecture, given, mapping);
    if (message === null) {
      expect(run).not.toThrow();
      expect(() => specFilesFor(machine.replace("meshY: 16", "meshY: 1"), given, mapping)).toThrow(
        /1 × 2 instances of PE; expected at most 4 × 1/,
      );
      return;
    }
    expect(run).toThrow(SpecError);
    expect(run).toThrow(message);
  });
});
