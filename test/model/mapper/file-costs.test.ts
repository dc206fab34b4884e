import { describe, expect, it } from "vitest";
import { compileDesign } from "../../../src/model/compile.js";
import { evaluate } from "../../../src/model/evaluate.js";
import { designOf, mappingFiles } from "../../../src/model/mapper/design.js";
import { nothing } from "../../../src/model/mapper/goal.js";
import { Searcher, type TilingAnswer } from "../../../src/model/mapper/searcher.js";
import { accountingIn, type Invented, inventedProblem } from "./invented.js";

/** Sums of some doubles in another order. */
const rounding = 1e-9;

describe("the files of a tiling's best mappings", () => {
  it.each([
    { cascade: "softmax", machine: "grid", sizes: { M: 4 }, inParts: true },
    { cascade: "rows", machine: "shared", sizes: { M: 4, queries: 2 } },
    { cascade: "batched", machine: "shared", sizes: { M: 3, B: 2, H: 3 } },
    { cascade: "batched", machine: "cores", sizes: { M: 3, B: 2, H: 3 }, group: 2 },
    { cascade: "steps", machine: "shared", sizes: { M: 9 } },
    { cascade: "steps", machine: "nested", sizes: { M: 7 } },
  ] as const satisfies readonly Invented[])("law: are taken, and cost what the search says: %j", one => {
    const problem = inventedProblem(one);
    const searcher = new Searcher(problem);
    const to = problem.einsums.length;
    const numbers = [...searcher.tilingsOf(0, to).numbers()];
    const accounting = accountingIn(one);
    let tried = 0;
    for (const tiling of [numbers[0], numbers.at(-1)] as const) {
      if (tiling === undefined) continue;
      const knowing = { known: [], whole: [], around: nothing, slack: 0 };
      const task = { kind: "tiling", from: 0, to, tiling, objective: "pareto", width: 1, ...knowing } as const;
      for (const { outcome, what } of (searcher.answer(task) as TilingAnswer).found) {
        const files = mappingFiles(problem, [searcher.block(what)], "found", "test");
        const compiled = compileDesign(designOf(problem, files), { corrections: accounting.corrections });
        const cost = evaluate(compiled, problem.point.sizes, accounting);
        expect(Math.abs(cost.latencySeconds / outcome.latencySeconds - 1)).toBeLessThan(rounding);
        expect(Math.abs(cost.energyPj / outcome.energyPj - 1)).toBeLessThan(rounding);
        expect(cost.trafficBytes).toBeCloseTo(outcome.dramBytes, 6);
        tried += 1;
      }
    }
    expect(tried).toBeGreaterThan(0);
  });
});
