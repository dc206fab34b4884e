import { describe, expect, it } from "vitest";
import { specFiles } from "../../../src/io/spec-files.js";
import { attentionPoints } from "../../../src/model/attention-point.js";
import { accountingOf } from "../../../src/model/corrections.js";
import { type MapperProblem, mapperProblem } from "../../../src/model/mapper/problem.js";
import { loadDesign, loadWorkload } from "../../../src/spec/load.js";

function problemOf(name: string, model: string, seq: number): MapperProblem {
  const [point] = attentionPoints(loadWorkload(specFiles, model), {
    phase: "prefill",
    seq,
    batch: 2,
    decodeQueries: 1,
  });
  if (point === undefined) throw new Error("no point");
  return mapperProblem(loadDesign(specFiles, name), point, accountingOf("published", undefined));
}

/** An Einsum's ranks, with m where it loops over tiles and i where within; those it sums over after a slash. */
const einsumsOf = ({ einsums, ranks }: MapperProblem): readonly string[] =>
  einsums.map(({ name, ranks: own, reduced }) => {
    const nameOf = (rank: number): string => ranks[rank]?.name ?? "";
    const all = own.map(({ rank, middle, inner }) => `${nameOf(rank)}${middle ? "m" : ""}${inner ? "i" : ""}`);
    return `${name} ${all.join(" ")} / ${[...reduced].map(nameOf).join(" ")}`;
  });
const ranksOf = ({ ranks }: MapperProblem): readonly string[] =>
  ranks.map(({ whole, outer, middle, tile, size }) => `${whole}: ${outer} ${middle} ${tile.join(" ")}, ${size}`);
const arraysOf = ({ arrays }: MapperProblem): readonly string[] =>
  arrays.map(
    ({ name, levels, fanouts }) =>
      `${name}: ${levels.join(" ")}; ${fanouts.map(f => `${f.level} ${f.size}`).join(", ")}`,
  );

describe("what there is to map", () => {
  it("is FuseMax's cascade on its machine", () => {
    const problem = problemOf("fusemax", "bert", 4096);
    expect(einsumsOf(problem)).toEqual([
      "BQK Emi Pmi Mmi / E",
      "LM Pmi Mmi / M",
      "RM Pmi Mm / ",
      "SLN Pmi Mmi / ",
      "SLD Pmi Mmi / M",
      "SLNV Pmi Mmi Fmi / M",
      "PRM Pmi Mm / ",
      "SPD Pmi Mm / ",
      "RD Pmi Mm / ",
      "SPNV Pmi Mm Fmi / ",
      "RNV Pmi Mm Fmi / ",
      "AV Pmi Fmi / ",
    ]);
    expect(ranksOf(problem)).toEqual(["E: E2 E1 E0, 64", "P: P2 P1 P0, 4096", "M: M2 M1 M0, 4096", "F: F2 F1 F0, 64"]);
    expect(arraysOf(problem)).toEqual([
      "2d: dram buffer spill column row registers2d; column 256, row 256",
      "1d: dram buffer lane registers1d; lane 256",
    ]);
    expect(problem).toMatchObject({
      ...{ dram: "dram", cores: undefined, tileParts: 1, staticPjPerSecond: 0, region: undefined },
      // SLN needs no word beside BQK's; sums wait for what was carried to them.
      ...{
        inPlace: { SLN: "BQK" },
        recurrences: [
          [7, 8],
          [9, 10],
        ],
      },
      written: { symbols: { P: "queries" }, batch: { Q: ["B", "H"], K: ["B", "H"], V: ["B", "H"] } },
    });
    expect([...problem.capacities.values()]).toEqual([16 * 2 ** 20]);
    expect(problem.einsums.every(({ batch }) => batch.join() === "B,H")).toBe(true);
  });

  it("says who makes a tensor, and whether a block leaves it to others", () => {
    const { einsums, makerOf, leaves } = problemOf("unfused", "xlm", 1024);
    const outputs = einsums.map(({ placed }) => placed.output);
    expect(outputs.map(makerOf)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(makerOf("Q")).toBe(-1);
    // QK is read by GM and SN, SN by SD and A, A by AV; AV is the output.
    const last = outputs.map(own => [1, 2, 3, 4, 5, 6].find(to => !leaves(own, 0, to)));
    expect(last).toEqual([3, 3, 5, 5, 6, undefined]);
    expect([leaves("QK", 1, 6), leaves("QK", 2, 6)]).toEqual([false, true]);
  });

  it("is in two parts where fan-outs are of several sizes, heads side by side where queries are few", () => {
    const problem = problemOf("tpu-v4", "llama-3-8b", 64);
    expect(ranksOf(problem)).toEqual([
      "E: E2 E1 Et E0, 128",
      "P: P2 P1 Pt P0, 256",
      "M: M2 M1 Mt M0, 64",
      "F: F2 F1 Ft F0, 128",
    ]);
    expect(problem).toMatchObject({ cores: "core", tileParts: 2, written: { symbols: { P: "queries * group" } } });
    expect(arraysOf(problem)).toEqual([
      "matrix: dram core vmem mxu column row pe; mxu 4, column 128, row 128",
      "vector: dram core vmem sublane lane vregs; sublane 8, lane 128",
    ]);
    expect(problem.region).toBeDefined();
  });

  it("has heads that share keys as a rank of the batch where queries are many", () => {
    const problem = problemOf("flat", "llama-3-8b", 1024);
    expect(ranksOf(problem)[0]).toBe("G: G2 G1 , 4");
    expect(problem.written).toMatchObject({
      symbols: { P: "queries", G: "group" },
      batch: { Q: ["B", "H", "G"], K: ["B", "H"] },
    });
    expect(einsumsOf(problem)[0]).toBe("QK Gm Emi Pmi Mmi / E");
    expect(problem.einsums.every(({ batch }) => batch.join() === "B,H")).toBe(true);
  });
});
