import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { generateNormal } from "../../../src/emulator/generate.js";
import type { OneHead } from "../../../src/emulator/golden/head.js";
import { onePassAttention } from "../../../src/emulator/golden/one-pass.js";
import { InputError, NumericsError } from "../../../src/errors.js";
import { specFiles } from "../../../src/io/spec-files.js";
import type { ArithmeticSpec } from "../../../src/numerics/arithmetic.js";
import { numberType } from "../../../src/numerics/number-type.js";
import { loadArithmetic } from "../../../src/spec/load.js";

const load = (name: string): ArithmeticSpec => loadArithmetic(specFiles, name);

const matrix = (name: "q" | "k" | "v", rows: number, columns: number, spread = 1, seed = 0) => ({
  rows,
  columns,
  values: Float64Array.from(generateNormal(seed, name, rows * columns, spread)),
});

const head = (changes: Partial<OneHead> = {}): OneHead => ({
  q: matrix("q", 5, 40),
  k: matrix("k", 70, 40),
  v: matrix("v", 70, 6),
  m0: 20,
  scale: 1 / Math.sqrt(40),
  sees: () => true,
  kvSplits: 1,
  ...changes,
});

/** Textbook attention in float64. */
function reference({ q, k, v, scale, sees }: OneHead): readonly number[] {
  return Array.from({ length: q.rows }, (_, p) => {
    const scores = Array.from({ length: k.rows }, (_, m) =>
      sees(p, m)
        ? scale *
          q.values
            .subarray(p * q.columns, (p + 1) * q.columns)
            .reduce((s, x, e) => s + x * (k.values[m * k.columns + e] ?? 0), 0)
        : Number.NEGATIVE_INFINITY,
    );
    const largest = Math.max(...scores);
    const weights = scores.map(score => Math.exp(score - largest));
    const total = weights.reduce((a, b) => a + b, 0);
    return Array.from({ length: v.columns }, (_, f) =>
      weights.reduce((sum, w, m) => sum + (w / total) * (v.values[m * v.columns + f] ?? 0), 0),
    );
  }).flat();
}

/** Root mean square of the difference, relative to that of the reference. */
function error(arithmetic: ArithmeticSpec, given: OneHead): number {
  const expected = reference(given);
  const { av } = onePassAttention(arithmetic, given);
  const square = (values: readonly number[]): number => values.reduce((sum, x) => sum + x * x, 0);
  return Math.sqrt(square(expected.map((x, i) => x - (av.values[i] ?? 0))) / square(expected));
}

/** Units in the last place of the operands and the sums bound what an error can be: 8 of the widest of them. */
const largestError = ({ operands, dot }: ArithmeticSpec): number => {
  const bits = Object.values(operands).map(({ type }) => type.significandBits);
  return 8 * 2 ** -Math.min(...bits, dot !== "chain" && dot.result === "e8m13-rz" ? 13 : 24);
};

describe("every named arithmetic", () => {
  it.each(specFiles.names("arithmetic"))("%s computes attention, masked and split too", name => {
    const arithmetic = load(name);
    for (const kvSplits of [1, 3]) {
      for (const sees of [() => true, (p: number, m: number) => m <= p + 30]) {
        expect(error(arithmetic, head({ kvSplits, sees }))).toBeLessThan(largestError(arithmetic));
      }
    }
  });
});

describe("a type that does not ship", () => {
  it("runs once it has an entry", () => {
    const type = numberType("fp8-e3m4", { significandBits: 5, leastExponent: -2, largest: 15.5, storageBits: 8 });
    const operand = { type, scale: "head" } as const;
    const fp8 = load("fa3-fp8");
    const arithmetic: ArithmeticSpec = {
      ...fp8,
      name: "fp8-e3m4",
      operands: { q: operand, k: operand, v: operand, p: { type, scale: "none" } },
      offset: 3,
    };
    expect(error(arithmetic, head())).toBeLessThan(error(fp8, head()));
  });
});

describe("steps of a tensor core", () => {
  /** Equal scores, so that AV is the sum over v, cut at a quarter of each step's largest term, over their number. */
  const sum = (keys: ArithmeticSpec["keys"], v: readonly number[], seen = v.length): number => {
    const arithmetic: ArithmeticSpec = { ...load("bf16"), dot: { block: 2, align: 2, result: "fp32-rz" }, keys };
    const zeros = { rows: v.length, columns: 1, values: new Float64Array(v.length) };
    const { av } = onePassAttention(arithmetic, {
      q: { rows: 1, columns: 1, values: Float64Array.of(1) },
      k: zeros,
      v: { ...zeros, values: Float64Array.from(v) },
      m0: 4,
      scale: 1,
      sees: (_, m) => m < seen,
      kvSplits: 1,
    });
    return Math.round((av.values[0] ?? 0) * seen * 1024) / 1024;
  };

  it("are cut in the order of the keys, from the first that is processed", () => {
    // Keys (0, 1), (2): 1 is cut beside 8, and again beside the sum 8.
    expect(sum("ascending", [8, 1, 1])).toBe(8);
    // Keys (2, 1), (0): 1 + 1 = 2 is kept beside 8.
    expect(sum("descending", [8, 1, 1])).toBe(10);
  });

  it("have places for keys that the query does not see", () => {
    // Keys (3, 2), (1, 0).
    expect(sum("descending", [8, 1, 1, 5], 3)).toBe(8);
    expect(sum("ascending", [1, 1, 8, 5], 3)).toBe(10);
  });
});

describe("split keys", () => {
  it("are merged to the bits of one run where one run sees keys", () => {
    const sees = (_: number, m: number): boolean => m >= 40 && m < 60;
    for (const name of specFiles.names("arithmetic")) {
      const split = onePassAttention(load(name), head({ sees, kvSplits: 4 }));
      expect(split, name).toEqual(onePassAttention(load(name), head({ sees })));
    }
  });

  it("leave a query without keys at +0", () => {
    const { av } = onePassAttention(load("nvfp4"), head({ sees: p => p !== 2, kvSplits: 2 }));
    expect([...av.values.subarray(12, 18)]).toEqual([0, 0, 0, 0, 0, 0]);
  });
});

describe("laws", () => {
  it("keys that no query sees may hold anything", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...specFiles.names("arithmetic")),
        fc.integer({ min: 0, max: 69 }),
        (name, hidden) => {
          const given = head({ sees: (_, m) => m !== hidden });
          const k = { ...given.k, values: given.k.values.slice() };
          const v = { ...given.v, values: given.v.values.slice() };
          k.values.fill(Number.NaN, hidden * 40, (hidden + 1) * 40);
          v.values.fill(1e300, hidden * 6, (hidden + 1) * 6);
          expect(onePassAttention(load(name), { ...given, k, v })).toEqual(onePassAttention(load(name), given));
        },
      ),
      { numRuns: 40, seed: 15 },
    );
  });

  it("descending keys are the same keys in reverse, tiles included", () => {
    const reversed = ({ rows, columns, values }: OneHead["k"]) => ({
      rows,
      columns,
      values: values.map((_, i) => values[(rows - 1 - Math.floor(i / columns)) * columns + (i % columns)] ?? 0),
    });
    for (const name of ["bf16", "fa3-fp8", "hopper-fp8", "fa4-bf16"]) {
      const ascending = load(name);
      const given = head({ m0: 14 }); // 70 keys are five whole tiles
      const back = { ...given, k: reversed(given.k), v: reversed(given.v) };
      const { av, saturated } = onePassAttention(ascending, given);
      expect(onePassAttention({ ...ascending, keys: "descending" }, back), name).toMatchObject({ av, saturated });
    }
  });

  it("fp8 numerators after a sink are lost in ascending order, and kept in descending order", () => {
    // Key 0 scores 12 above the others: they are below half of e4m3's least value, 2^-10, against it.
    const k = { rows: 70, columns: 1, values: new Float64Array(70) };
    k.values[0] = 12;
    const v = { rows: 70, columns: 1, values: Float64Array.from(k.values, (_, m) => (m === 0 ? 0 : 64)) };
    const given = head({ q: { rows: 1, columns: 1, values: Float64Array.of(1) }, k, v, scale: 1 });
    const plain: ArithmeticSpec = { ...load("bf16"), operands: load("fa3-fp8").operands };
    const unscaled = Object.fromEntries(
      Object.entries(plain.operands).map(([name, { type }]) => [name, { type, scale: "none" }]),
    ) as unknown as ArithmeticSpec["operands"];
    const ofOrder = (keys: ArithmeticSpec["keys"]): number =>
      onePassAttention({ ...plain, operands: unscaled, keys }, given).av.values[0] ?? 0;
    const exact = (69 * 64 * Math.exp(-12)) / (1 + 69 * Math.exp(-12));
    // A tile of 20 keys: those that share the sink's tile are lost in either order.
    expect(ofOrder("ascending")).toBe(0);
    expect(ofOrder("descending")).toBeCloseTo((exact * 50) / 69, 3);
  });

  it("a threshold that nothing reaches keeps the first tile's maximum, and that of 0 is none", () => {
    // Scores fall over the keys: no tile after the first has a larger one.
    const falling = { rows: 70, columns: 1, values: Float64Array.from({ length: 70 }, (_, m) => (70 - m) / 16) };
    const given = head({ q: { rows: 1, columns: 1, values: Float64Array.of(1) }, k: falling, scale: 1 });
    const bf16 = load("bf16");
    expect(onePassAttention({ ...bf16, threshold: 8 }, given)).toEqual(onePassAttention(bf16, given));
    const rising = { ...falling, values: falling.values.slice().reverse() };
    expect(onePassAttention({ ...bf16, threshold: 8 }, { ...given, k: rising }).av).not.toEqual(
      onePassAttention(bf16, { ...given, k: rising }).av,
    );
  });
});

describe("saturation", () => {
  it("is counted by operand", () => {
    const values = Float64Array.of(463, 464.5, -1000, 1, 448, 465);
    const given = head({
      q: { rows: 1, columns: 1, values: Float64Array.of(1) },
      k: { rows: 6, columns: 1, values: Float64Array.of(0, 0, 0, 0, 0, 0) },
      v: { rows: 6, columns: 1, values },
      scale: 1,
    });
    expect(onePassAttention(load("hopper-fp8"), given).saturated).toEqual({ q: 0, k: 0, v: 3, p: 0 });
    // Numerators of 2^9 where e4m3 ends at 448.
    expect(onePassAttention({ ...load("hopper-fp8"), offset: 9 }, given).saturated.p).toBe(6);
  });
});

describe("what cannot be computed", () => {
  const complaint = (arithmetic: ArithmeticSpec, given: OneHead, type: new (...given: never[]) => Error): string => {
    try {
      onePassAttention(arithmetic, given);
    } catch (caught) {
      expect(caught).toBeInstanceOf(type);
      return (caught as Error).message;
    }
    throw new Error("nothing was wrong with it");
  };
  const one = (x: number) => ({ rows: 1, columns: 1, values: Float64Array.of(x) });
  const single = (q: number, k: number, v = 1): OneHead => head({ q: one(q), k: one(k), v: one(v), scale: 1 });

  it("names the element that is no number, or too large", () => {
    expect(complaint(load("hopper-fp8"), single(Number.NaN, 1), InputError)).toBe(
      "q[0,0]: got NaN; expected a finite number",
    );
    expect(complaint(load("hopper-fp8"), single(1, 1, Number.POSITIVE_INFINITY), InputError)).toContain(
      "v[0,0]: got Infinity",
    );
    expect(complaint(load("fp16"), single(1, 7e4), InputError)).toBe(
      "k[0,0]: got Infinity; expected at most 65504 in magnitude",
    );
    expect(complaint(load("mxfp8"), single(1, 2 ** 51), InputError)).toContain("at most 2^50 in magnitude");
  });

  it("names numerators whose exponent is above 64", () => {
    // b is a multiple of 2^10 here: off by up to 512 from the score's own product.
    const large = [3, 5, 7, 9, 11, 13].map(x => single(2 ** 16 * (1 + x / 128), 2 ** 16 * (1 + x / 64)));
    const fused: ArithmeticSpec = { ...load("bf16"), exponent: "fused" };
    const messages = large.flatMap(given => {
      try {
        onePassAttention(fused, given);
        return [];
      } catch (caught) {
        expect(caught).toBeInstanceOf(NumericsError);
        return [(caught as Error).message];
      }
    });
    expect(messages[0]).toMatch(/^SLN of query 0, tile 0, key 0: got an exponent of [\d.]+; expected at most 64/);
  });

  it("names sums that are nothing", () => {
    const message = complaint({ ...load("hopper-fp8"), offset: -16 }, single(1, 1), NumericsError);
    expect(message).toMatch(/^RD of query 0: got 0: every numerator rounds to 0/);
  });
});
