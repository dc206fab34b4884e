import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../src/emulator/engine.js";
import { openTestEngine } from "../emulator/webgpu/adapter.js";
import { difference, engineOutcome, goldenOutcome } from "./random.js";
import { type ArithmeticCase, randomCase } from "./random-case.js";

/** Cases of all arithmetics together; `npm run test:arithmetic:wgsl` tries more. */
const wanted = Number(process.env["FUSEMAX_WGSL_CASES"] ?? 200);
/** Cases of one arithmetic, whose kernel takes a second or more to compile; in the suite they are of one kernel. */
const ofEach = wanted > 200 ? 10 : 40;
const firstSeed = Number(process.env["FUSEMAX_SEED"] ?? 65);

/** The attentions of other seeds in the arithmetic of one. */
function casesOf(seed: number): readonly ArithmeticCase[] {
  const { arithmetic, kvSplits } = randomCase(seed).problem;
  return Array.from({ length: ofEach }, (_, i) => {
    const { problem, inputs } = randomCase(1_000_000 + ofEach * seed + i);
    // Smoothed keys have neither sink nor soft-cap.
    if (arithmetic.smooth === "none" && wanted > 200) return { problem: { ...problem, arithmetic }, inputs };
    const { planes: _planes, ...mask } = problem.mask;
    const { softcap: _softcap, ...plain } = problem;
    const { sink: _sink, bias: _bias, ...tensors } = inputs;
    return { problem: { ...plain, mask, arithmetic, kvSplits }, inputs: tensors };
  });
}

describe("arithmetics in WGSL", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await openTestEngine();
  });
  afterAll(() => engine.close(), 60_000);

  it(
    `have the golden bits and saturation, or the golden refusal, in ${wanted} cases from seed ${firstSeed} on`,
    async () => {
      const wrong: string[] = [];
      for (let seed = firstSeed; seed < firstSeed + Math.ceil(wanted / ofEach); seed += 1) {
        for (const [i, one] of casesOf(seed).entries()) {
          const found = difference(one, goldenOutcome(one), await engineOutcome(one, engine));
          if (found !== null) wrong.push(`seed ${seed}, case ${i}: ${found}`);
        }
      }
      expect(wrong).toEqual([]);
    },
    wanted * 3000 + 60_000,
  );
});
