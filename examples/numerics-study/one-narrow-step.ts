import { exponentFactor, formats, processingElement } from "fusemax";
import { kvHeadOf } from "#fusemax/attention/heads";
import { maskOf } from "#fusemax/attention/mask";
import type { AttentionProblem, Operands } from "#fusemax/attention/problem";
import { headOf } from "#fusemax/attention/rows";
import type { Format } from "#fusemax/numerics/format";
import { requireFormat } from "#fusemax/numerics/format-of";

/** The steps of a tile that can be given an accumulator of their own. */
export const stepNames = ["scores", "exponential", "tile sums", "running sums"] as const;
export type StepName = (typeof stepNames)[number];

/** The same operands with fp32 sums. */
const wideOf = ({ operand }: Format): Format => (operand === "fp16" ? formats.fp16 : formats.bf16);

/**
 * One output row, [F], as the array computes it (docs/numerics.md, "One tile"), but with the 16-bit accumulator of `problem.arithmetic` in
 * the `narrow` steps alone and fp32 in the others: which of the sums an error comes from. The steps: "scores" is BQK (1);
 * "exponential" the differences, E2 and PRM (3); "tile sums" SLD and SLNV (4, 5); "running sums" SPD, RD, SPNV, RNV and the
 * division (6, 7). With all four narrow it gives the array's bits, with none those of the format with fp32 sums.
 */
export function rowWithNarrowSteps(
  problem: AttentionProblem,
  operands: Operands,
  row: number,
  narrow: ReadonlySet<StepName>,
): Float32Array {
  const { shape, tile, arithmetic, scale } = problem;
  const format = requireFormat(arithmetic, "a row with narrow steps");
  const { headDim, valueDim } = shape;
  const [scores, exponential, tileSums, running] = stepNames.map(step =>
    processingElement(narrow.has(step) ? format : wideOf(format)),
  ) as [Pe, Pe, Pe, Pe];
  const factor = exponentFactor(scale);
  const firstKey = kvHeadOf(shape, headOf(shape, row)) * shape.keys;
  const { from, to } = maskOf(problem).span(row);
  const bqk = new Float64Array(tile.m0);
  const slnv = new Float64Array(valueDim);
  const rnv = new Float64Array(valueDim);
  let [seen, rm, rd] = [false, 0, 0];
  for (let first = Math.floor(from / tile.m0) * tile.m0; first < to; first += tile.m0) {
    const start = Math.max(from, first);
    const count = Math.min(to, first + tile.m0) - start;
    let lm = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < count; i += 1) {
      let s = 0;
      for (let e = 0; e < headDim; e += 1) {
        const key = operands.k[(firstKey + start + i) * headDim + e] as number;
        s = scores.mac(s, operands.q[row * headDim + e] as number, key);
      }
      bqk[i] = s;
      lm = scores.max(lm, s);
    }
    const before = rm;
    rm = seen ? Math.max(rm, lm) : lm;
    const prm = seen ? exponential.correction(exponential.subtract(before, rm), factor) : 0;
    seen = true;
    let sld = 0;
    slnv.fill(0);
    for (let i = 0; i < count; i += 1) {
      const sln = exponential.numerator(exponential.subtract(bqk[i] as number, rm), factor);
      sld = tileSums.add(sld, sln);
      const value = (firstKey + start + i) * valueDim;
      for (let f = 0; f < valueDim; f += 1) {
        slnv[f] = tileSums.mac(slnv[f] as number, sln, operands.v[value + f] as number);
      }
    }
    rd = running.add(sld, running.mul(rd, prm));
    for (let f = 0; f < valueDim; f += 1) {
      rnv[f] = running.add(slnv[f] as number, running.mul(rnv[f] as number, prm));
    }
  }
  return Float32Array.from(rnv, x => (seen ? running.div(x, rd) : 0));
}

type Pe = ReturnType<typeof processingElement>;
