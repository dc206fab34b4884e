import { describe, expect, it } from "vitest";
import { noMask } from "../../src/attention/mask.js";
import { RowRunner } from "../../src/emulator/javascript/row-runner.js";
import { programOf } from "../../src/emulator/program-of.js";
import { formatArithmetics } from "../../src/numerics/format-of.js";
import { liveBetweenPasses } from "../../src/program/program.js";
import { library } from "./cascades.js";

const none = new Float32Array(0);

describe("rows in work", () => {
  it.each([
    ["attention-1-pass", 2 ** 22, 64],
    ["attention-3-pass", 2 ** 14, 64],
    // 2 values a key of 4 bytes: 32 MiB a row, of the 64 MiB that there are.
    ["attention-3-pass", 2 ** 22, 1],
    ["attention-3-pass-deferred", 2 ** 22, 3],
  ])("of %s at %i keys are as many as what lives between passes leaves room for: %i", (name, keys, rows) => {
    const shape = { batch: 1, heads: 1, kvHeads: 1, queries: 64, keys, headDim: 4, valueDim: 4 };
    const problem = {
      ...{ shape, mask: noMask, tile: { m0: 256, p0: 64 }, arithmetic: formatArithmetics.bf16, scale: 0.5 },
      cascade: library(name),
    };
    const program = programOf(problem, true);
    if (program === null) throw new Error("no program");
    const { rowsAtOnce } = new RowRunner(problem, { q: none, k: none, v: none }, program);
    expect(rowsAtOnce).toBe(rows);
    const bytes = liveBetweenPasses(program).reduce((sum, { per }) => sum + 4 * (per === "key" ? keys : keys / 256), 0);
    expect(rowsAtOnce * bytes).toBeLessThanOrEqual(2 ** 26);
  });
});
