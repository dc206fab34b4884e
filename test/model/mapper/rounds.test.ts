import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Outcome } from "../../../src/model/mapper/goal.js";
import { refinements } from "../../../src/model/mapper/refine.js";
import { type SearchLimits, type SearchResult, searchRounds } from "../../../src/model/mapper/search.js";
import { type NumberedBlock, Searcher, type SearchTask, type TilingTask } from "../../../src/model/mapper/searcher.js";
import { inventedProblem } from "./invented.js";

// What a search asks, and what it makes of the answers, whatever these are: they are drawn here, not worked out.

const draw = (seed: number, ...at: readonly number[]): number => {
  let n = seed;
  for (const own of at) n = Math.imul(n ^ (own + 0x9e3779b9), 0x85ebca6b) ^ (n >>> 13);
  return ((n ^ (n >>> 16)) >>> 0) / 2 ** 32;
};

/** What a tiling takes at the least, null for some, and what is found of it: none, or the bound and a little more. */
const boundOf = (seed: number, from: number, to: number, tiling: number): Outcome | null => {
  const drawn = (k: number): number => Math.floor(draw(seed, from, to, tiling, k) * 8);
  if (drawn(0) === 0) return null;
  // Above what any mapping takes, of which the search knows too.
  const least = (to - from) * 1e4;
  return { latencySeconds: least + drawn(1), energyPj: least + drawn(2), dramBytes: least + drawn(3) };
};
const foundOf = (seed: number, from: number, to: number, tiling: number): Outcome | undefined => {
  const bound = boundOf(seed, from, to, tiling);
  const drawn = (k: number): number => Math.floor(draw(seed, from, to, tiling, k) * 4);
  if (bound === null || drawn(9) === 0) return undefined;
  const { latencySeconds, energyPj, dramBytes } = bound;
  return { latencySeconds: latencySeconds + drawn(4), energyPj: energyPj + drawn(5), dramBytes: dramBytes + drawn(6) };
};
const effort = { nodes: 7, mappings: 5, beaten: 3, unfit: 2, passedOver: 1 };

interface Ran {
  readonly asked: readonly (readonly SearchTask[])[];
  readonly progress: readonly (readonly [done: number, total: number])[];
  readonly result: SearchResult;
}

function run(searcher: Searcher, limits: SearchLimits, seed: number): Ran {
  const rounds = searchRounds(searcher, limits);
  const asked: (readonly SearchTask[])[] = [];
  const progress: (readonly [number, number])[] = [];
  for (let round = rounds.next([]); ; ) {
    if (round.done === true) return { asked, progress, result: round.value };
    const { tasks, done, total } = round.value;
    asked.push(tasks);
    progress.push([done, total]);
    round = rounds.next(
      tasks.map(task => {
        const { from, to } = task;
        if (task.kind === "bound") return { bounds: task.tilings.map(tiling => boundOf(seed, from, to, tiling)) };
        const outcome = foundOf(seed, from, to, task.tiling);
        const what: NumberedBlock = { from, to, tiling: task.tiling, einsums: [] };
        return { found: outcome === undefined ? [] : [{ outcome, what }], effort };
      }),
    );
  }
}

const keys = {
  latency: ["latencySeconds", "energyPj", "dramBytes"],
  energy: ["energyPj", "latencySeconds", "dramBytes"],
} as const;
const inOrder = (objective: keyof typeof keys, a: Outcome, b: Outcome): number => {
  for (const key of keys[objective]) if (a[key] !== b[key]) return a[key] - b[key];
  return 0;
};

describe("a search of one block", () => {
  const searcherOn = (machine: "grid" | "uneven") =>
    new Searcher(inventedProblem({ cascade: "product", machine, sizes: { M: 20, queries: 9 } }));
  const searchers = { grid: searcherOn("grid"), uneven: searcherOn("uneven") } as const;

  it("law: asks for the tilings that nothing found beats, the best bounds first, one, two, four at a time", () => {
    const limits = fc.record({
      objective: fc.constantFrom("latency", "energy"),
      budget: fc.constantFrom(undefined, 1, 5, 30, 1000),
    });
    fc.assert(
      fc.property(fc.constantFrom("grid", "uneven"), limits, fc.nat(), (machine, { objective, budget }, seed) => {
        const searcher = searchers[machine];
        const numbers = [...searcher.tilingsOf(0, 1).numbers()];
        const { asked, result, progress } = run(searcher, { objective, budget, width: undefined }, seed);
        const most = budget ?? Number.POSITIVE_INFINITY;
        const bounds = asked.flat().filter(task => task.kind === "bound");
        const bounded = bounds.flatMap(({ tilings }) => tilings);
        expect(bounded.length).toBe(Math.min(numbers.length, 5 * most));
        expect(
          bounds.every(
            ({ tilings }, i) => tilings.length === (i < bounds.length - 1 ? 64 : ((bounded.length - 1) % 64) + 1),
          ),
        ).toBe(true);
        if (5 * most >= numbers.length) expect(bounded).toEqual(numbers);
        const fit = bounded.flatMap(tiling => {
          const bound = boundOf(seed, 0, 1, tiling);
          return bound === null ? [] : [{ tiling, bound }];
        });
        const glanced = [...fit];
        fit.sort((a, b) => inOrder(objective, a.bound, b.bound) || a.tiling - b.tiling);
        // Where fan-outs are of several sizes every other one is the next that looks best at a glance.
        if (machine === "uneven" && bounded.length < numbers.length) {
          const left = [[...fit], glanced];
          for (let i = 0; i < fit.length; i++) {
            const next = left[i % 2]?.[0] as (typeof fit)[number];
            fit[i] = next;
            for (const list of left) list.splice(list.indexOf(next), 1);
          }
        }
        let best: Outcome | undefined;
        let [beaten, left, visited, next] = [0, 0, 0, 0];
        const expected: number[][] = [];
        const reached: (typeof fit)[number][] = [];
        for (let atOnce = 1; next < fit.length; atOnce = Math.min(16, 2 * atOnce)) {
          const tasks: number[] = [];
          for (; next < fit.length && tasks.length < atOnce; next++) {
            const own = fit[next] as (typeof fit)[number];
            const { tiling, bound } = own;
            if (best !== undefined && inOrder(objective, best, bound) <= 0) beaten++;
            else if (visited + tasks.length >= most) reached[left++] = own;
            else tasks.push(tiling);
          }
          visited += tasks.length;
          for (const tiling of tasks) {
            const found = foundOf(seed, 0, 1, tiling);
            if (found !== undefined && (best === undefined || inOrder(objective, found, best) < 0)) best = found;
          }
          if (tasks.length > 0) expected.push(tasks);
        }
        // Beyond a budget that found nothing: the first and the last of those that it did not reach, in turn.
        let beyond = 0;
        for (; best === undefined && left > 0 && beyond < 12; beyond++, left--, visited++) {
          const { tiling } = (beyond % 2 === 0 ? reached.shift() : reached.pop()) as (typeof fit)[number];
          best = foundOf(seed, 0, 1, tiling);
          expected.push([tiling]);
        }
        const searched = asked.flatMap(tasks => (tasks[0]?.kind === "tiling" ? [tasks as readonly TilingTask[]] : []));
        expect(searched.map(tasks => tasks.map(({ tiling }) => tiling))).toEqual(expected);
        expect(
          searched.flat().every(task => task.objective === objective && task.slack === 0 && task.width === undefined),
        ).toBe(true);
        expect(result.found.map(({ outcome }) => outcome)).toEqual(best === undefined ? [] : [best]);
        const { report } = result;
        expect(report.beyondBudget).toBe(beyond);
        expect(report.tilings).toEqual({
          ...{ all: numbers.length, ruledOutByPasses: 0, inBeatenBlocks: 0, unfit: bounded.length - fit.length },
          ...{ beaten, visited, left: left + numbers.length - bounded.length },
        });
        expect(report.isProven).toBe(left === 0 && bounded.length === numbers.length);
        expect(report.effort).toEqual(Object.fromEntries(Object.entries(effort).map(([key, n]) => [key, n * visited])));
        expect(report.blocks).toEqual({ all: 1, split: 0, beaten: 0 });
        expect(
          progress.every(
            ([done, total], i) => total === 2 * numbers.length && done >= (progress[i - 1]?.[0] ?? 0) && done <= total,
          ),
        ).toBe(true);
        expect(progress[0]?.[0]).toBe(0);
        if (progress.length > 1) expect(progress[1]?.[0]).toBe(numbers.length + numbers.length - fit.length);
      }),
      { numRuns: 60 },
    );
  });
});

describe("a search of several blocks", () => {
  // Nothing is carried: any run of neighbours may be a block.
  const problem = inventedProblem({ cascade: "softmax", machine: "grid", sizes: { M: 3 } });
  const searcher = new Searcher(problem);
  const n = problem.einsums.length;
  const runs = Array.from({ length: n }, (_, from) =>
    Array.from({ length: n - from }, (__, i) => [from, from + i + 1] as const),
  ).flat();
  const sum = (a: Outcome, b: Outcome): Outcome => ({
    latencySeconds: a.latencySeconds + b.latencySeconds,
    energyPj: a.energyPj + b.energyPj,
    dramBytes: a.dramBytes + b.dramBytes,
  });
  const zero = { latencySeconds: 0, energyPj: 0, dramBytes: 0 };
  /** Every whole mapping there is. */
  const allFrom = (seed: number, from: number): readonly Outcome[] =>
    from === n
      ? [zero]
      : runs.flatMap(([first, to]) => {
          if (first !== from) return [];
          const own = [...searcher.tilingsOf(from, to).numbers()].flatMap(t => foundOf(seed, from, to, t) ?? []);
          const rest = own.length === 0 ? [] : allFrom(seed, to);
          return own.flatMap(a => rest.map(b => sum(a, b)));
        });

  it("law: finds of all whole mappings those that no other beats, for any objective, and counts each tiling once", () => {
    fc.assert(
      fc.property(fc.constantFrom("latency", "energy", "edp", "pareto"), fc.nat(), (objective, seed) => {
        const { result, asked } = run(searcher, { objective, budget: undefined, width: undefined }, seed);
        const all = allFrom(seed, 0);
        const found = result.found.map(({ outcome }) => outcome);
        if (objective === "latency" || objective === "energy") {
          expect(found).toEqual([...all].sort((a, b) => inOrder(objective, a, b)).slice(0, 1));
        } else if (objective === "edp") {
          const product = (o: Outcome): number => o.latencySeconds * o.energyPj;
          expect(found.map(product)).toEqual(all.length === 0 ? [] : [Math.min(...all.map(product))]);
        } else {
          const isBeaten = (o: Outcome): boolean =>
            all.some(
              a =>
                a.latencySeconds <= o.latencySeconds &&
                a.energyPj <= o.energyPj &&
                (a.latencySeconds < o.latencySeconds || a.energyPj < o.energyPj),
            );
          const best = new Set(all.filter(o => !isBeaten(o)).map(o => `${o.latencySeconds} ${o.energyPj}`));
          expect(found.map(o => `${o.latencySeconds} ${o.energyPj}`).sort()).toEqual([...best].sort());
        }
        const { all: count, ruledOutByPasses, ...parts } = result.report.tilings;
        expect(count).toBe(runs.reduce((total, [from, to]) => total + searcher.tilingsOf(from, to).count, 0));
        expect(ruledOutByPasses).toBe(
          runs.reduce((total, [from, to]) => total + searcher.tilingsOf(from, to).ruledOut, 0),
        );
        expect(Object.values(parts).reduce((a, b) => a + b)).toBe(count);
        expect(parts.left).toBe(0);
        expect(result.report.blocks).toMatchObject({ all: runs.length, split: 0 });
        // Larger blocks are asked for first.
        const sizes = asked.flat().map(({ from, to }) => to - from);
        expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
        const tilings = asked
          .flat()
          .flatMap(task => (task.kind === "tiling" ? [`${task.from} ${task.to} ${task.tiling}`] : []));
        expect(new Set(tilings).size).toBe(tilings.length);
      }),
      { numRuns: 60 },
    );
  });

  it("law: leaves whole a block that what is carried ties together, and all of them for a schedule", () => {
    const counts = (isSchedulable: boolean) => {
      const own = new Searcher(inventedProblem({ cascade: "steps", machine: "grid", sizes: { M: 3 }, isSchedulable }));
      const { asked, result } = run(own, { objective: "latency", budget: undefined, width: undefined }, 1);
      return { ...result.report.blocks, asked: new Set(asked.flat().map(({ from, to }) => `${from} ${to}`)) };
    };
    // L, then R to D in one, then Y; N and T between R and W, which no path of blocks comes to.
    const { all, split, asked } = counts(false);
    expect([all, split]).toEqual([9, 19]);
    for (const block of asked) expect(["0 7", "0 6", "1 7", "1 6", "0 1", "6 7", "2 3", "3 4", "2 4"]).toContain(block);
    expect(counts(true)).toMatchObject({ all: 1, split: 27, asked: new Set(["0 7"]) });
  });
});

describe("a second look at a block that was chosen", () => {
  // Often alike in what is looked at first.
  const small = fc.record({
    latencySeconds: fc.integer({ min: 9, max: 12 }),
    energyPj: fc.integer({ min: 9, max: 12 }),
    dramBytes: fc.integer({ min: 8, max: 9 }),
  });

  it("law: searches its tiling more broadly, then others that may take less of the rest, the most promising first, each once", () => {
    const passed = fc.array(small, { maxLength: 14 });
    const own = fc.option(
      fc.record({
        latencySeconds: fc.constantFrom(5, 10, 10.005, 20),
        energyPj: fc.constantFrom(5, 10, 10.005, 20),
        dramBytes: fc.constant(1),
      }),
      { nil: undefined },
    );
    fc.assert(
      fc.property(
        fc.constantFrom("latency", "energy"),
        passed,
        own,
        fc.nat(10),
        fc.nat(),
        (objective, bounds, known, room, seed) => {
          const [first, second, third] = keys[objective];
          const chosen: Outcome = { latencySeconds: 10, energyPj: 11, dramBytes: 11 };
          const whole: Outcome = { latencySeconds: 10, energyPj: 10, dramBytes: 30 };
          const what: NumberedBlock = {
            from: 2,
            to: 5,
            tiling: 99,
            einsums: [
              { place: 4, kept: [] },
              { place: 0, kept: [] },
            ],
          };
          const all = bounds.map((bound, tiling) => ({ tiling, bound, reason: "left" as const }));
          const steps = refinements(
            { objective, width: 3, own: known },
            { outcome: chosen, what },
            whole,
            all,
            () => room,
          );
          const share = (key: "latencySeconds" | "energyPj" | "dramBytes"): number =>
            known === undefined ? 1.001 : Math.min(1.001, Math.max(1, known[key] / whole[key]));
          let best = { outcome: chosen, what };
          const seen = new Set([99]);
          const enough: Partial<Record<"latencySeconds" | "energyPj" | "dramBytes", number>> = {};
          let step = steps.next([]);
          const answer = (tasks: readonly TilingTask[], k: number) =>
            tasks.map(({ tiling }, i) => {
              const drawn = (j: number): number => 9 + Math.floor(draw(seed, tiling, k, i, j) * 5);
              return {
                outcome: { latencySeconds: drawn(0), energyPj: drawn(1), dramBytes: 1 + drawn(2) },
                what: { ...what, tiling },
              };
            });
          const better = (a: Outcome, b: Outcome): boolean => {
            const clamp = (o: Outcome): Outcome => ({
              latencySeconds: Math.max(o.latencySeconds, enough.latencySeconds ?? 0),
              energyPj: Math.max(o.energyPj, enough.energyPj ?? 0),
              dramBytes: o.dramBytes,
            });
            return inOrder(objective, clamp(a), clamp(b)) < 0;
          };
          for (const [k, [fixed, least]] of (
            [
              [first, second],
              [second, third],
            ] as const
          ).entries()) {
            enough[fixed] = best.outcome[fixed] * share(fixed);
            const ties = all
              .filter(({ tiling, bound }) => {
                if (seen.has(tiling) || bound[least] >= best.outcome[least] * 0.999) return false;
                return (
                  bound[first] <= (enough[first] as number) && bound[second] <= (enough[second] ?? best.outcome[second])
                );
              })
              .sort(
                (a, b) => a.bound[least] - b.bound[least] || a.bound[second] - b.bound[second] || a.tiling - b.tiling,
              )
              .slice(0, Math.min(8, room));
            for (const { tiling } of ties) seen.add(tiling);
            for (const isAgain of [false, true]) {
              if (step.done === true) throw new Error("ended early");
              const { tasks } = step.value;
              const common = {
                kind: "tiling",
                from: 2,
                to: 5,
                objective,
                whole: [],
                around: { latencySeconds: 0, energyPj: 0, dramBytes: 0 },
                enough,
              };
              const one = { ...common, known: [best.outcome] };
              const expected = isAgain
                ? [{ ...one, tiling: best.what.tiling, places: [4, 0], width: 24, slack: 0 }]
                : [
                    ...(k === 0 ? [{ ...common, tiling: 99, known: [], width: 24, slack: 0 }] : []),
                    ...ties.map(({ tiling }) => ({ ...one, tiling, width: 3, slack: 1e-3 })),
                  ];
              expect(tasks).toEqual(expected);
              expect(step.value.ties).toEqual(isAgain ? [] : ties);
              const answers = answer(tasks, 2 * k + Number(isAgain));
              for (const one of answers) if (better(one.outcome, best.outcome)) best = one;
              step = steps.next(answers);
            }
          }
          expect(step).toMatchObject({ done: true, value: best });
        },
      ),
      { numRuns: 200 },
    );
  });
});
