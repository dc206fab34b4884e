import { describe, expect, it } from "vitest";
import { noMask } from "../../../src/attention/mask.js";
import { formats } from "../../../src/numerics/format.js";
import { readShader } from "../../../src/platform/shaders.js";
import { makeOperands } from "../../properties/arbitrary.js";
import { library } from "../cascades.js";
import { printingEngines } from "../engines.js";
import { programSuite } from "../program-suite.js";
import { openTestEngine } from "./adapter.js";

for (const engine of printingEngines.filter(({ name }) => name === "webgpu")) programSuite(engine);

describe("a printed program in WGSL", () => {
  it("is tried on a small attention before it is believed", async () => {
    // An adapter on which divisions are cut off, not rounded.
    const shaders = (name: string): string =>
      name === "shared/divide" ? readShader(name).replace("significand += 1u;", "") : readShader(name);
    const engine = await openTestEngine({ shaders });
    const shape = { batch: 1, heads: 1, kvHeads: 1, queries: 4, keys: 9, headDim: 4, valueDim: 3 };
    const problem = {
      ...{ shape, mask: noMask, tile: { m0: 4, p0: 4 }, format: formats.fp32, scale: 0.5 },
      cascade: library("attention-3-pass"),
    };
    try {
      await expect(engine.open(problem, makeOperands(shape, "fp32", "normal", 1))).rejects.toThrow(
        /element \d+ of a small attention by attention-3-pass in fp32; expected the contract's bits/,
      );
    } finally {
      await engine.close();
    }
  });
});
