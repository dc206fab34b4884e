import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noMask } from "../../../src/attention/mask.js";
import type { AttentionProblem, Operands } from "../../../src/attention/problem.js";
import { allRows } from "../../../src/attention/rows.js";
import type { AttentionShape } from "../../../src/attention/shape.js";
import { emulate } from "../../../src/emulator/emulate.js";
import { describeFailure, selfTest } from "../../../src/emulator/self-test.js";
import { Twin } from "../../../src/emulator/twin.js";
import type { Variant } from "../../../src/emulator/webgpu/variant.js";
import { DeviceError } from "../../../src/errors.js";
import type { FormatName } from "../../../src/numerics/format.js";
import { formatArithmetics } from "../../../src/numerics/format-of.js";
import { readShader } from "../../../src/platform/shaders.js";
import { makeOperands } from "../../properties/arbitrary.js";
import { expectSameBits, runCase } from "../../properties/run.js";
import { engineOf, openTestContext, openTestEngine, type TestContext, tilesVariant } from "./adapter.js";

const shape: AttentionShape = { batch: 1, heads: 4, kvHeads: 2, queries: 21, keys: 203, headDim: 11, valueDim: 19 };
const problemIn = (format: FormatName, m0: number): AttentionProblem => ({
  shape,
  mask: { ...noMask, left: 150, right: 9 },
  tile: { m0, p0: 16 },
  arithmetic: formatArithmetics[format],
  scale: 0.3,
});

function twinOutput(problem: AttentionProblem, operands: Operands): Float32Array {
  const { queries, valueDim } = problem.shape;
  const rows = allRows(problem).end;
  const av = new Float32Array(rows * valueDim);
  const twin = new Twin(problem, operands);
  for (let start = 0; start < rows; start += queries) {
    twin.rows({ start, end: start + queries }, av.subarray(start * valueDim));
  }
  return av;
}

const smallChunks = { chunkBytes: 64 * 40, cacheBytes: 64 * 90 };

/** Ways to cut the work that must not change a bit, each with a format and an M0. */
const cuts: readonly (readonly [string, Partial<Variant>, FormatName, number])[] = [
  ["dispatches of a few keys", { firstRate: 1, parallelBlocks: 1 }, "bf16", 48],
  ["parts of K and V smaller than a tile", smallChunks, "bf16", 48],
  ["parts of K and V of a few tiles, two kept", { chunkBytes: 64 * 100, cacheBytes: 64 * 250 }, "bf16", 7],
  ["requests of one block", { requestBytes: 1 }, "bf16", 50],
  ["dispatches of a few keys", { firstRate: 1, parallelBlocks: 1 }, "fp32", 50],
  ["kernels with workgroup memory, 128 rows", tilesVariant(128), "bf16", 48],
  [
    "kernels with workgroup memory and parts of a tile",
    { ...tilesVariant(64), ...smallChunks, firstRate: 1 },
    "bf16",
    7,
  ],
];

describe("cutting the work changes no bit", () => {
  let context: TestContext;
  beforeAll(async () => {
    context = await openTestContext();
  });
  afterAll(() => context.guard.close());

  it("values of more columns than a workgroup holds, whole and in parts of a tile", async () => {
    const problem = { ...problemIn("fp16-strict", 40), shape: { ...shape, valueDim: 150 } };
    const operands = makeOperands(problem.shape, "fp16-strict", "normal", 3);
    const expected = twinOutput(problem, operands);
    for (const cut of [{}, { chunkBytes: 600 * 24, cacheBytes: 600 * 50, firstRate: 1 }]) {
      const { av } = await runCase(engineOf(context, { ...tilesVariant(64), ...cut }), { problem, operands });
      expectSameBits(av, expected);
    }
  });

  it.each(cuts)("%s: %j in %s with M0 = %i", async (_, cut, format, m0) => {
    const problem = problemIn(format, m0);
    const operands = makeOperands(shape, format, "normal", 3);
    const { av } = await runCase(engineOf(context, cut), { problem, operands });
    expectSameBits(av, twinOutput(problem, operands));
  });
});

describe("the self-test", () => {
  it("refuses an adapter whose sums are wrong in one bit, naming the case", async () => {
    const right = readShader("operations");
    const sum = "macOne(u, a[j], b[j])";
    const wrong = right.replace(sum, `bitcast<f32>(bitcast<u32>(${sum}) & 0xfffffffeu)`);
    expect(wrong).not.toBe(right);
    const truncating = (name: string): string => (name === "operations" ? wrong : readShader(name));
    const engine = await openTestEngine({ shaders: truncating });
    const failure = await selfTest({ engine, runOps: engine.runOps }, formatArithmetics.bf16).finally(() =>
      engine.close(),
    );
    if (failure === null) expect.fail("a wrong sum passed");
    expect(describeFailure(failure)).toMatch(
      /^MAC chains, score in bf16, case \d+ \(.*\): got 0x[0-9a-f]{8} = .*expected 0x/,
    );
  });
});

describe("a lost device", () => {
  const problem: AttentionProblem = { ...problemIn("bf16", 48), shape: { ...shape, queries: 200, keys: 3000 } };
  const inputs = makeOperands(problem.shape, "bf16", "normal", 4);

  it("is a DeviceError that says so, in the middle of a run too", async () => {
    const engine = await openTestEngine({ variant: { requestBytes: 1, firstRate: 1e6 } });
    let blocks = 0;
    const run = emulate(problem, inputs, {
      engine,
      onBlock: () => {
        blocks += 1;
        engine.device.destroy();
      },
    });
    await expect(run).rejects.toThrow(DeviceError);
    await expect(run).rejects.toThrow(/device lost/);
    expect(blocks).toBeLessThanOrEqual(2); // the one that destroyed it, and one that was done by then
    await engine.close();
  });
});

it("a run is abandoned between dispatches when it is aborted", async () => {
  const engine = await openTestEngine({ variant: { firstRate: 1e6 } });
  const problem: AttentionProblem = { ...problemIn("bf16", 48), shape: { ...shape, queries: 200, keys: 3000 } };
  const abort = new AbortController();
  setTimeout(() => abort.abort(new Error("enough")), 20);
  const run = emulate(problem, makeOperands(problem.shape, "bf16", "normal", 4), { engine, signal: abort.signal });
  await expect(run).rejects.toThrow("enough");
  await engine.close();
});
