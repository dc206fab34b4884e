import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { noMask } from "../../src/attention/mask.js";
import { parseCascade } from "../../src/einsum/cascade.js";
import { evaluateCascade } from "../../src/einsum/evaluate.js";
import type { DenseTensor } from "../../src/einsum/tensor-store.js";
import { Twin } from "../../src/emulator/twin.js";
import { InputError, NumericsError, UsageError } from "../../src/errors.js";
import { loadCascade } from "../../src/io/cascade-files.js";
import { type FormatName, formatNames, formats } from "../../src/numerics/format.js";
import { formatArithmetics } from "../../src/numerics/format-of.js";
import { operandFromFloat64 } from "../../src/numerics/rounding.js";

interface Attention {
  readonly sizes: {
    readonly E: number;
    readonly F: number;
    readonly M0: number;
    readonly M1: number;
    readonly P: number;
  };
  readonly scale: number;
  readonly spread: number;
  readonly seed: number;
}

const attention: fc.Arbitrary<Attention> = fc.record({
  sizes: fc.record({
    E: fc.integer({ min: 1, max: 9 }),
    F: fc.integer({ min: 1, max: 5 }),
    M0: fc.integer({ min: 1, max: 8 }),
    M1: fc.integer({ min: 1, max: 5 }),
    P: fc.integer({ min: 1, max: 4 }),
  }),
  scale: fc.constantFrom(0.125, 0.5, 1, 2),
  spread: fc.constantFrom(0.01, 1, 1, 6),
  seed: fc.nat(),
});

/** Q [E,P], K [E,M], V [F,M] of values within `spread`. */
function tensors({ sizes: { E, F, M0, M1, P }, spread, seed }: Attention): Record<"Q" | "K" | "V", DenseTensor> {
  let state = seed >>> 0;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 31 - 1) * spread;
  };
  const make = (...shape: number[]): DenseTensor => ({
    shape,
    data: Float64Array.from({ length: shape.reduce((p, n) => p * n, 1) }, next),
  });
  return { Q: make(E, P), K: make(E, M0 * M1), V: make(F, M0 * M1) };
}

/** Textbook softmax attention in float64, AV [F,P]. */
function textbook({ sizes: { E, F, M0, M1, P }, scale }: Attention, { Q, K, V }: ReturnType<typeof tensors>): number[] {
  const M = M0 * M1;
  const at = (t: DenseTensor, i: number, j: number, n: number): number => t.data[i * n + j] as number;
  const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
  const columns = range(P).map(p => {
    const scores = range(M).map(m => scale * range(E).reduce((s, e) => s + at(Q, e, p, P) * at(K, e, m, M), 0));
    const most = Math.max(...scores);
    const weights = scores.map(s => Math.exp(s - most));
    const sum = weights.reduce((a, b) => a + b, 0);
    return range(F).map(f => weights.reduce((s, w, m) => s + w * at(V, f, m, M), 0) / sum);
  });
  return range(F).flatMap(f => columns.map(column => column[f] as number));
}

describe("float64", () => {
  it.each(["attention-3-pass", "attention-3-pass-deferred", "attention-2-pass", "attention-1-pass"])(
    "%s is softmax attention",
    name => {
      const cascade = loadCascade(name);
      fc.assert(
        fc.property(attention, problem => {
          const { sizes, scale, spread } = problem;
          const inputs = tensors(problem);
          const split = cascade.ranks.byName("M0") === undefined ? {} : { M0: sizes.M0 };
          const { tensors: made } = evaluateCascade(cascade, inputs, { shape: split, scale });
          const expected = textbook(problem, inputs);
          // Rounding moves a score, at most E spread^2 scale in size, by (E + 2) units, and so an exponential by as many times its
          // size; sums over M keys add M, corrections over M1 tiles 3 M1. Both sides, numerator and denominator: times 4.
          const { E, M0, M1 } = sizes;
          const units = (E + 2) * (1 + 2 * E * spread ** 2 * scale) + M0 * M1 + 3 * M1 + 8;
          const bound = 4 * units * 2 ** -53 * spread;
          const got = made.get("AV")?.data ?? [];
          for (const [i, x] of expected.entries()) expect(Math.abs((got[i] as number) - x)).toBeLessThanOrEqual(bound);
        }),
        { numRuns: 60 },
      );
    },
  );

  it("Welford's updates give the mean and variance of two passes", () => {
    const data = Float64Array.from({ length: 50 }, (_, i) => Math.sin(i) + 100);
    const run = (name: string, tensor: string): number => {
      const { tensors: made } = evaluateCascade(loadCascade(name), { X: { shape: [50], data } });
      return made.get(tensor)?.data[0] as number;
    };
    for (const tensor of ["MEAN", "VAR"]) {
      // The condition of a variance is about mean / deviation, 140 here; 50 terms.
      const relative = Math.abs(run("variance-welford", tensor) / run("variance-two-pass", tensor) - 1);
      expect(relative).toBeLessThan(50 * 2 * 140 * 2 ** -53);
    }
  });

  it("normalizes layers to mean 0 and variance 1, then gain and bias", () => {
    const inputs = {
      X: { shape: [4, 2], data: [1, 10, 2, 20, 3, 30, 6, 60] },
      G: { shape: [4], data: [1, 1, 1, 1] },
      B: { shape: [4], data: [5, 5, 5, 5] },
    };
    const Y = evaluateCascade(loadCascade("layer-norm"), inputs).tensors.get("Y")?.data ?? [];
    for (const p of [0, 1]) {
      const column = [0, 1, 2, 3].map(d => (Y[d * 2 + p] as number) - 5);
      expect(column.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 12);
      // The epsilon of 1e-5 beside a variance of 3.5.
      expect(column.reduce((a, b) => a + b * b, 0) / 4).toBeCloseTo(1, 5);
    }
  });
});

describe("PE arithmetic", () => {
  it.each(formatNames)("the 1-pass cascade in %s has the emulator's bits", formatName => {
    const cascade = loadCascade("attention-1-pass");
    const format = formats[formatName];
    fc.assert(
      fc.property(attention, problem => {
        const { E, F, M0, M1, P } = problem.sizes;
        const { scale } = problem;
        const M = M0 * M1;
        const inputs = tensors(problem);
        const { tensors: made } = evaluateCascade(cascade, inputs, { shape: { M0 }, format: formatName, scale });
        // The emulator's rows are positions, the cascade's columns are.
        const rows = ({ data }: DenseTensor, width: number, length: number): Float32Array =>
          Float32Array.from({ length: width * length }, (_, i) =>
            operandFromFloat64(data[(i % width) * length + Math.floor(i / width)] as number, format.operand),
          );
        const shape = { batch: 1, heads: 1, kvHeads: 1, queries: P, keys: M, headDim: E, valueDim: F };
        const operands = { q: rows(inputs.Q, E, P), k: rows(inputs.K, E, M), v: rows(inputs.V, F, M) };
        const twin = new Twin(
          { shape, mask: noMask, tile: { m0: M0, p0: 1 }, arithmetic: formatArithmetics[formatName], scale },
          operands,
        );
        const expected = new Float32Array(P * F);
        expect(twin.rows({ start: 0, end: P }, expected)).toBeNull();
        const got = made.get("AV")?.data ?? [];
        for (let p = 0; p < P; p += 1) {
          for (let f = 0; f < F; f += 1) {
            const [x, y] = [got[f * P + p] as number, expected[p * F + f] as number];
            if (!Object.is(x, y)) expect.fail(`AV[${f},${p}] = ${x}; the emulator has ${y}`);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it("rounds inputs to operands and every operation to the accumulator", () => {
    const run = (text: string, A: number): unknown =>
      evaluateCascade(parseCascade(text), { A }, { format: "bf16-strict" }).tensors.get("Y")?.data[0];
    // bf16 has 8 significant bits: 257 -> 256 (tie to even), 256 + 1 -> 256, 3 * 43 = 129 -> 129, 129 / 3 -> 43.
    expect(run("Y = A", 257)).toBe(256);
    expect(run("Y = A + 1", 256)).toBe(256);
    expect(run("Y = 3 * A / 3", 43)).toBe(43);
  });

  it("an annotation rounds the Einsum's value", () => {
    const run = (annotation: string, A: number): unknown =>
      evaluateCascade(parseCascade(`Y = A * 0.5 ${annotation}`), { A }, { format: "bf16" }).tensors.get("Y")?.data[0];
    // 2^-50 is the least operand and the least factor (docs/numerics.md); an accumulator holds 2^-51.
    expect([run("", 2 ** -50), run("@operand", 2 ** -50), run("@factor", 2 ** -50)]).toEqual([2 ** -51, 0, 0]);
    expect(run("@accumulator", 2 ** -50)).toBe(2 ** -51);
  });

  it("the scale of an exponential is never rounded to the format", () => {
    const run = (text: string, inputs: Record<string, number>, scale?: number): unknown =>
      evaluateCascade(parseCascade(text), inputs, {
        format: "bf16",
        ...(scale === undefined ? {} : { scale }),
      }).tensors.get("Y")?.data[0];
    // 0.1 is no bf16 value.
    const expected = run("Y = exp(A)", { A: -3 }, 0.1);
    expect(run("Y = exp(A, 0.1)", { A: -3 })).toBe(expected);
    expect(run("Y = exp(A, scale = s)", { A: -3, s: 0.1 })).toBe(expected);
  });

  const run =
    (text: string, inputs: Record<string, number>, format: FormatName = "fp32") =>
    () =>
      evaluateCascade(parseCascade(text), inputs, { format }).tensors.get("Y")?.data[0];

  it.each(["log", "sqrt", "rsqrt", "sigmoid", "tanh"])("has no %s, and says so before it computes", fn => {
    for (const format of formatNames) {
      expect(run(`X = A\nY = 1 + ${fn}(A * X)`, { A: 2 }, format)).toThrow(UsageError);
      expect(run(`X = A\nY = 1 + ${fn}(A * X)`, { A: 2 }, format)).toThrow(
        new RegExp(
          `cascade in ${format} arithmetic: got ${fn} in Y; expected functions that the PEs have: exp, .*float64`,
        ),
      );
    }
    expect(run(`Y = exp(A, ${fn === "log" ? "log" : "sqrt"}(2))`, { A: -2 })()).toBeGreaterThan(0);
  });

  it("names the value that leaves the range: tensor, coordinates, format", () => {
    expect(run("Y = A * A", { A: 60000 }, "fp16-strict")).toThrow(NumericsError);
    expect(run("Y = A * A", { A: 60000 }, "fp16-strict")).toThrow(
      /Y in fp16-strict arithmetic: got Infinity; .* 65504/,
    );
    expect(run("Y = A / 0", { A: 2 })).toThrow(/Y in fp32 arithmetic: got Infinity; expected magnitudes up to 2\^100/);
    // Above 2^100 already in between, though the end would be in range again.
    expect(run("Y = A * A * A / A / A", { A: 2 ** 35 })).toThrow(/got .*e\+31; expected magnitudes up to 2\^100/);
    expect(run("Y = A * A", { A: 2 ** 50 })()).toBe(2 ** 100);
    const data = Float64Array.of(1, 2, 2 ** 50, 4, 5, 6);
    const wide = () =>
      evaluateCascade(parseCascade("Y[i,j] = A[i,j] * A[i,j] * 2"), { A: { shape: [2, 3], data } }, { format: "bf16" });
    expect(wide).toThrow(/Y\[0,2\] in bf16 arithmetic/);
  });

  it("takes exp up to 2^64, and E2 of whole exponents is exact", () => {
    const log2 = (t: number) => run("Y = exp(A, scale = s)", { A: t, s: Math.LN2 });
    for (const t of [-50, -1, 0, 1, 7, 63, 64]) expect(log2(t)()).toBe(2 ** t);
    expect(log2(64.5)).toThrow(
      /got exp\(64.5\) of scale .*, 2\^64.5; expected powers of 2 up to 2\^64; subtract a maximum/,
    );
    for (let t = 0.25; t < 64; t += 0.75) expect(Math.abs(Number(log2(t)()) / 2 ** t - 1)).toBeLessThan(1e-6);
    expect(run("Y = exp(A)", { A: 12 }, "fp16-strict")).toThrow(NumericsError);
  });

  it("keeps minus infinity to maxima, and flushes products and quotients below 2^-100", () => {
    const low = "L[i=0] = -inf\nL[i+1] = max(L[i], A[i])\nY = ";
    const chain = (right: string) => () =>
      evaluateCascade(
        parseCascade(`${low}${right}\nuntil: i >= I`),
        { A: { shape: [2], data: [1, 2] } },
        { format: "fp32" },
      ).tensors.get("Y")?.data[0];
    expect(chain("max(L[0], L[I])")()).toBe(2);
    expect(chain("exp(L[0] - L[I])")()).toBe(0);
    for (const right of ["L[0] - L[I]", "L[0] * 1", "1 / L[0]", "neg(L[0])", "L[I] - L[0]", "relu(1) + L[0]"]) {
      expect(chain(right), right).toThrow(/Y in fp32 arithmetic: got -?Infinity/);
    }
    expect(run("Y = A * A * A * A", { A: 2 ** -25 })()).toBe(2 ** -100);
    expect(run("Y = A * A * A * A * 0.5", { A: 2 ** -25 })()).toBe(0);
    expect(run("Y = neg(A) * A * A * A / 2", { A: 2 ** -25 })()).toBe(0);
  });
});

describe("bad inputs", () => {
  const cascade = loadCascade("attention-1-pass");
  const good = {
    Q: { shape: [2, 3], data: new Float64Array(6) },
    K: { shape: [2, 6], data: new Float64Array(12) },
    V: { shape: [2, 6], data: new Float64Array(12) },
  };
  it.each([
    ["a missing tensor", { ...good, V: undefined }, { M0: 2 }, /no tensor V/],
    ["a missing rank", { ...good, V: { shape: [12], data: new Float64Array(12) } }, { M0: 2 }, /input V.*shape \[12\]/],
    ["missing values", { ...good, V: { shape: [2, 6], data: new Float64Array(11) } }, { M0: 2 }, /11 values/],
    [
      "a rank of two sizes",
      { ...good, V: { shape: [2, 8], data: new Float64Array(16) } },
      { M0: 2 },
      /8 coordinates along M/,
    ],
    ["a tile that does not divide", good, { M0: 4 }, /M = 6, which 4 does not divide/],
    ["no tile", good, {}, /no size of the rank M[01]/],
    ["a size against the inputs", good, { M: 8, M0: 2 }, /6 coordinates along M; expected 8/],
    ["a rank that is not there", good, { M0: 2, Z: 1 }, /rank Z.*one of E, P, M/],
  ])("%s", (_what, inputs, shape, message) => {
    const run = () => evaluateCascade(cascade, inputs as typeof good, { shape });
    expect(run).toThrow(message);
    expect(run).toThrow(
      expect.toSatisfy((error: unknown) => error instanceof InputError || error instanceof UsageError),
    );
  });

  it("a border makes an input longer than its rank", () => {
    const shifted = parseCascade("Y[k] = A[k+1] - A[k] + B[k]");
    const B = { shape: [3], data: [0, 0, 0] };
    const run = (...data: number[]) => evaluateCascade(shifted, { A: { shape: [data.length], data }, B });
    expect(Array.from(run(1, 2, 4, 8).tensors.get("Y")?.data ?? [])).toEqual([1, 2, 4]);
    expect(() => run(1, 2, 4)).toThrow(/input B.*3 coordinates along K; expected 2/);
  });

  it("a read out of range", () => {
    const fixed = parseCascade("Y[k] = A[k] * A[5]");
    const run = () => evaluateCascade(fixed, { A: { shape: [3], data: [1, 2, 3] } });
    expect(run).toThrow(/A\[5\] in cascade: got coordinate 5; expected one from 0 to 2/);
  });
});
