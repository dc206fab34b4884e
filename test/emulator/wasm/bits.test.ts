import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import type { AttentionProblem, Operands } from "../../../src/attention/problem.js";
import { allRows } from "../../../src/attention/rows.js";
import { cpuEngine } from "../../../src/emulator/cpu.js";
import type { Engine, RowBlock } from "../../../src/emulator/engine.js";
import { generateNormal } from "../../../src/emulator/generate.js";
import { roundOperands } from "../../../src/emulator/operands.js";
import { wasmEngine } from "../../../src/emulator/wasm/engine.js";
import { formatNames, formats } from "../../../src/numerics/format.js";
import { formatArithmetics } from "../../../src/numerics/format-of.js";
import { nodeWasmHost } from "../../../src/platform/wasm-host.js";

const engines = {
  plain: wasmEngine(await nodeWasmHost({ fused: false }), { threads: 1 }),
  fused: wasmEngine(await nodeWasmHost(), { threads: 1 }),
};
afterAll(() => Promise.all(Object.values(engines).map(engine => engine.close())));

interface Most {
  readonly queries: number;
  readonly keys: number;
  readonly dim: number;
}

/** Problems with everything ragged, and spreads from tied and tiny to overflowing. */
const problems = (most: Most) =>
  fc
    .record({
      batch: fc.integer({ min: 1, max: 2 }),
      kvHeads: fc.integer({ min: 1, max: 2 }),
      group: fc.integer({ min: 1, max: 3 }),
      queries: fc.integer({ min: 1, max: most.queries }),
      keys: fc.integer({ min: 1, max: most.keys }),
      headDim: fc.integer({ min: 1, max: most.dim }),
      valueDim: fc.integer({ min: 1, max: most.dim }),
      m0: fc.constantFrom(1, 3, 4, 7, 16, 64, 1000),
      format: fc.constantFrom(...formatNames),
      left: fc.constantFrom(-1, -1, 0, 3, 17, most.keys >> 1),
      right: fc.constantFrom(-1, -1, 0, 5),
      kvLens: fc.option(fc.array(fc.nat(most.keys), { minLength: 2, maxLength: 2 })),
      qLens: fc.option(fc.array(fc.nat(most.queries), { minLength: 2, maxLength: 2 })),
      spread: fc.constantFrom(0, 1e-9, 1e-3, 1, 8, 40, 1e13),
      valueSpread: fc.constantFrom(1, 1, 1e-9, 8e3),
      seed: fc.nat(1e6),
    })
    .map(given => {
      const { batch, kvHeads, queries, keys, headDim, valueDim, seed, valueSpread } = given;
      const spread = formats[given.format].operand === "fp16" ? Math.min(given.spread, 8e3) : given.spread;
      const heads = kvHeads * given.group;
      const shape = { batch, heads, kvHeads, queries, keys, headDim, valueDim };
      const lengths = (lens: readonly number[] | null, most: number) =>
        lens?.slice(0, batch).map(n => Math.min(n, most)) ?? null;
      const mask = {
        ...{ left: given.left, right: given.right },
        ...{ kvLens: lengths(given.kvLens, keys), qLens: lengths(given.qLens, queries) },
      };
      const arithmetic = formatArithmetics[given.format];
      const problem: AttentionProblem = {
        shape,
        mask,
        tile: { m0: given.m0, p0: 4 },
        arithmetic,
        scale: headDim ** -0.5,
      };
      const inputs = {
        q: generateNormal(seed, "q", batch * heads * queries * headDim, spread),
        k: generateNormal(seed, "k", batch * kvHeads * keys * headDim, spread),
        v: generateNormal(seed, "v", batch * kvHeads * keys * valueDim, valueSpread),
      };
      return { problem, operands: roundOperands(inputs, shape, arithmetic) };
    });

async function runOn(which: Engine, problem: AttentionProblem, operands: Operands) {
  const session = await which.open(problem, operands);
  const block = await session.run(allRows(problem));
  await session.close();
  return block;
}

const bits = ({ av }: RowBlock): Uint32Array => new Uint32Array(av.buffer);

describe("the WebAssembly engine, plain and fused", () => {
  it.each([
    ["small problems", { queries: 21, keys: 50, dim: 19 }, 300],
    // Decode: up to four rows a key/value head pass the keys one by one, in parts where a tile has more than 512 keys.
    ["few queries and many keys", { queries: 2, keys: 1100, dim: 70 }, 200],
  ])("gives the twin's bits, or overflows in the twin's row: %s", { timeout: 120_000 }, async (_, most, numRuns) => {
    await fc.assert(
      fc.asyncProperty(problems(most), async ({ problem, operands }) => {
        const twin = await runOn(cpuEngine(), problem, operands);
        for (const engine of Object.values(engines)) {
          const wasm = await runOn(engine, problem, operands);
          expect(wasm.overflowRow).toBe(twin.overflowRow);
          if (twin.overflowRow === null) expect(bits(wasm)).toEqual(bits(twin));
        }
      }),
      { numRuns },
    );
  });

  it.each(formatNames)(
    "%s: tiles longer than what is packed at once, and blocks longer than a worker's",
    async name => {
      const shape = { batch: 1, heads: 3, kvHeads: 1, queries: 101, keys: 1301, headDim: 9, valueDim: 5 };
      const inputs = {
        q: generateNormal(3, "q", 3 * 101 * 9),
        k: generateNormal(3, "k", 1301 * 9),
        v: generateNormal(3, "v", 1301 * 5),
      };
      const operands = roundOperands(inputs, shape, formatArithmetics[name]);
      const mask = { left: 700, right: 500, kvLens: null, qLens: null };
      const problem = { shape, mask, tile: { m0: 1250, p0: 8 }, arithmetic: formatArithmetics[name], scale: 1 };
      const twin = await runOn(cpuEngine(), problem, operands);
      for (const engine of Object.values(engines)) {
        expect(bits(await runOn(engine, problem, operands))).toEqual(bits(twin));
      }
    },
  );
});
