import { describe, expect, it } from "vitest";
import { FusemaxError } from "../../../src/errors.js";
import { compileDesign } from "../../../src/model/compile.js";
import { evaluate } from "../../../src/model/evaluate.js";
import type { MappedBlock } from "../../../src/model/mapper/block.js";
import { designOf, mappingFiles } from "../../../src/model/mapper/design.js";
import { nothing, type Objective, type Outcome, objectives, sumOf } from "../../../src/model/mapper/goal.js";
import type { MapperProblem } from "../../../src/model/mapper/problem.js";
import { type SearchLimits, searchMappings } from "../../../src/model/mapper/search.js";
import { type BoundAnswer, Searcher, type TilingAnswer } from "../../../src/model/mapper/searcher.js";
import { accounting, type cascades, type Machine, problemOf, type Shape } from "../small-machine.js";

// Searches against every tiling of every block looked at by itself, with nothing known before: machines and shapes so small that
// this takes no time.

interface Case {
  readonly machine: Machine;
  readonly cascade: keyof typeof cascades;
  readonly shape: Shape;
}

const one = { E: 1, F: 1, M: 1, queries: 1 };
const machine = { columns: 2, rows: 2, lanes: 2, bufferBytes: 64, bytesPerSecond: 1e10 };
const cases: readonly (readonly [string, Case])[] = [
  ["a product", { machine, cascade: "product", shape: { ...one, M: 2, queries: 2 } }],
  ["a sum", { machine: { ...machine, columns: 1, lanes: 1 }, cascade: "product", shape: { ...one, E: 2, M: 2 } }],
  ["a slow DRAM", { machine: { ...machine, bytesPerSecond: 1e8 }, cascade: "product", shape: { ...one, M: 3 } }],
  ["a small buffer", { machine: { ...machine, bufferBytes: 8 }, cascade: "product", shape: { ...one, M: 3 } }],
  [
    "a buffer in another",
    { machine: { ...machine, outerBytes: 64, rows: 1 }, cascade: "product", shape: { ...one, M: 2 } },
  ],
  [
    "two cores",
    {
      machine: { ...machine, cores: 2, rows: 1, columns: 1, lanes: 1, bufferBytes: 8 },
      cascade: "product",
      shape: { ...one, queries: 2 },
    },
  ],
  [
    "two cores of which one stands idle",
    { machine: { ...machine, cores: 2, rows: 1, lanes: 1 }, cascade: "product", shape: { ...one, M: 2 } },
  ],
  [
    "two cores within a shared level, that sum alone",
    {
      machine: { ...machine, cores: 2, coresWithin: true, outerBytes: 64, rows: 1, columns: 1, lanes: 1 },
      cascade: "product",
      shape: { ...one, E: 2 },
    },
  ],
  ["a chain of one element", { machine, cascade: "chain", shape: one }],
  ["a chain", { machine: { ...machine, rows: 1, lanes: 1 }, cascade: "chain", shape: { ...one, queries: 2 } }],
  [
    "levels that take time",
    {
      machine: {
        ...{ ...machine, rows: 1 },
        said: {
          buffer: ", buffering: single, latencyCycles: 3",
          column: ", hopPj: 3",
          pe: ", bandwidth: { bytesPerCycle: 1 }",
        },
      },
      cascade: "product",
      shape: { ...one, queries: 3 },
    },
  ],
  [
    "two buffers for each tile and watts all the time",
    {
      machine: {
        ...{ ...machine, rows: 1 },
        said: {
          buffer: ", buffering: double, staticWatts: 0.001",
          column: ", hopPj: 0.5, hopsPerWord: 2, staticWatts: 0.01",
          pe: "",
        },
      },
      cascade: "product",
      shape: { ...one, M: 2, queries: 2 },
    },
  ],
];

/** Sums of some doubles in another order. */
const rounding = 1e-9;
const isAtMost = (a: number, b: number): boolean => a <= b * (1 + rounding);
const isAsGood = (a: Outcome, b: Outcome): boolean =>
  isAtMost(a.latencySeconds, b.latencySeconds) && isAtMost(a.energyPj, b.energyPj);

/** All that no other is as good as, by latency. */
function best(all: readonly Outcome[]): readonly Outcome[] {
  const kept = all.filter(
    (own, i) => !all.some((other, k) => k !== i && isAsGood(other, own) && (k < i || !isAsGood(own, other))),
  );
  return [...kept].sort((a, b) => a.latencySeconds - b.latencySeconds);
}

/** What a block takes under each of its tilings: the best of each, with nothing known before. */
function everyTiling(searcher: Searcher, from: number, to: number) {
  const knowing = { known: [], whole: [], around: nothing, slack: 0 };
  return [...searcher.tilingsOf(from, to).numbers()].map(tiling => {
    const task = { kind: "tiling", from, to, tiling, objective: "pareto", width: undefined, ...knowing } as const;
    const { bounds } = searcher.answer({ kind: "bound", from, to, tilings: [tiling] }) as BoundAnswer;
    return { tiling, bound: bounds[0] ?? null, ...(searcher.answer(task) as TilingAnswer) };
  });
}

/** All whole mappings of the best of each block, whatever blocks there are. */
function everyPath(n: number, fronts: ReadonlyMap<string, readonly Outcome[]>, from = 0): readonly Outcome[] {
  if (from === n) return [nothing];
  return Array.from({ length: n - from }, (_, i) => from + i + 1).flatMap(to =>
    (fronts.get(`${from} ${to}`) ?? []).flatMap(own => everyPath(n, fronts, to).map(rest => sumOf(own, rest))),
  );
}

/** What the files of a mapping cost, checked and evaluated as any design's. */
function costOf(problem: MapperProblem, blocks: readonly MappedBlock[]): Outcome {
  const design = designOf(problem, mappingFiles(problem, blocks, "tried", "test"));
  const {
    latencySeconds,
    energyPj,
    trafficBytes: dramBytes,
  } = evaluate(compileDesign(design, { corrections: accounting.corrections }), problem.point.sizes, accounting);
  return { latencySeconds, energyPj, dramBytes };
}

const everything = (objective: Objective): SearchLimits => ({ objective, budget: undefined, width: undefined });
const close = (a: readonly Outcome[], b: readonly Outcome[]): void => {
  expect(a.length).toBe(b.length);
  a.forEach((own, i) => {
    const other = b[i] as Outcome;
    expect(Math.abs(own.latencySeconds / other.latencySeconds - 1)).toBeLessThan(rounding);
    expect(Math.abs(own.energyPj / other.energyPj - 1)).toBeLessThan(rounding);
  });
};

describe.each(cases)("the whole space of %s", (_, c) => {
  const made = () => new Searcher(problemOf(c.machine, c.cascade, c.shape));
  const known: { front?: readonly Outcome[] } = {};
  /** The front of everything, without a search over tilings. */
  const frontOf = (searcher: Searcher): readonly Outcome[] => {
    const n = searcher.problem.einsums.length;
    const fronts = new Map<string, readonly Outcome[]>();
    for (let from = 0; from < n; from++) {
      for (let to = from + 1; to <= n; to++) {
        const all = everyTiling(searcher, from, to);
        for (const { bound, found, effort } of all) {
          expect(bound === null && found.length > 0, "a bound of nothing, and a mapping").toBe(false);
          expect(effort.mappings).toBeGreaterThanOrEqual(found.length);
          expect(effort.passedOver).toBe(0);
          for (const { outcome } of found) {
            // No mapping takes less than its tiling's bound.
            expect(isAtMost(bound?.latencySeconds ?? 0, outcome.latencySeconds)).toBe(true);
            expect(isAtMost(bound?.energyPj ?? 0, outcome.energyPj)).toBe(true);
            expect(isAtMost(bound?.dramBytes ?? 0, outcome.dramBytes)).toBe(true);
          }
        }
        fronts.set(`${from} ${to}`, best(all.flatMap(({ found }) => found.map(({ outcome }) => outcome))));
      }
    }
    return best(everyPath(n, fronts));
  };

  it("law: a search finds all that no mapping beats, whose files take what it says", () => {
    const searcher = made();
    const { problem } = searcher;
    const { found, report } = searchMappings(problem, everything("pareto"));
    known.front = frontOf(searcher);
    close(
      found.map(({ outcome }) => outcome),
      known.front,
    );
    for (const { what, outcome } of found) {
      close([costOf(problem, what)], [outcome]);
    }
    expect(report.isProven).toBe(true);
    const { all, ruledOutByPasses: __, ...parts } = report.tilings;
    expect(Object.values(parts).reduce((sum, n) => sum + n, 0)).toBe(all);
    expect(parts.left).toBe(0);
    expect(report.space >= BigInt(all)).toBe(true);
  });

  it("law: least time, energy and product are of the front, whatever is ruled out", () => {
    const { problem } = made();
    const front = known.front ?? frontOf(new Searcher(problem));
    const least = (of: (o: Outcome) => number): number => Math.min(...front.map(of));
    const values: Readonly<Record<Objective, (o: Outcome) => number>> = {
      latency: o => o.latencySeconds,
      energy: o => o.energyPj,
      edp: o => o.latencySeconds * o.energyPj,
      pareto: () => 1,
    };
    for (const objective of objectives) {
      if (objective === "pareto") continue;
      const { found } = searchMappings(problem, everything(objective));
      expect(found.length).toBe(1);
      const own = found[0]?.outcome as Outcome;
      expect(Math.abs(values[objective](own) / least(values[objective]) - 1), objective).toBeLessThan(rounding);
      expect(front.some(other => isAsGood(own, other) && isAsGood(other, own))).toBe(true);
    }
  });

  it("law: a limited search finds nothing better, and says that it looked at no more than it may", () => {
    const { problem } = made();
    const front = known.front ?? frontOf(new Searcher(problem));
    for (const limits of [
      { objective: "pareto", budget: 2, width: 2 },
      { objective: "latency", budget: 3, width: 1, seed: 5 },
    ] as const) {
      const { found, report } = searchMappings(problem, limits);
      for (const { outcome, what } of found) {
        expect(front.some(own => isAsGood(own, outcome))).toBe(true);
        close([costOf(problem, what)], [outcome]);
      }
      expect(report.tilings.visited).toBeLessThanOrEqual(limits.budget);
      expect(report.isProven).toBe(false);
    }
  });
});

describe("a search", () => {
  it("refuses files that contradict the cascade", () => {
    const { problem } = new Searcher(problemOf(machine, "chain", { ...one, M: 2 }));
    const [best] = searchMappings(problem, everything("latency")).found;
    const files = mappingFiles(problem, best?.what ?? [], "tried", "test");
    const { S: _, ...others } = files.mapping["einsums"] as Readonly<Record<string, unknown>>;
    expect(() => designOf(problem, { ...files, mapping: { ...files.mapping, einsums: others } })).toThrow(FusemaxError);
  });
});
