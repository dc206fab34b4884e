import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FusemaxError } from "../../src/errors.js";
import { specFiles } from "../../src/io/spec-files.js";
import { attentionPoints } from "../../src/model/attention-point.js";
import { compileDesign } from "../../src/model/compile.js";
import { accountingOf } from "../../src/model/corrections.js";
import { type Evaluation, evaluate } from "../../src/model/evaluate.js";
import type { MappedBlock } from "../../src/model/mapper/block.js";
import { designOf, mappingFiles } from "../../src/model/mapper/design.js";
import { nothing, type Objective } from "../../src/model/mapper/goal.js";
import { OptionLibrary } from "../../src/model/mapper/option.js";
import { type MapperProblem, mapperProblem } from "../../src/model/mapper/problem.js";
import { type FoundMapping, searchMappings } from "../../src/model/mapper/search.js";
import { Searcher, type TilingAnswer } from "../../src/model/mapper/searcher.js";
import { suits } from "../../src/model/mapper/tiling.js";
import { tilingsOf } from "../../src/model/mapper/tiling-space.js";
import { loadDesign, loadWorkload } from "../../src/spec/load.js";
import { accounting, type Machine, machines, problemOf, type Shape } from "./small-machine.js";

/** Sums of some dozen doubles in another order. */
const rounding = 1e-9;

const published = accountingOf("published", undefined);

function mapped(name: string, model: string, seq: number, objective: Objective, budget: number) {
  const design = loadDesign(specFiles, name);
  const workload = loadWorkload(specFiles, model);
  const [point] = attentionPoints(workload, { phase: "prefill", seq, batch: workload.batch, decodeQueries: 1 });
  if (point === undefined) throw new Error("no point");
  const problem = mapperProblem(design, point, published);
  const { found, report } = searchMappings(problem, { objective, budget, width: 32 });
  const own = evaluate(compileDesign(design), point.sizes, published);
  const evaluations = found.map(({ outcome, what }) => {
    const files = mappingFiles(problem, what, "found", "test");
    const evaluation = evaluate(compileDesign(designOf(problem, files)), point.sizes, published);
    expect(Math.abs(evaluation.latencySeconds / outcome.latencySeconds - 1)).toBeLessThan(rounding);
    expect(Math.abs(evaluation.energyPj / outcome.energyPj - 1)).toBeLessThan(rounding);
    return evaluation;
  });
  return { best: evaluations[0] as Evaluation, own, report };
}

describe("the mapper on the paper's machines", () => {
  it("finds FuseMax's time and energy at 64K from its cascade and architecture, by fusing all of it", () => {
    const { best, own, report } = mapped("fusemax", "bert", 65536, "latency", 20);
    expect(best.latencySeconds).toBeLessThanOrEqual(own.latencySeconds);
    expect(best.energyPj).toBeLessThanOrEqual(own.energyPj);
    expect(report.blocks).toMatchObject({ all: 27, split: 51 });
    expect(report.tilings.visited).toBeGreaterThan(0);
  });

  it.each([
    ["fusemax", "xlm", 1024, "energy"],
    ["flat", "bert", 65536, "latency"],
    ["flat", "bert", 4096, "energy"],
    ["unfused", "bert", 262144, "latency"],
  ] as const)("takes no more than the published mapping of %s for %s at %i: %s", (name, model, seq, objective) => {
    const { best, own } = mapped(name, model, seq, objective, 12);
    const of = ({ latencySeconds, energyPj }: Evaluation): number =>
      objective === "latency" ? latencySeconds : energyPj;
    expect(of(best)).toBeLessThanOrEqual(of(own));
    if (name === "unfused") expect(of(best)).toBeLessThan(0.9 * of(own));
  });

  it.each([4096, 65536])("has the mapping of tpu-v4, with ranks over two fan-outs, in its space: BERT at %i", seq => {
    const design = loadDesign(specFiles, "tpu-v4");
    const [point] = attentionPoints(loadWorkload(specFiles, "bert"), {
      phase: "prefill",
      seq,
      batch: 64,
      decodeQueries: 1,
    });
    if (point === undefined) throw new Error("no point");
    const searcher = new Searcher(mapperProblem(design, point, published));
    const { einsums, ranks } = searcher.problem;
    const to = einsums.length;
    const space = searcher.tilingsOf(0, to);
    // Its blocks: 64 tiles of 2 times 4 queries; one of 4 times 128 keys.
    const cuts: Readonly<Record<string, readonly number[]>> = {
      P: [2, 4, 64],
      M: [4, 128, 1],
      E: [1, 64, 1],
      F: [1, 64, 1],
    };
    const digits = space.choices.map((own, r) =>
      own.findIndex(({ tile, middle }) => [...tile, middle].join() === cuts[ranks[r]?.name ?? ""]?.join()),
    );
    expect(digits).not.toContain(-1);
    const tiling = space.first(
      digits.reduce((number, digit, r) => number * (space.choices[r]?.length ?? 1) + digit, 0),
      0,
      space.orders(space.cut(digits)),
    );
    const none = { known: [], whole: [], around: nothing };
    const task = { kind: "tiling", from: 0, to, tiling, objective: "latency", width: 32, slack: 0, ...none } as const;
    const { found } = searcher.answer(task) as TilingAnswer;
    const own = evaluate(compileDesign(design), point.sizes, published);
    expect(found[0]?.outcome.latencySeconds).toBeLessThanOrEqual(own.latencySeconds * (1 + rounding));
  });

  it("divides as a100-sm's own mapping does, and puts parts of exponentials where they can be done", () => {
    const design = loadDesign(specFiles, "a100-sm");
    const at = { phase: "prefill", seq: 1024, batch: 64, decodeQueries: 1 } as const;
    const [point] = attentionPoints(loadWorkload(specFiles, "bert"), at);
    if (point === undefined) throw new Error("no point");
    const corrected = accountingOf("corrected", undefined);
    const problem = mapperProblem(design, point, corrected);
    const [found] = searchMappings(problem, { objective: "latency", budget: 1, width: 32 }).found;
    if (found === undefined) throw new Error("nothing found");
    const files = mappingFiles(problem, found.what, "found", "test");
    const cost = (own: typeof design): Evaluation =>
      evaluate(compileDesign(own, { corrections: corrected.corrections }), point.sizes, corrected);
    const [best, own] = [cost(designOf(problem, files)), cost(design)];
    expect(Math.abs(best.latencySeconds / found.outcome.latencySeconds - 1)).toBeLessThan(rounding);
    // Without energies a byte of DRAM stands for a picojoule.
    expect(Math.abs(best.trafficBytes / found.outcome.energyPj - 1)).toBeLessThan(rounding);
    expect(best.latencySeconds).toBeLessThan(0.75 * own.latencySeconds);
    const { AV, SLN, scoreDifference } = files.mapping["einsums"] as Readonly<Record<string, unknown>>;
    expect(AV).toMatchObject({
      array: "fp32",
      operations: { mac: 1 },
      source: expect.stringMatching(/normalize_softmax_lse/),
    });
    expect(scoreDifference).toMatchObject({ of: "SLN", array: "fp32", operations: { add: 1 } });
    expect(SLN).toMatchObject({ of: "SLN", array: "sfu", operations: { exp: 1 } });
  });

  it("cuts no rank over which a block passes twice, and says how many tilings that leaves out", () => {
    const { best, report } = mapped("flat", "bert", 4096, "latency", 5);
    expect(report.tilings.ruledOutByPasses).toBeGreaterThan(100);
    expect(best.latencySeconds).toBeGreaterThan(0);
  });

  it("finds the same each time", () => {
    const [a, b] = [mapped("flat", "t5", 1024, "edp", 5), mapped("flat", "t5", 1024, "edp", 5)];
    expect(a.best.energyPj).toBe(b.best.energyPj);
    expect(a.report).toEqual(b.report);
  });
});

// Small machines, small cascades: what the search finds against mappings that are formed without it, written as files, and
// checked and evaluated as any design is.

/** A mapping as files, checked and evaluated; undefined where it cannot be. */
function outcomeOf(problem: MapperProblem, blocks: readonly MappedBlock[]): readonly [number, number] | undefined {
  try {
    const design = designOf(problem, mappingFiles(problem, blocks, "tried", "test"));
    const found = evaluate(
      compileDesign(design, { corrections: accounting.corrections }),
      problem.point.sizes,
      accounting,
    );
    return [found.latencySeconds, found.energyPj];
  } catch (error) {
    if (error instanceof FusemaxError) return undefined;
    throw error;
  }
}

const isAtMost = (a: number, b: number): boolean => a <= b * (1 + rounding);
const isBeatenBy = (a: readonly [number, number], b: readonly [number, number]): boolean =>
  isAtMost(b[0], a[0]) && isAtMost(b[1], a[1]);

const splitMachine: Machine = { columns: 2, rows: 3, lanes: 1, bufferBytes: 64, bytesPerSecond: 1e12 };
const splitShape: Shape = { E: 1, F: 1, M: 6, queries: 1 };

/** All that no mapping beats; each as files, which take what the search says they take. */
function provenFront(problem: MapperProblem): readonly FoundMapping[] {
  const { found } = searchMappings(problem, { objective: "pareto", budget: undefined, width: undefined });
  for (const { what, outcome } of found) {
    const own = outcomeOf(problem, what);
    expect(own, "the files are refused").toBeDefined();
    expect(Math.abs((own?.[0] ?? 0) / outcome.latencySeconds - 1)).toBeLessThan(rounding);
    expect(Math.abs((own?.[1] ?? 0) / outcome.energyPj - 1)).toBeLessThan(rounding);
  }
  return found;
}

describe("the exhaustive mapper on small machines", () => {
  it("law: its front is that of brute force, for a product", () => {
    const shapes = fc.record({
      E: fc.constant(1),
      F: fc.constant(1),
      M: fc.integer({ min: 1, max: 4 }),
      queries: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(machines, shapes, (machine, shape) => {
        const problem = problemOf(machine, "product", shape);
        const { found, report } = searchMappings(problem, { objective: "pareto", budget: undefined, width: undefined });
        expect(report.isProven).toBe(true);
        const mine = found.map(({ outcome }) => [outcome.latencySeconds, outcome.energyPj] as const);
        const library = new OptionLibrary(problem);
        const all: (readonly [number, number])[] = [];
        const space = tilingsOf(problem, 0, 1);
        for (const tiling of [...space.numbers()].map(number => space.at(number))) {
          library.placesOf(0).forEach((at, place) => {
            if (!suits(tiling, at)) return;
            const option = library.option(0, place, tiling.order);
            const [dram, registers] = [0, option.registers];
            const shared = option.memories.slice(1, -1);
            for (let bits = 0; bits < 2 ** (3 * shared.length); bits += 1) {
              const kept = [0, 1, 2].map(t => [
                dram,
                ...shared.filter((_, k) => (bits >>> (3 * k + t)) & 1),
                registers,
              ]);
              const outcome = outcomeOf(problem, [{ from: 0, tiling, einsums: [{ option, kept }] }]);
              if (outcome !== undefined) all.push(outcome);
            }
          });
        }
        expect(all.length).toBeGreaterThan(0);
        for (const outcome of all)
          expect(
            mine.some(own => isBeatenBy(outcome, own)),
            `${outcome}`,
          ).toBe(true);
        for (const own of mine)
          expect(all.some(outcome => isBeatenBy(own, outcome) && isBeatenBy(outcome, own))).toBe(true);
      }),
      // Two fan-outs take a rank that is longer than either; once with a shared level around the buffer.
      {
        numRuns: 3,
        examples: [
          [splitMachine, splitShape],
          [{ ...splitMachine, bufferBytes: 8, outerBytes: 64 }, splitShape],
        ],
      },
    );
  });

  it("lays a rank over two fan-outs where neither has room for all of it", () => {
    const [best] = provenFront(problemOf(splitMachine, "product", splitShape));
    const [block] = best?.what ?? [];
    expect(block?.tiling.cut.map(({ tile }) => tile)).toContainEqual([2, 3]);
    expect(block?.einsums[0]?.option.place.over.map(own => own?.parts)).toEqual([[0], [1]]);
  });

  it.each([
    [2, 1, 5],
    [2, 2, 1],
    [2, 3, 5],
    [4, 4, 7],
  ])(
    "writes files that are not refused where no rank lies over one of two fan-outs: %d x %d lanes, %d queries",
    (lanes, sublanes, queries) => {
      const machine = { columns: 1, rows: 1, lanes, sublanes, bufferBytes: 64, bytesPerSecond: 1e12 };
      expect(provenFront(problemOf(machine, "row", { E: 1, F: 1, M: 1, queries })).length).toBeGreaterThan(0);
    },
  );

  it("law: the space has as many mappings as there are, one by one", () => {
    const shapes = fc.record({
      E: fc.constant(1),
      F: fc.integer({ min: 1, max: 2 }),
      M: fc.integer({ min: 1, max: 6 }),
      queries: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(machines, shapes, fc.constantFrom(undefined, 2), (own, shape, cores) => {
        const problem = problemOf({ ...own, cores }, "chain", shape);
        const { report } = searchMappings(problem, { objective: "latency", budget: 1, width: 1 });
        const library = new OptionLibrary(problem);
        const countOf = (from: number, to: number): bigint => {
          const space = tilingsOf(problem, from, to);
          let mappings = 0n;
          for (const tiling of [...space.numbers()].map(number => space.at(number))) {
            let ways = 1n;
            for (let e = from; e < to; e += 1) {
              let places = 0n;
              library.placesOf(e).forEach((place, p) => {
                if (!suits(tiling, place)) return;
                const { memories, tensors } = library.option(e, p, tiling.order);
                // DRAM and shared levels may keep each tensor.
                places += 2n ** BigInt(tensors.length * (memories.length - 1));
              });
              ways *= places;
            }
            mappings += ways;
          }
          return mappings;
        };
        const [a, b, c, ab, bc, abc] = [
          countOf(0, 1),
          countOf(1, 2),
          countOf(2, 3),
          countOf(0, 2),
          countOf(1, 3),
          countOf(0, 3),
        ];
        expect(report.space).toBe(a * b * c + ab * c + a * bc + abc);
      }),
      { numRuns: 3 },
    );
  });

  it.each([1e9, 1e10, 1e12])(
    "writes files that are not refused where tiles of one element lie over two lanes, DRAM at %d B/s",
    bytesPerSecond => {
      const machine = { columns: 3, rows: 1, lanes: 2, bufferBytes: 8, bytesPerSecond };
      expect(provenFront(problemOf(machine, "chain", { E: 1, F: 1, M: 3, queries: 3 })).length).toBeGreaterThan(0);
    },
  );

  it("law: no mapping of a chain, drawn at random, beats its front, and what it claims its files cost", () => {
    let valid = 0;
    const shapes = fc.record({
      E: fc.constant(1),
      F: fc.constant(1),
      M: fc.integer({ min: 1, max: 4 }),
      queries: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(machines, shapes, fc.infiniteStream(fc.nat(2 ** 20)), (own, shape, draw) => {
        const next = (): number => draw.next().value as number;
        const problem = problemOf(
          { ...own, cores: next() % 2 === 0 ? undefined : 2, coresWithin: next() % 2 === 0 },
          "chain",
          shape,
        );
        const found = provenFront(problem);
        const mine = found.map(({ outcome }) => [outcome.latencySeconds, outcome.energyPj] as const);
        const library = new OptionLibrary(problem);
        const runs = [
          [[0, 3]],
          [
            [0, 1],
            [1, 3],
          ],
          [
            [0, 2],
            [2, 3],
          ],
          [
            [0, 1],
            [1, 2],
            [2, 3],
          ],
        ] as const;
        for (let k = 0; k < 60; k += 1) {
          const run = runs[next() % runs.length] as readonly (readonly [number, number])[];
          const blocks = run.map(([from, to]): MappedBlock => {
            const space = tilingsOf(problem, from, to);
            const numbers = [...space.numbers()];
            const tiling = space.at(numbers[next() % numbers.length] as number);
            const einsums = Array.from({ length: to - from }, (_, e) => {
              const places = library.placesOf(from + e);
              const option = library.option(from + e, next() % places.length, tiling.order);
              const shared = option.memories.slice(1, -1);
              const kept = option.tensors.map(tensor => {
                const bits = next();
                const maker = problem.makerOf(tensor);
                // Between blocks tensors pass DRAM.
                const passes = maker < from || (maker === from + e && problem.leaves(tensor, from, to));
                return [
                  ...(passes || bits & 1 ? [0] : []),
                  ...shared.filter((_, k) => bits & (2 << k)),
                  option.registers,
                ];
              });
              return { option, kept };
            });
            return { from, tiling, einsums };
          });
          const outcome = outcomeOf(problem, blocks);
          if (outcome === undefined) continue;
          valid += 1;
          expect(
            mine.some(own => isBeatenBy(outcome, own)),
            JSON.stringify(outcome),
          ).toBe(true);
        }
      }),
      { numRuns: 7 },
    );
    expect(valid).toBeGreaterThan(20);
  });
});
