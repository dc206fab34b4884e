import type { Cascade } from "../einsum/cascade.js";
import { evaluateCascade } from "../einsum/evaluate.js";
import { rolesOf } from "../einsum/roles.js";
import { splitOf } from "../einsum/split.js";
import type { DenseTensor } from "../einsum/tensor-store.js";
import { InputError } from "../errors.js";
import { referenceRow } from "../reference/attention.js";
import { generateNormal } from "./generate.js";

/** Small sizes at which a cascade is tried, all different; the keys are cut into tiles of two. */
const shape = { batch: 1, heads: 1, kvHeads: 1, queries: 3, keys: 8, headDim: 5, valueDim: 4 };
const scale = 0.5;
/** Both sides are float64 sums of some tens of terms about 1. */
const tolerance = 1e-9;

/**
 * Tries a cascade once, on random inputs in float64, against attention.
 * @throws InputError where it is something else.
 */
export function requireAttention(cascade: Cascade): void {
  const roles = rolesOf(cascade);
  const tensor = (name: "q" | "k" | "v", length: number): Float32Array => generateNormal(1, name, length);
  const { queries, keys, headDim, valueDim } = shape;
  const given = { q: tensor("q", queries * headDim), k: tensor("k", keys * headDim), v: tensor("v", keys * valueDim) };
  const sizes: Readonly<Record<string, number>> = {
    ...{ [roles.queries]: queries, [roles.keys]: keys, [roles.e]: headDim, [roles.f]: valueDim },
  };
  const input = (name: "q" | "k" | "v", rows: string, width: string): DenseTensor => {
    const ranks = (cascade.tensors.get(roles[name])?.indices ?? []).map(({ terms: [term] }) =>
      term === undefined ? "" : cascade.ranks.ofVariable(term.variable).name,
    );
    const transposed = ranks[0] !== rows;
    const [n, m] = [sizes[rows] ?? 1, sizes[width] ?? 1];
    const data = Float64Array.from({ length: n * m }, (_, i) =>
      transposed ? (given[name][(i % n) * m + Math.floor(i / n)] as number) : (given[name][i] as number),
    );
    return { shape: transposed ? [m, n] : [n, m], data };
  };
  const inputs = {
    [roles.q]: input("q", roles.queries, roles.e),
    [roles.k]: input("k", roles.keys, roles.e),
    [roles.v]: input("v", roles.keys, roles.f),
  };
  const ofKeys = cascade.ranks.byName(roles.keys);
  const inner = ofKeys === undefined ? [] : splitOf(cascade, ofKeys).slice(1);
  const tiles = Object.fromEntries(inner.map(rank => [rank, 2]));
  const { tensors } = evaluateCascade(cascade, inputs, { scale, shape: tiles });
  const out = tensors.get(roles.out);
  const rowsFirst = out?.shape[0] === queries;
  for (let row = 0; row < queries; row += 1) {
    const exact = referenceRow(given, shape, scale, row, { from: 0, to: keys });
    for (const [f, expected] of exact.entries()) {
      const got = out?.data[rowsFirst ? row * valueDim + f : f * queries + row] ?? Number.NaN;
      if (Math.abs(got - expected) <= tolerance) continue;
      throw new InputError({
        where: cascade.name,
        got: `${roles.out} that is not attention: on random inputs its element ${row},${f} is ${got.toPrecision(6)}, softmax(QK)V ${expected.toPrecision(6)}`,
        expected: "a cascade that computes attention",
        fix: "fusemax evaluate runs any cascade",
      });
    }
  }
}
