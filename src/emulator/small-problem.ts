import { bitPlane } from "../attention/bit-plane.js";
import { hasPlanes, noMask } from "../attention/mask.js";
import type { AttentionProblem } from "../attention/problem.js";
import { generateNormal } from "./generate.js";
import { type Prepared, prepare } from "./prepare.js";

const shape = { batch: 1, heads: 1, kvHeads: 1, queries: 9, keys: 27, headDim: 6, valueDim: 5 };

/** Two of three scores. */
const plane = bitPlane(
  [1, 1, shape.queries, shape.keys],
  Array.from({ length: shape.queries * shape.keys }, (_, i) => i % 3),
);

/**
 * A small attention, causal and with ragged tiles of 10 keys, of a problem's cascade, arithmetic and scale, on normal inputs; with
 * a bias, sinks and a mask of bits where the problem has them.
 */
export function smallAttention({ bias, sink, ...problem }: AttentionProblem): Prepared {
  const planes = hasPlanes(problem.mask) ? { planes: [plane] } : {};
  const sizes = [shape.queries, shape.keys];
  return prepare(
    { ...problem, shape, mask: { ...noMask, right: 0, ...planes }, tile: { m0: 10, p0: 4 } },
    {
      q: generateNormal(3, "q", shape.queries * shape.headDim),
      k: generateNormal(3, "k", shape.keys * shape.headDim),
      v: generateNormal(3, "v", shape.keys * shape.valueDim),
      ...(bias === undefined
        ? {}
        : { bias: { shape: sizes, values: generateNormal(4, "k", shape.queries * shape.keys) } }),
      ...(sink === true ? { sink: [1] } : {}),
    },
  );
}
