import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Cascade, parseCascade } from "../../../src/einsum/cascade.js";
import { follow, keepsOutputs, type Node, nodeOf } from "../../../src/einsum/derive/derivation.js";
import type { Law } from "../../../src/einsum/derive/law.js";
import { lawsFor } from "../../../src/einsum/derive/moves.js";
import { compareCascades } from "../../../src/einsum/equal.js";
import { evaluateCascade } from "../../../src/einsum/evaluate.js";

/** Reductions of exponentials against an extremum, of squares about a mean, and of what is scaled or shifted by a reduction. */
const randomReductions = fc
  .record({
    terms: fc.constantFrom("X[m]", "X[m] + B[m]", "X[m] * B[m] / 4", "max(X[m], B[m])"),
    extremum: fc.constantFrom(
      ["max", "(T[m] - G)"],
      ["max", "(T[m] - G) / 3"],
      ["min", "(T[m] - G) * -0.5"],
      ["min", "G - T[m]"],
      ["max", "D[m]"],
    ),
    sums: fc.uniqueArray(
      fc.constantFrom(
        "W[m]",
        "W[m] * B[m]",
        "square(W[m])",
        "W[m] / 2 * C[m]",
        "exp(neg(abs(B[m]))) * C[m]",
        "W[m] / N * B[m]",
        "(W[m] / N + abs(C[m]) / L) * B[m]",
        "(T[m] - G) * C[m]",
        "W[m] / N :: max(m)",
        "C[m] * Z[M] / Z[m+1]",
        "C[m] * N",
        "C[m] * Z[M]",
        "B[m] / sqrt(Z[M])",
      ),
      { minLength: 1, maxLength: 3 },
    ),
    mean: fc.constantFrom("", "square(D1[m])", "D1[m] * (B[m] - AB)"),
  })
  .map(({ terms, extremum: [op, exponent], sums, mean }) =>
    [
      "inputs: X[m], B[m], C[m]",
      `T[m] = ${terms}`,
      `G = T[m] :: ${op}(m)`,
      ...(exponent === "D[m]" ? ["D[m] = T[m] - G"] : []),
      `W[m] = exp(${exponent})`,
      "N = W[m]",
      "L = abs(C[m])",
      ...(sums.some(sum => sum.includes("Z")) ? ["Z[m=0] = 1", "Z[m+1] = Z[m] * sigmoid(B[m])"] : []),
      ...sums.map((sum, i) => `Y${i} = ${sum}`),
      ...(mean === "" ? [] : ["S = T[m]", "A = S / M", "D1[m] = T[m] - A", "SB = B[m]", "AB = SB / M", `Q = ${mean}`]),
      ...(sums.some(sum => sum.includes("Z")) ? ["until: m >= M"] : []),
    ].join("\n"),
  );

/** Laws that hold of real numbers alone are held to the largest value on the way. */
function differsIn(start: Cascade, { cascade, cautions }: Node): string | null {
  const report = compareCascades(start, cascade, { trials: 1 });
  const differing = report.firstDiffering;
  if (differing === null) return null;
  if (cautions.length === 0) return differing.name;
  // What divides by zero on the way, or sums that cancel, are the search's to refute.
  const [x = Number.NaN, y = Number.NaN] = differing.difference?.values ?? [];
  if (cautions.some(({ caution }) => caution === "division")) return null;
  const { tensors } = evaluateCascade(cascade, differing.inputs, { shape: Object.fromEntries(report.shapes[1]) });
  const most = Math.max(...[...tensors.values()].flatMap(({ data }) => [...data].map(Math.abs)));
  return Math.abs(x - y) <= 1e-9 * most ? null : differing.name;
}

describe("every law", () => {
  // One walk goes four steps, by whichever laws apply; later runs prefer those that were taken least.
  const steps = 4;
  it("keeps the function along random walks, makes no more passes, and is taken", () => {
    const laws = lawsFor("M", "M0");
    const taken = new Map(laws.map(law => [law.name, 0]));
    const count = (law: Law): number => taken.get(law.name) ?? 0;
    let tried = 0;
    fc.assert(
      fc.property(randomReductions, fc.array(fc.nat(), { minLength: steps, maxLength: steps }), (text, choices) => {
        tried += 1;
        const start = parseCascade(text);
        const rank = start.ranks.byName("M");
        if (rank === undefined) throw new Error("no rank");
        let node = nodeOf(start, rank);
        for (const choice of choices) {
          const inOrder = [...laws].sort((a, b) => count(a) - count(b));
          const rewritesOf = (law: Law) =>
            law
              .apply(node.cascade)
              .rewrites.filter(own => keepsOutputs(start, own.cascade))
              .map(rewrite => ({ law, rewrite }));
          const law = inOrder.find(own => rewritesOf(own).length > 0);
          const found = law === undefined ? [] : rewritesOf(law);
          const chosen = found[choice % Math.max(1, found.length)];
          if (chosen === undefined) break;
          const next = follow(node, start, "M", chosen.law, chosen.rewrite);
          if (next === null) break;
          taken.set(chosen.law.name, count(chosen.law) + 1);
          node = next;
        }
        expect(differsIn(start, node), node.cascade.source.lines.join("\n")).toBeNull();
      }),
      { numRuns: 120, seed: 17 },
    );
    const seldom = [...taken].filter(([, times]) => times < 2);
    if (tried >= 120) expect(seldom).toEqual([]);
  });
});
