import { describe, expect, it } from "vitest";
import { levelUses } from "../../src/model/level-use.js";
import { timingOf } from "../../src/model/timing.js";
import { type Change, evaluateWith, level, modelWith, steps } from "./one-product.js";

// How long the phases of one small product take, and what they wait for: bounds on both sides of where they change.

const both: Change = ["operations: { mac: 1 }", "operations: { mac: 3, exp: 1 }"];
const sfu: Change = ["exp: 4 }", "exp: 4 }, units: { sfu: [exp] }"];
const latency = (formula: string): Change => ["latency: Y", `latency: ${formula}`];

/** The product's timing with so many cycles by simulation. */
function simulatedTiming(changes: readonly Change[], simulated: number) {
  const { design, mapped, evaluation } = modelWith(changes);
  for (const { name, cycles } of evaluation.counts) mapped.values[design.busySlots.get(name) ?? -1] = cycles;
  const bytes = new Map([["Y", evaluation.trafficBytes]]);
  return timingOf(design, evaluation.counts, bytes, mapped.values, simulated);
}

describe("a phase takes", () => {
  it("no less than its busiest array or unit is busy, whatever its binding says", () => {
    const found = evaluateWith([both, sfu, latency("0.5 * Y")]);
    expect(found.cycles).toBeCloseTo(4 * steps, 4);
    expect(found.bound).toBe("grid.sfu");
    expect(evaluateWith([both, sfu, latency("2 * Y")])).toMatchObject({ cycles: 8 * steps, bound: "binding" });
  });

  it("as long as its simulation where that is longer", () => {
    expect(simulatedTiming([], 700).cycles).toBeCloseTo(700, 9);
    expect(simulatedTiming([], 100).cycles).toBe(steps);
    expect(simulatedTiming([], 700).utilization["grid"]).toBeCloseTo(steps / 700, 12);
  });

  it("what its binding says where there are two", () => {
    const twice: readonly Change[] = [
      [
        /(einsums:\n)( {2}Y:[\s\S]*)$/,
        "$1$2  Z:\n    array: grid\n    inputs: [X, W]\n    output: Y\n    operations: { exp: 1 }\n    loops: { dram: [P3], core: [P2], l1: [P1, F, E], pe: [P0] }\n    keep: { dram: [X, W, Y], l1: [X, W, Y], rf: [X, W, Y] }\n",
      ],
      ["{ name: all, latency: Y }", "{ name: one, latency: Y }, { name: two, latency: 2 * Z }"],
    ];
    const found = simulatedTiming(twice, 1e6);
    expect(found.phases.map(({ computeCycles }) => computeCycles)).toEqual([steps, 8 * steps]);
    expect(found.cycles).toBeCloseTo(9 * steps, 6);
    // The longer phase says what limits all.
    expect(found.bound).toBe("binding");
  });
});

describe("what limits a design is", () => {
  it("an array that rests for no more than a billionth of it, or for a hundredth of a simulation", () => {
    const boundAt = (share: number): string => evaluateWith([latency(`(1 + ${share}) * Y`)]).bound;
    expect([boundAt(0), boundAt(0.5e-9), boundAt(2e-9), boundAt(1e-3)]).toEqual(["grid", "grid", "binding", "binding"]);
    const simulatedAt = (share: number): string => simulatedTiming([], steps * (1 + share)).bound;
    expect([simulatedAt(0), simulatedAt(0.5e-2), simulatedAt(2e-2)]).toEqual(["grid", "grid", "binding"]);
  });

  it("DRAM where a level takes as long, and an array where either does", () => {
    // 6400 bytes of DRAM and 11008 of an l1, both in 2^-20 seconds or so many times that.
    const at = (dram: number, l1: number) =>
      evaluateWith([
        ["frequencyHz: 1e9", "frequencyHz: 1024 * 1024 * 1024"],
        ["1e12", `${(6400 * 2 ** 20) / dram}`],
        level("l1", `bandwidth: { bytesPerCycle: ${10.75 / l1} }`),
      ]);
    expect(at(1, 1)).toMatchObject({ cycles: 1024, bound: "dram" });
    expect(at(1, 2)).toMatchObject({ cycles: 2048, bound: "l1" });
    expect(at(2, 1)).toMatchObject({ cycles: 2048, bound: "dram" });
    expect(at(0.5, 0.25)).toMatchObject({ cycles: steps, bound: "grid" });
    expect(at(0.25, 0.5)).toMatchObject({ cycles: steps, bound: "grid" });
  });
});

it("levels take no time that is not asked for", () => {
  const timed = [level("l1", "bandwidth: { bytesPerCycle: 4 }")];
  expect(simulatedTiming(timed, 700).phases[0]?.levelSeconds).toEqual({});
  expect(Object.keys(evaluateWith(timed).phases[0]?.levelSeconds ?? {})).toEqual(["l1"]);
});

it("a level takes as long for what it passes of reads as of writes", () => {
  const { design, mapped, evaluation } = modelWith([level("l1", "bandwidth: { bytesPerCycle: 4 }")]);
  const uses = levelUses(design, mapped.einsums, evaluation.counts, mapped.values);
  const own = uses.get("Y")?.bytes["l1"];
  expect(evaluation.phases[0]?.levelSeconds["l1"]).toBe(((own?.read ?? 0) + (own?.written ?? 0)) / 4 / 1e9);
});
