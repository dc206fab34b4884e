import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noMask } from "../../src/attention/mask.js";
import type { CascadeSource } from "../../src/attention/problem.js";
import { evaluateCascade } from "../../src/einsum/evaluate.js";
import { rolesOf } from "../../src/einsum/roles.js";
import type { DenseTensor } from "../../src/einsum/tensor-store.js";
import { cpuEngine } from "../../src/emulator/cpu.js";
import { emulate } from "../../src/emulator/emulate.js";
import type { Engine } from "../../src/emulator/engine.js";
import { interpretOutput } from "../../src/emulator/interpreter.js";
import { isOnePass, onePassSource } from "../../src/emulator/one-pass.js";
import { cascadeOf } from "../../src/emulator/program-of.js";
import { wasmEngine } from "../../src/emulator/wasm/engine.js";
import { InputError } from "../../src/errors.js";
import { type ArithmeticSpec, defaultChoices, type OperandSpec } from "../../src/numerics/arithmetic.js";
import { numberTypes } from "../../src/numerics/number-type.js";
import { hasInputScales } from "../../src/numerics/one-pass-choices.js";
import { nodeWasmHost } from "../../src/platform/wasm-host.js";
import { library } from "../emulator/cascades.js";
import { openTestEngine } from "../emulator/webgpu/adapter.js";
import { difference, goldenOutcome } from "./random.js";
import { type ArithmeticCase, randomCase } from "./random-case.js";
import { hexOf } from "./vectors.js";

/** FuseMax's cascade, in a text that is not known as it: it is lowered as any other. */
const unknown: CascadeSource = {
  name: "one pass, otherwise written",
  text: onePassSource.text.replace("Q[e,p] * BK[e,m1,m0]", "BK[e,m1,m0] * Q[e,p]"),
};
/** Its numerators rounded before they are summed, as FuseMax's are. */
const deferred: CascadeSource = {
  name: "three passes, division deferred",
  text: library("attention-3-pass-deferred").text.replace("exp(QK[m,p] - GM[p])", "exp(QK[m,p] - GM[p]) @operand"),
};

const allEngines: readonly { readonly name: string; readonly runs: number; readonly open: () => Promise<Engine> }[] = [
  { name: "cpu", runs: 80, open: async () => cpuEngine() },
  { name: "cpu, closures", runs: 20, open: async () => cpuEngine({ form: "closures" }) },
  { name: "wasm", runs: 80, open: async () => wasmEngine(await nodeWasmHost()) },
  { name: "webgpu", runs: 3, open: () => openTestEngine() },
];
/** All, or those whose name begins with FUSEMAX_TEST_ENGINES (`npm run test:lavapipe`). */
const engines = allEngines.filter(({ name }) => name.startsWith(process.env["FUSEMAX_TEST_ENGINES"] ?? ""));

/** What any cascade has of an arithmetic: types, scales of inputs, sums and coefficients. */
function general(arithmetic: ArithmeticSpec): ArithmeticSpec {
  const { operands, exp, dot } = arithmetic;
  const plain = ({ type }: OperandSpec): OperandSpec => ({ type, scale: "none" });
  const v = operands.p.scale === "none" ? operands.v : plain(operands.v);
  const own = { ...operands, v, p: plain(operands.p) };
  return { ...arithmetic, ...defaultChoices, dot, operands: own, exp: { ...exp, fused: false } };
}

/** A random attention in the arithmetic of any cascade; of one tile, where sums are not to depend on the cascade's tiles. */
function generalCase(seed: number, oneTile: boolean): ArithmeticCase {
  const { problem, inputs } = randomCase(seed);
  const { q, k, v, bias } = inputs;
  const tile = oneTile ? { ...problem.tile, m0: problem.shape.keys } : problem.tile;
  const arithmetic = general(problem.arithmetic);
  return {
    problem: { ...problem, arithmetic, tile, kvSplits: 1 },
    inputs: { q, k, v, ...(bias === undefined ? {} : { bias }) },
  };
}

/** [rows, columns] as [columns, rows], in which texts have attention's tensors. */
function turned(values: Float64Array, rows: number, columns: number): DenseTensor & { readonly data: Float64Array } {
  const data = new Float64Array(values.length);
  for (let i = 0; i < values.length; i += 1) data[(i % columns) * rows + Math.floor(i / columns)] = values[i] as number;
  return { shape: [columns, rows], data };
}

const plain: OperandSpec = { type: numberTypes.fp16, scale: "none" };
const plainOperands = { q: plain, k: plain, v: plain, p: plain };

describe.each(engines)("any cascade in scaled arithmetics on $name", ({ runs, open }) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await open();
  });
  afterAll(() => engine?.close());

  it.each([
    { cascade: unknown, oneTile: false },
    // Its one sum over all keys is that of a tile that holds them.
    { cascade: deferred, oneTile: true },
  ])("law: $cascade.name has the golden bits of attention in one pass", async ({ cascade, oneTile }) => {
    expect(isOnePass(cascadeOf({ cascade }))).toBe(false);
    let [compared, scaled] = [0, 0];
    await fc.assert(
      fc.asyncProperty(fc.nat(2 ** 31 - 1), async seed => {
        const one = generalCase(seed, oneTile);
        const golden = goldenOutcome(one);
        // A denominator of 0, or a score out of range: texts have no such checks.
        if ("refused" in golden) return;
        const { av } = await emulate({ ...one.problem, cascade }, one.inputs, { engine });
        compared += 1;
        if (Object.values(one.problem.arithmetic.operands).some(({ scale }) => scale !== "none")) scaled += 1;
        // Numerators past their type's largest value are counted in FuseMax's own cascade alone.
        const got = { av: hexOf(av), saturated: golden.saturated };
        expect(difference(one, golden, got)).toBeNull();
      }),
      { numRuns: runs, endOnFailure: true },
    );
    expect(compared).toBeGreaterThan(runs / 4);
    if (runs > 10) expect(scaled).toBeGreaterThan(runs / 8);
  });

  it.each([unknown, onePassSource, library("attention-2-pass"), library("attention-3-pass"), deferred])(
    "law: the interpreter has the bits of $name",
    async cascade => {
      const own = cascadeOf({ cascade });
      const roles = rolesOf(own);
      let compared = 0;
      await fc.assert(
        fc.asyncProperty(fc.nat(2 ** 31 - 1), fc.constantFrom(1, 5, 19, 33), async (seed, headDim) => {
          const { arithmetic } = generalCase(seed, false).problem;
          if (!hasInputScales(arithmetic)) return;
          const keys = 12;
          const shape = { batch: 1, heads: 1, kvHeads: 1, queries: 3, keys, headDim, valueDim: 2 };
          const tile = { m0: 4, p0: 4 };
          const values = (count: number, n: number) =>
            Float64Array.from({ length: count }, (_, i) => 3 * Math.sin((i + 1) * (n + (seed % 97))));
          const inputs = { q: values(3 * headDim, 1.7), k: values(keys * headDim, 2.3), v: values(2 * keys, 3.1) };
          const problem = { shape, mask: noMask, tile, arithmetic, scale: 0.5, cascade };
          const { av } = await emulate(problem, inputs, { engine });
          const tensors = {
            [roles.q]: turned(inputs.q, 3, headDim),
            [roles.k]: turned(inputs.k, keys, headDim),
            [roles.v]: turned(inputs.v, keys, 2),
          };
          const sizes = own.ranks.byName("M0") === undefined ? {} : { M0: 4 };
          const { tensors: found } = evaluateCascade(own, tensors, { format: arithmetic, scale: 0.5, shape: sizes });
          const out = found.get(roles.out) ?? { shape: [0, 0], data: [] };
          compared += 1;
          expect(hexOf(turned(Float64Array.from(out.data), 2, 3).data), arithmetic.name).toEqual(hexOf(av));
        }),
        { numRuns: Math.ceil(runs / 2), endOnFailure: true },
      );
      if (runs > 10) expect(compared).toBeGreaterThan(runs / 16);
    },
  );

  it("cuts a tensor core's steps as the interpreter does, over more keys than an engine walks at once", async () => {
    for (const block of [7, 24, 256]) {
      const base = general(randomCase(1).problem.arithmetic);
      const dot = { block, align: 13, result: "e8m13-rz" } as const;
      const arithmetic: ArithmeticSpec = { ...base, accumulator: "fp32", dot, operands: plainOperands };
      const shape = { batch: 1, heads: 1, kvHeads: 1, queries: 2, keys: 530, headDim: 3, valueDim: 2 };
      const cascade = library("attention-3-pass");
      const own = {
        shape,
        mask: { ...noMask, left: 400, right: 0 },
        tile: { m0: 16, p0: 4 },
        arithmetic,
        scale: 0.5,
        cascade,
      };
      const values = (count: number, n: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(n * i + 1));
      const inputs = { q: values(6, 1.7), k: values(530 * 3, 2.3), v: values(530 * 2, 3.1) };
      const { av, operands: rounded, problem: whole } = await emulate(own, inputs, { engine });
      for (const row of [0, 1]) {
        const wanted = interpretOutput(whole, cascadeOf(own), rounded, row);
        expect(hexOf(av.subarray(2 * row, 2 * row + 2)), `steps of ${block}`).toEqual(hexOf(wanted));
      }
    }
  });
});

describe("a scaled input used in another way", () => {
  const arithmetic = (scaled: "q" | "k" | "v"): ArithmeticSpec => {
    const base = general(randomCase(1).problem.arithmetic);
    const operands = { ...plainOperands, [scaled]: { ...plain, scale: "head" } };
    return { ...base, name: "scaled", accumulator: "fp32", dot: "chain", operands };
  };
  const { text } = library("attention-3-pass");
  const attempt = (scaled: "q" | "k" | "v", from: string, to: string) => {
    expect(text).toContain(from);
    const cascade = { name: "changed", text: text.replace(from, to) };
    const shape = { batch: 1, heads: 1, kvHeads: 1, queries: 1, keys: 2, headDim: 1, valueDim: 1 };
    const problem = { shape, mask: noMask, tile: { m0: 2, p0: 2 }, arithmetic: arithmetic(scaled), scale: 1, cascade };
    return emulate(problem, { q: Float32Array.of(1), k: Float32Array.of(1, 2), v: Float32Array.of(1, 2) });
  };

  it.each([
    ["q", "QK[m,p] = Q[e,p] * K[e,m]", "H[e,p] = Q[e,p] + 1\nQK[m,p] = H[e,p] * K[e,m]"],
    ["k", "QK[m,p] = Q[e,p] * K[e,m]", "H[e,p] = Q[e,p] + 1\nQK[m,p] = H[e,p] * K[e,m]"],
    ["v", "AV[f,p] = A[m,p] * V[f,m]", "T[f,p] = A[m,p] * V[f,m]\nAV[f,p] = T[f,p] + 1"],
  ] as const)("is refused by name: %s", async (scaled, from, to) => {
    await expect(attempt(scaled, from, to)).rejects.toThrow(InputError);
    await expect(attempt(scaled, from, to)).rejects.toThrow(`where ${scaled} has scales in arithmetic scaled`);
    const own = cascadeOf({ cascade: { name: "changed", text: text.replace(from, to) } });
    const one = { shape: [1, 1], data: [1] };
    const interpret = () => evaluateCascade(own, { Q: one, K: one, V: one }, { format: arithmetic(scaled) });
    expect(interpret).toThrow(`where ${scaled} has scales in arithmetic scaled`);
    // Unscaled, it is taken.
    const other = scaled === "v" ? "q" : "v";
    await attempt(other, from, to);
  });
});
