import type { ArithmeticSpec } from "../../numerics/arithmetic.js";
import { isScaledAfterwards, scaleBlock } from "../../numerics/arithmetic.js";
import { dotOf, type Run } from "../../numerics/dot.js";
import { accumulatorRounder, flushTiny } from "../../numerics/rounding.js";
import type { Encoded } from "./encode.js";

/**
 * BQK of a query and a key (docs/arithmetic.md, "One tile", 1).
 * @param q [P, E]
 * @param k [M, E]
 */
export function scoresOf(arithmetic: ArithmeticSpec, q: Encoded, k: Encoded): (p: number, m: number) => number {
  const { operands } = arithmetic;
  const dot = dotOf(arithmetic, operands.q, operands.k);
  const toA = accumulatorRounder(arithmetic.accumulator);
  const width = scaleBlock(operands.k.scale) ?? Math.max(1, q.columns);
  const scaled = isScaledAfterwards(operands.q) || isScaledAfterwards(operands.k);
  return (p, m) => {
    const runs: Run[] = [];
    for (let first = 0, block = 0; first < q.columns; first += width, block += 1) {
      const terms = Array.from({ length: Math.min(width, q.columns - first) }, (_, i) => ({
        a: q.values[p * q.columns + first + i] as number,
        b: k.values[m * k.columns + first + i] as number,
        visible: true,
      }));
      runs.push({ terms, scaleA: scaled ? 1 : q.scale(p, block), scaleB: scaled ? 1 : k.scale(m, block) });
    }
    const s = dot(0, runs);
    return scaled ? flushTiny(toA(s * Math.fround(q.scale(p, 0) * k.scale(m, 0)))) : s;
  };
}
