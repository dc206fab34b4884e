import { describe, expect, it } from "vitest";
import { noMask } from "../../../src/attention/mask.js";
import { cpuEngine } from "../../../src/emulator/cpu.js";
import { formatArithmetics } from "../../../src/numerics/format-of.js";
import { readShader } from "../../../src/platform/shaders.js";
import { makeOperands } from "../../properties/arbitrary.js";
import { expectSameBits, runCase } from "../../properties/run.js";
import { library } from "../cascades.js";
import { printingEngines } from "../engines.js";
import { programSuite } from "../program-suite.js";
import { openTestEngine } from "./adapter.js";

for (const engine of printingEngines.filter(({ name }) => name === "webgpu")) programSuite(engine);

describe("a printed program in WGSL", () => {
  it("has the same bits when K and V come in parts, and rows in several requests", async () => {
    // 16 keys of 64 operands a part, two parts at a time.
    const engine = await openTestEngine({ specialize: false, variant: { chunkBytes: 4096, cacheBytes: 8192 } });
    const shape = { batch: 1, heads: 4, kvHeads: 2, queries: 30, keys: 101, headDim: 64, valueDim: 20 };
    const mask = { ...noMask, left: 60, right: 0 };
    try {
      for (const name of ["attention-1-pass", "attention-2-pass"]) {
        const problem = {
          ...{ shape, mask, tile: { m0: 8, p0: 8 }, arithmetic: formatArithmetics.fp32, scale: 0.125 },
          cascade: library(name),
        };
        const operands = makeOperands(shape, "fp32", "normal", 5);
        const wanted = await runCase(cpuEngine({ specialize: false }), { problem, operands });
        const { av, overflowRow } = await runCase(engine, { problem, operands }, 37);
        expect(overflowRow).toBeNull();
        expectSameBits(av, wanted.av, name);
      }
    } finally {
      await engine.close();
    }
  });

  it("is tried on a small attention before it is believed", async () => {
    // An adapter on which divisions are cut off, not rounded.
    const right = readShader("shared/divide");
    const wrong = right.replace("half + select(0u, 1u, isUp)", "half");
    expect(wrong).not.toBe(right);
    const shaders = (name: string): string => (name === "shared/divide" ? wrong : readShader(name));
    const engine = await openTestEngine({ shaders });
    const shape = { batch: 1, heads: 1, kvHeads: 1, queries: 4, keys: 9, headDim: 4, valueDim: 3 };
    const problem = {
      ...{ shape, mask: noMask, tile: { m0: 4, p0: 4 }, arithmetic: formatArithmetics.fp32, scale: 0.5 },
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
