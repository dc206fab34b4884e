import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { noMask } from "../../src/attention/mask.js";
import type { AttentionProblem } from "../../src/attention/problem.js";
import { cpuEngine } from "../../src/emulator/cpu.js";
import { onePassAttention } from "../../src/emulator/golden/one-pass.js";
import { roundOperands } from "../../src/emulator/operands.js";
import { formatArithmetics } from "../../src/numerics/format-of.js";
import { exponentFactor } from "../../src/numerics/pe.js";
import { bitsOf } from "../../src/numerics/rounding.js";
import { referenceRow } from "../../src/reference/attention.js";

/** The worked example of docs/numerics.md: one query, four keys, two tiles. */
const inputs = {
  q: [1.5, -0.7],
  k: [1, 0.5, -0.3, 1.1, 2.2, -0.4, 0.6, 0.9],
  v: [1, -2, 0.1, 0.7, 3.3, -1.2, -0.5, 4],
};
const shape = { batch: 1, heads: 1, kvHeads: 1, queries: 1, keys: 4, headDim: 2, valueDim: 2 };
const arithmetic = formatArithmetics.bf16;
const problem: AttentionProblem = { shape, mask: noMask, tile: { m0: 2, p0: 1 }, arithmetic, scale: 0.5 };

const hex = (x: number): string => bitsOf(x).toString(16).padStart(8, "0");
/** Nine digits name an fp32 value. */
const decimal = (x: number): string => String(Number(x.toPrecision(9)));
const row = (step: string, name: string, from: string, x: number): string =>
  `| ${step} | ${name} | ${from} | ${decimal(x)} | \`${hex(x)}\` |`;

async function table(): Promise<readonly string[]> {
  const given = {
    q: Float32Array.from(inputs.q),
    k: Float32Array.from(inputs.k),
    v: Float32Array.from(inputs.v),
  };
  const operands = roundOperands(given, shape, arithmetic);
  const session = await cpuEngine().open(problem, operands);
  const rows = [
    row("0", "q[0]", "rO(1.5)", operands.q[0] ?? Number.NaN),
    row("", "q[1]", "rO(−0.7)", operands.q[1] ?? Number.NaN),
    row("", "c", "RNE32(scale · log2 e)", exponentFactor(problem.scale)),
  ];
  for (const m1 of [0, 1]) {
    const tile = await session.dump({ b: 0, h: 0, m1, p1: 0 });
    const at = (tensor: Float32Array, i: number): number => tensor[i] ?? Number.NaN;
    const add = (step: string, name: string, from: string, x: number) => rows.push(row(step, name, from, x));
    rows.push(`| | **tile ${m1}** | keys ${2 * m1} and ${2 * m1 + 1} | | |`);
    for (const i of [0, 1]) add(i === 0 ? "1" : "", `BQK[${i}]`, `q · k[${2 * m1 + i}]`, at(tile.bqk, i));
    add("2", "LM", "max of the two", at(tile.lm, 0));
    add("", "RM", m1 === 0 ? "LM" : "max of RM and LM", at(tile.rm, 0));
    for (const i of [0, 1]) add(i === 0 ? "3" : "", `SLN[${i}]`, `rO(E2(BQK[${i}] − RM))`, at(tile.sln, i));
    add("", "PRM", m1 === 0 ? "the first tile corrects nothing" : "rP(E2(RM before − RM))", at(tile.prm, 0));
    add("4", "SLD", "SLN[0] + SLN[1]", at(tile.sld, 0));
    for (const f of [0, 1]) {
      const from = `SLN[0] · v[${2 * m1}, ${f}] + SLN[1] · v[${2 * m1 + 1}, ${f}]`;
      add(f === 0 ? "5" : "", `SLNV[${f}]`, from, at(tile.slnv, f));
    }
    add("6", "SPD", "z(RD · PRM)", at(tile.spd, 0));
    add("", "RD", "SLD + SPD", at(tile.rd, 0));
    for (const f of [0, 1]) add(f === 0 ? "7" : "", `SPNV[${f}]`, `z(RNV[${f}] · PRM)`, at(tile.spnv, f));
    for (const f of [0, 1]) add("", `RNV[${f}]`, `SLNV[${f}] + SPNV[${f}]`, at(tile.rnv, f));
  }
  const { av } = await session.run({ start: 0, end: 1 });
  rows.push("| | **the end** | | | |");
  for (const f of [0, 1]) rows.push(row("", `AV[${f}]`, `RNV[${f}] / RD`, av[f] ?? Number.NaN));
  return rows;
}

describe("the worked example of docs/numerics.md", () => {
  const page = readFileSync(new URL("../../docs/numerics.md", import.meta.url), "utf8");

  it("has the values of the twin, step by step", async () => {
    expect(page).toContain((await table()).join("\n"));
  });

  it("ends in the bits of the golden implementation, and says what attention in float64 gives", () => {
    const matrix = (values: readonly number[], columns: number) => ({
      ...{ rows: values.length / columns, columns, values: Float64Array.from(values) },
    });
    const { av } = onePassAttention(arithmetic, {
      ...{ q: matrix(inputs.q, 2), k: matrix(inputs.k, 2), v: matrix(inputs.v, 2) },
      ...{ m0: 2, scale: problem.scale, sees: () => true, kvSplits: 1 },
    });
    for (const [f, x] of av.values.entries()) expect(page).toContain(row("", `AV[${f}]`, `RNV[${f}] / RD`, x));
    const { q, k, v } = inputs;
    const float64 = { q: Float64Array.from(q), k: Float64Array.from(k), v: Float64Array.from(v) };
    const exact = referenceRow(float64, shape, problem.scale, 0, { from: 0, to: 4 });
    expect(page).toContain(`float64 gives ${[...exact].map(x => x.toFixed(6)).join(" and ")}`);
  });
});
