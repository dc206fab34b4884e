import { describe, expect, it } from "vitest";
import { specFiles } from "../../../src/io/spec-files.js";
import { published } from "../../../src/model/accounting.js";
import { attentionPoints } from "../../../src/model/attention-point.js";
import { type CompiledDesign, compileDesign } from "../../../src/model/compile.js";
import { evaluate } from "../../../src/model/evaluate.js";
import {
  hasSchedule,
  hasTiles,
  simulateMapping,
  simulationTolerance,
  unknownFanout,
} from "../../../src/model/mapper/simulated.js";
import { findLags } from "../../../src/model/schedule/lags.js";
import { scheduleOfDesign, withRegisterFiles } from "../../../src/model/schedule/of-design.js";
import { pipelinedSchedule } from "../../../src/model/schedule/pipelined.js";
import { simulateSchedule } from "../../../src/model/schedule/simulate.js";
import { valuesOf } from "../../../src/model/values.js";
import { loadDesign, loadWorkload } from "../../../src/spec/load.js";
import { programText } from "../../../src/spec/schedule/notation.js";
import { inventedProblem } from "./invented.js";

const [bert] = attentionPoints(loadWorkload(specFiles, "bert"), {
  phase: "prefill",
  seq: 64,
  batch: 1,
  decodeQueries: 1,
});
if (bert === undefined) throw new Error("no point");
const sizes = { ...bert.sizes, B: 2, H: 3, E: 8, F: 4, M: 22, queries: 12, group: 1 };

/** FuseMax's mapping on 4 x 3 PEs, four query tiles a block, and what is simulated of it. */
function run(other: Partial<typeof sizes> = {}, fields: Readonly<Record<string, number>> = {}) {
  const all = { ...sizes, ...other };
  const point = { ...(bert as NonNullable<typeof bert>), sizes: all };
  const patches = Object.entries({
    "architecture.parameters.rows": 4,
    "architecture.parameters.columns": 3,
    "mapping.symbols.packed": 1,
    "mapping.symbols.headTiles": 1,
    "mapping.symbols.queryTiles": 4,
    ...fields,
  }).map(([path, value]) => ({ path, value }));
  const compiled = compileDesign({ ...loadDesign(specFiles, "fusemax"), schedule: undefined }, { patches });
  const evaluation = evaluate(compiled, all);
  return { compiled, evaluation, all, found: simulateMapping({ point, accounting: published }, compiled, evaluation) };
}

describe("the simulation of a mapping", () => {
  it.each([
    // 4 query tiles and 6 key tiles of each of 3 heads: all of a sequence.
    ["all heads of all sequences", {}, {}, 2 * 3 * 12, 2, 3, 12],
    ["all heads of some sequences", { B: 90 }, {}, 27 * 3 * 12, 27, 3, 12],
    ["a block of one head, where that is long", { M: 2200 }, {}, 12, 1, 1, 12],
    ["some blocks of a head", { M: 200, queries: 600 }, {}, 120, 1, 1, 120],
    ["some heads, all of each", { M: 40, queries: 120, H: 9 }, {}, 5 * 120, 1, 5, 120],
    // 41 tiles of 3 queries, of which the last is of one.
    ["some heads whose last tile is short", { M: 40, queries: 121, H: 9 }, {}, 4 * 121, 1, 4, 121],
    // Five query heads that share keys, two at a time.
    [
      "heads that share keys together",
      { group: 5, M: 160, queries: 24 },
      { "mapping.symbols.headTiles": 2 },
      24,
      1,
      1,
      24,
    ],
  ] as const)("is of %s", (_, other, fields, queries, count, heads, rows) => {
    const { compiled, evaluation, all, found } = run(other, fields);
    if ("reason" in found) throw new Error(found.reason);
    const values = valuesOf(compiled, all);
    const { arrays: free, work } = scheduleOfDesign(compiled, { sizes: all }, values);
    const arrays = withRegisterFiles(compiled, free, values);
    const part = { ...work, heads, sequences: work.sequences.map(own => ({ ...own, count, rows })) };
    // Fig. 4's turns with each distance of its letters, and none.
    const specs = [
      pipelinedSchedule(arrays.einsums, 1, false),
      ...[1, 2, 4].map(apart => pipelinedSchedule(arrays.einsums, apart, true)),
    ].flatMap(spec => spec ?? []);
    expect(specs.length).toBe(4);
    const results = specs.flatMap(spec => {
      try {
        return [simulateSchedule(findLags(spec, arrays, part), arrays, part)];
      } catch {
        return [];
      }
    });
    const cycles = Math.min(...results.map(result => result.cycles));
    const best = results.find(result => result.cycles === cycles);
    const computing = evaluation.phases.reduce((sum, { computeCycles }) => sum + computeCycles, 0);
    const modelCycles = (computing * queries) / (all.B * all.queries * all.H);
    expect(found.queries).toBe(queries);
    expect(found.cycles).toBe(cycles);
    expect(found.modelCycles).toBeCloseTo(modelCycles, 6);
    expect(found.ratio).toBeCloseTo(cycles / modelCycles, 9);
    expect(found.agrees).toBe(Math.abs(found.ratio - 1) <= 0.01);
    expect(simulationTolerance).toBe(0.01);
    expect(found.stalls).toEqual({ array: "2d", cycles: best?.arrays["2d"]?.stalls });
    expect(found.schedule).toEqual({
      ...{ name: "pipelined", source: "fusemax map", tiles: best?.schedule.lags },
      ...Object.fromEntries(
        Object.entries(best?.schedule.programs ?? {}).map(([a, stages]) => [a, programText(stages)]),
      ),
    });
  });

  it("says of the array that is busiest how long it stands still, whichever comes first", () => {
    const { found } = run({ E: 1, F: 1 }, { "architecture.arrays.1d.operations.max": 30 });
    expect(found).toMatchObject({ stalls: { array: "1d" } });
  });

  it("is of blocks of up to 20,000 tiles", () => {
    const long = (keyTiles: number) => run({ M: 4 * keyTiles }).found;
    expect(long(5001)).toEqual({ reason: "a block of queries of more than 20000 tiles" });
    expect(long(5000)).toMatchObject({ queries: 12 });
  });

  it("law: has a schedule where the simulation finds one, whatever the register files hold", () => {
    const said = [1, 3, 4, 5, 6, 7, 8, 10, 12].flatMap(depth =>
      ["registers2d", "registers1d"].map(level => {
        const { compiled, all, found } = run({}, { [`architecture.levels.${level}.depth`]: depth });
        const point = { ...(bert as NonNullable<typeof bert>), sizes: all };
        const known = new Map<string, boolean>();
        const has = [hasSchedule({ point }, compiled, known), hasSchedule({ point }, compiled, known)];
        expect([level, depth, ...has]).toEqual([level, depth, !("reason" in found), !("reason" in found)]);
        expect([...known.values()]).toEqual([!("reason" in found)]);
        return has[0];
      }),
    );
    expect(new Set(said).size).toBe(2);
    // What has no tiles is not tried.
    const { compiled, all } = run({ M: 4 * 5001 });
    const point = { ...(bert as NonNullable<typeof bert>), sizes: all };
    expect(hasSchedule({ point }, compiled, new Map())).toBe(false);
  });

  it("has tiles where these are no more, and where a schedule knows all fan-outs", () => {
    const has = (other: Partial<typeof sizes>): boolean => {
      const { compiled, all } = run(other);
      return hasTiles({ point: { ...(bert as NonNullable<typeof bert>), sizes: all } }, compiled);
    };
    expect([has({}), has({ M: 4 * 5000 }), has({ M: 4 * 5001 })]).toEqual([true, true, false]);
    // Cores, and two fan-outs within.
    const problem = inventedProblem({ cascade: "steps", machine: "shared", sizes: { M: 4 } });
    expect(hasTiles(problem, problem.compiled)).toBe(false);
    const sizeOf = { x: 4, y: 3, z: 2 };
    const around = Object.keys(sizeOf);
    const fanouts = Object.entries(sizeOf).map(
      ([name, size]) => [name, { fields: new Map([["size", () => size]]) }] as const,
    );
    const levels = new Map<string, object>([...fanouts, ["pe", { around, fields: new Map() }]]);
    const compiled = { architecture: { arrays: { grid: { at: "pe" } } }, levels } as unknown as CompiledDesign;
    expect(unknownFanout(compiled, new Float64Array())).toBe(
      "2 instances of z around the array grid, beyond its rows and columns: a schedule knows two fan-outs around an array, here x and y",
    );
  });

  it("says what no schedule fits", () => {
    const { found } = run({}, { "architecture.levels.registers2d.depth": 2 });
    expect(found).toMatchObject({
      reason: expect.stringMatching(/values at once in a PE's register file; expected at most 2/),
    });
  });
});
