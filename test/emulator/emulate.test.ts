import { describe, expect, it } from "vitest";
import { noMask } from "../../src/attention/mask.js";
import type { AttentionProblem } from "../../src/attention/problem.js";
import type { RowRange } from "../../src/attention/rows.js";
import { cpuEngine } from "../../src/emulator/cpu.js";
import { emulate, emulateRows } from "../../src/emulator/emulate.js";
import type { Engine, RowBlock } from "../../src/emulator/engine.js";
import { generateNormal } from "../../src/emulator/generate.js";
import { roundOperands } from "../../src/emulator/operands.js";
import { DeviceError, NumericsError } from "../../src/errors.js";
import { formatArithmetics } from "../../src/numerics/format-of.js";
import { sha256OfValues } from "../../src/numerics/sha256.js";

const shape = { batch: 1, heads: 2, kvHeads: 1, queries: 10, keys: 7, headDim: 3, valueDim: 4 };
const problem: AttentionProblem = {
  shape,
  mask: noMask,
  tile: { m0: 3, p0: 2 },
  arithmetic: formatArithmetics.bf16,
  scale: 0.5,
};
const inputs = {
  q: generateNormal(1, "q", 2 * 10 * 3),
  k: generateNormal(1, "k", 7 * 3),
  v: generateNormal(1, "v", 7 * 4),
};
const operands = roundOperands(inputs, shape, problem.arithmetic);

/** The twin in small requests, several at a time, that fails at a row if told to. */
function fussyEngine(failAt = Number.POSITIVE_INFINITY): Engine {
  const twin = cpuEngine();
  return {
    ...twin,
    open: async (...args) => {
      const session = await twin.open(...args);
      return {
        ...session,
        concurrency: 3,
        rowsPerRequest: 3,
        run: async (range, signal) => {
          // Later requests finish first.
          await new Promise(resolve => setTimeout(resolve, range.start === 0 ? 10 : 1));
          if (failAt >= range.start && failAt < range.end) {
            throw new DeviceError({ where: "adapter", got: "a lost device", expected: "one that stays" });
          }
          return session.run(range, signal);
        },
      };
    },
  };
}

describe("emulateRows", () => {
  it("hands every block on once, in order, whatever order they finish in", async () => {
    const ranges: RowRange[] = [];
    const progress: number[] = [];
    const run = await emulateRows(problem, operands, {
      engine: fussyEngine(),
      onBlock: ({ range }) => void ranges.push(range),
      onProgress: ({ rowsDone, rows }) => void progress.push(rowsDone / rows),
    });
    expect(ranges.map(r => r.start)).toEqual([0, 3, 6, 9, 12, 15, 18]);
    expect(ranges.at(-1)?.end).toBe(20);
    expect(progress.at(-1)).toBe(1);
    expect(run.lost).toBeNull();
    expect(run.gflops).toBeCloseTo((2 * 20 * 7 * 7) / run.seconds / 1e9, 12);
  });

  it("leaves out what an earlier run finished", async () => {
    const blocks: RowBlock[] = [];
    await emulateRows(problem, operands, {
      engine: fussyEngine(),
      finished: [
        { start: 12, end: 15 },
        { start: 0, end: 4 },
      ],
      onBlock: block => void blocks.push(block),
    });
    expect(blocks.map(({ range }) => [range.start, range.end])).toEqual([
      [4, 7],
      [7, 10],
      [10, 12],
      [15, 18],
      [18, 20],
    ]);
  });

  it("goes on with the fallback from the last finished block when the device is lost, to the same bits", async () => {
    const whole = await emulate(problem, inputs);
    const starts: number[] = [];
    let told = "";
    const run = await emulate(problem, inputs, {
      engine: fussyEngine(10),
      fallback: async () => cpuEngine(),
      onFallback: lost => {
        told = lost.message;
      },
      onBlock: ({ range }) => void starts.push(range.start),
    });
    expect(starts).toEqual([0, 3, 6, 9]);
    expect(told).toContain("a lost device");
    expect(run.lost).toBeInstanceOf(DeviceError);
    expect(run.sha256).toBe(whole.sha256);
  });

  it("passes the loss on when there is no fallback", async () => {
    await expect(emulateRows(problem, operands, { engine: fussyEngine(5), onBlock: () => {} })).rejects.toThrow(
      DeviceError,
    );
  });

  it("stops at an abort with the signal's reason", async () => {
    const controller = new AbortController();
    const starts: number[] = [];
    const run = emulateRows(problem, operands, {
      engine: fussyEngine(),
      signal: controller.signal,
      onBlock: ({ range }) => {
        starts.push(range.start);
        if (range.start === 3) controller.abort(new Error("enough"));
      },
    });
    await expect(run).rejects.toThrow("enough");
    expect(starts).toEqual([0, 3]);
  });

  it("names the first value that left the accumulator's range", async () => {
    const big = { q: inputs.q.map((_, i) => (i === 3 * 13 ? 60000 : 1)), k: inputs.k.map(() => 2), v: inputs.v };
    const run = emulate({ ...problem, arithmetic: formatArithmetics["fp16-strict"] }, big);
    await expect(run).rejects.toThrow(NumericsError);
    await expect(run).rejects.toThrow(/^BQK at b 0, h 1, query 3, key tile m1 0, m0 0: got a magnitude beyond 65504/);
  });

  it("refuses a problem outside the contract before it starts", async () => {
    await expect(emulate({ ...problem, scale: 0 }, inputs)).rejects.toThrow("scale: got 0");
  });
});

describe("emulate", () => {
  it("gives the output, its digest and the operands", async () => {
    const { av, sha256, operands: seen } = await emulate(problem, inputs);
    expect(av.length).toBe(20 * 4);
    expect(sha256).toBe(sha256OfValues(av));
    expect(seen).toEqual(operands);
  });
});
