import { noMask } from "../attention/mask.js";
import type { AttentionProblem } from "../attention/problem.js";
import { generateNormal } from "./generate.js";
import type { AttentionInputs } from "./operands.js";

const shape = { batch: 1, heads: 1, kvHeads: 1, queries: 9, keys: 27, headDim: 6, valueDim: 5 };

/** A small attention, causal and with ragged tiles of 10 keys, of a problem's cascade, format and scale. */
export const smallProblem = (problem: AttentionProblem): AttentionProblem => ({
  ...problem,
  shape,
  mask: { ...noMask, right: 0 },
  tile: { m0: 10, p0: 4 },
});

/** Normal inputs for it. */
export const smallInputs: AttentionInputs = {
  q: generateNormal(3, "q", shape.queries * shape.headDim),
  k: generateNormal(3, "k", shape.keys * shape.headDim),
  v: generateNormal(3, "v", shape.keys * shape.valueDim),
};
