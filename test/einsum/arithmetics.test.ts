import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { noMask } from "../../src/attention/mask.js";
import { parseCascade } from "../../src/einsum/cascade.js";
import { type EvaluateOptions, evaluateCascade } from "../../src/einsum/evaluate.js";
import { type Emulation, emulate } from "../../src/emulator/emulate.js";
import { generateNormal } from "../../src/emulator/generate.js";
import { onePassAttention } from "../../src/emulator/golden/one-pass.js";
import { interpretOutput } from "../../src/emulator/interpreter.js";
import { FusemaxError } from "../../src/errors.js";
import { loadCascade } from "../../src/io/cascade-files.js";
import { specFiles } from "../../src/io/spec-files.js";
import type { ArithmeticSpec } from "../../src/numerics/arithmetic.js";
import { numberTypeNames, numberTypes } from "../../src/numerics/number-type.js";
import { loadArithmetic } from "../../src/spec/load.js";

/** An arithmetic of types, sums and an exponential alone: what any cascade takes of one. */
const general: fc.Arbitrary<ArithmeticSpec> = fc
  .record({
    types: fc.tuple(...([0, 1, 2, 3] as const).map(() => fc.constantFrom(...numberTypeNames))),
    accumulator: fc.constantFrom("fp32" as const, "fp32" as const, "bf16" as const),
    dot: fc.oneof(
      fc.constant("chain" as const),
      fc.record({
        block: fc.constantFrom(4, 8, 16),
        align: fc.constantFrom(13, 24, 25),
        result: fc.constantFrom("fp32-rz" as const, "e8m13-rz" as const),
      }),
    ),
    cubic: fc.boolean(),
  })
  .map(({ types, accumulator, dot, cubic }) => {
    const [q, k, v, p] = types.map(type => ({ type: numberTypes[type], scale: "none" as const }));
    const coefficients = cubic ? [0x3f800000, 0x3f31f519, 0x3e6906a4, 0x3d9df09d] : undefined;
    const base = loadArithmetic(specFiles, "bf16");
    return {
      ...base,
      name: "tried",
      operands: { q: q ?? base.operands.q, k: k ?? base.operands.k, v: v ?? base.operands.v, p: p ?? base.operands.p },
      accumulator,
      dot: accumulator === "fp32" ? dot : "chain",
      exp: { ...base.exp, ...(coefficients === undefined ? {} : { coefficients }) },
    };
  });

const sizes = { P: 2, M: 24, E: 10, F: 3 } as const;
const m0 = 8;

/** Values of [rows, columns] as [columns, rows]. */
const turned = (values: Float64Array, rows: number, columns: number): Float64Array =>
  Float64Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)] ?? 0);

describe("the interpreter in an arithmetic", () => {
  it("gives the golden bits of attention in one pass", () => {
    const cascade = loadCascade("attention-1-pass");
    const values = (count: number) =>
      fc
        .array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: count, maxLength: count })
        .map(list => Float64Array.from(list));
    const { P, M, E, F } = sizes;
    let [tried, compared] = [0, 0];
    fc.assert(
      fc.property(general, values(P * E), values(M * E), values(M * F), (arithmetic, q, k, v) => {
        tried += 1;
        let golden: Float64Array;
        try {
          golden = onePassAttention(arithmetic, {
            q: { rows: P, columns: E, values: q },
            k: { rows: M, columns: E, values: k },
            v: { rows: M, columns: F, values: v },
            ...{ m0, scale: 0.5, kvSplits: 1, sees: () => true },
          }).av.values;
        } catch {
          // Every numerator of a query rounds to 0: the text's quotient is 0 / 0 there.
          return;
        }
        compared += 1;
        const inputs = {
          Q: { shape: [E, P], data: turned(q, P, E) },
          K: { shape: [E, M], data: turned(k, M, E) },
          V: { shape: [F, M], data: turned(v, M, F) },
        };
        const options: EvaluateOptions = { format: arithmetic, scale: 0.5, shape: { M0: m0 } };
        const av = evaluateCascade(cascade, inputs, options).tensors.get("AV");
        expect([...(av?.data ?? [])]).toEqual([...turned(golden, P, F)]);
      }),
      { numRuns: 300 },
    );
    expect(compared).toBeGreaterThan((2 / 3) * tried);
  });

  it("gives the bits of the engines for cascades of two and three passes", async () => {
    const { P, M, E, F } = sizes;
    const shape = { batch: 1, heads: 1, kvHeads: 1, queries: P, keys: M, headDim: E, valueDim: F };
    const inputs = {
      q: generateNormal(1, "q", P * E, 2),
      k: generateNormal(1, "k", M * E),
      v: generateNormal(1, "v", M * F),
    };
    let [tried, compared] = [0, 0];
    await fc.assert(
      fc.asyncProperty(general, fc.constantFrom("attention-2-pass", "attention-3-pass"), async (arithmetic, name) => {
        tried += 1;
        const cascade = loadCascade(name);
        const problem = {
          ...{ shape, mask: noMask, tile: { m0, p0: 4 }, arithmetic, scale: 0.5 },
          cascade: { name, text: cascade.source.lines.join("\n") },
        };
        let emulated: Emulation;
        try {
          emulated = await emulate(problem, inputs);
        } catch (error) {
          if (!(error instanceof FusemaxError)) throw error;
          return;
        }
        compared += 1;
        const rows = [0, 1].map(row => [...interpretOutput(problem, cascade, emulated.operands, row)]);
        expect([...emulated.av]).toEqual(rows.flat());
      }),
      { numRuns: 200 },
    );
    expect(compared).toBeGreaterThan(0.75 * tried);
  });

  it("sums any cascade's products in steps, and rounds each input to its type", () => {
    const arithmetic = loadArithmetic(specFiles, "hopper-fp8");
    const cascade = parseCascade("inputs: A[i,k], B[k,j]\nC[i,j] = A[i,k] * B[k,j]\n", "product");
    // Past 448 an e4m3 operand is 448; 13 bits below 448 * 448 nothing is left of 2^-9 * 2^-9.
    const run = (data: readonly number[]) =>
      evaluateCascade(cascade, { A: { shape: [1, 2], data }, B: { shape: [2, 1], data } }, { format: arithmetic });
    expect(run([1e6, 2 ** -9]).tensors.get("C")?.data[0]).toBe(448 * 448);
    expect(run([0, 2 ** -9]).tensors.get("C")?.data[0]).toBe(2 ** -18);
  });

  it("refuses what it does not say of a cascade, by name", () => {
    const evaluate = (name: string, text: string) => () =>
      evaluateCascade(parseCascade(text, "mine"), {}, { format: loadArithmetic(specFiles, name) });
    expect(evaluate("fa4-bf16", "inputs: A[i]\nB[i] = exp(A[i])\n")).toThrow(
      /^arithmetic fa4-bf16: got exponent: fused for mine; expected difference; it is a choice of FuseMax's attention/,
    );
    expect(evaluate("fa3-fp8", "inputs: A[i]\nB[i] = A[i]\n")).toThrow(/got exponent: fused for mine/);
    const mixed = { ...loadArithmetic(specFiles, "bf16"), name: "mixed" };
    const operands = { ...mixed.operands, k: { type: numberTypes.fp16, scale: "none" as const } };
    expect(() =>
      evaluateCascade(parseCascade("inputs: A[i]\nB[i] = A[i]\n", "mine"), {}, { format: { ...mixed, operands } }),
    ).toThrow(/^the input A of mine: got the types bf16, fp16, bf16 of q, k and v in arithmetic mixed; expected/);
  });
});
