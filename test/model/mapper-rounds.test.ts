import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { drawnOrder } from "../../src/model/mapper/drawn-order.js";
import { type SearchLimits, type SearchResult, searchMappings, searchRounds } from "../../src/model/mapper/search.js";
import { type SearchAnswer, Searcher } from "../../src/model/mapper/searcher.js";
import { problemOf } from "./small-machine.js";

/** A chain of three Einsums on a small machine: its space is some dozens of tilings. */
const machine = { columns: 2, rows: 2, lanes: 2, bufferBytes: 64, bytesPerSecond: 1e9 };
const problem = () => problemOf(machine, "chain", { E: 1, F: 1, M: 8, queries: 6 });

const said = ({ found, report }: SearchResult) => ({
  found: found.map(({ outcome, what }) => [
    outcome,
    what.map(({ tiling, einsums }) => [tiling, einsums.map(({ kept, option: { place } }) => [kept, place.over])]),
  ]),
  report: { ...report, space: String(report.space) },
});

/** Answers steps in an order of their own by searchers that have seen other steps before, as JSON: what threads and files do. */
function inAnyOrder(limits: SearchLimits, threads: number): SearchResult {
  const searchers = Array.from({ length: threads }, () => new Searcher(problem()));
  const rounds = searchRounds(searchers[0] as Searcher, limits);
  for (let round = rounds.next([]); ; ) {
    if (round.done === true) return round.value;
    const { tasks } = round.value;
    const answers: SearchAnswer[] = [];
    for (let i = tasks.length - 1; i >= 0; i -= 1) {
      const task = tasks[i] as (typeof tasks)[number];
      const answer = (searchers[i % threads] as Searcher).answer(task);
      answers[i] = JSON.parse(JSON.stringify(answer)) as SearchAnswer;
    }
    round = rounds.next(answers);
  }
}

describe("a search in rounds", () => {
  it.each([
    { objective: "pareto", budget: 12, width: 8 },
    { objective: "edp", budget: 9, width: 8, seed: 7 },
  ] as const)("is the same on any number of threads, in any order, and through a file: %j", limits => {
    const alone = said(searchMappings(problem(), limits));
    expect(said(inAnyOrder(limits, 3))).toEqual(alone);
  });

  it("law: every tiling is ruled out, left for a reason that is counted, or searched", () => {
    for (const [budget, seed] of [
      [4, undefined],
      [4, 3],
      [10_000, undefined],
    ] as const) {
      const { report } = searchMappings(problem(), { objective: "energy", budget, width: 4, seed });
      const { all, ruledOutByPasses: _, ...parts } = report.tilings;
      expect(Object.values(parts).reduce((sum, n) => sum + n, 0)).toBe(all);
      expect(parts.visited).toBeLessThanOrEqual(budget);
      expect(parts.left > 0).toBe(budget === 4);
      expect(report.blocks.all + report.blocks.split).toBe((3 * 4) / 2);
    }
  });

  it("draws by the seed where a budget does not reach all", () => {
    const of = (seed?: number) => said(searchMappings(problem(), { ...limits, seed }));
    const limits = { objective: "pareto", budget: 8, width: 4 } as const;
    expect(of(1)).toEqual(of(1));
    expect(of(1).report.effort).not.toEqual(of().report.effort);
    expect(of(1).report.effort).not.toEqual(of(2).report.effort);
  });

  it("law: a drawn order has all items once, every other one the best that is left", () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(200), fc.maxSafeNat(), fc.nat(9), (n, budget, seed, stream) => {
        const sorted = Array.from({ length: n }, (_, i) => i);
        const order = drawnOrder(sorted, budget, seed, stream);
        expect([...order].sort((a, b) => a - b)).toEqual(sorted);
        if (n <= budget) expect(order).toEqual(sorted);
        for (let i = 0; i < n; i += 2) expect(order[i]).toBe(Math.min(...order.slice(i)));
      }),
    );
  });
});
