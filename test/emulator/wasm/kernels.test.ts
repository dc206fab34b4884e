import { describe, expect, it } from "vitest";
import { noMask } from "../../../src/attention/mask.js";
import { lanes, openKernels } from "../../../src/emulator/wasm/kernels.js";
import { type FormatName, formatNames, formats } from "../../../src/numerics/format.js";
import { formatArithmetics } from "../../../src/numerics/format-of.js";
import { exponentFactor, processingElement } from "../../../src/numerics/pe.js";
import { bitsOf, fromBits, roundBf16, roundFp16 } from "../../../src/numerics/rounding.js";
import { nodeWasmHost } from "../../../src/platform/wasm-host.js";

/** The kernels with separate multiplications and additions, and those that may fuse them. */
const builds = { plain: await nodeWasmHost({ fused: false }), fused: await nodeWasmHost() };

const open = async (module: WebAssembly.Module, name: FormatName, keys: number) => {
  const shape = { batch: 1, heads: 1, kvHeads: 1, queries: lanes, keys, headDim: 1, valueDim: 1 };
  const problem = {
    shape,
    mask: noMask,
    tile: { m0: keys, p0: lanes },
    arithmetic: formatArithmetics[name],
    scale: 0.125,
  };
  const kernels = await openKernels(module, problem);
  const floats = new Float32Array(kernels.memory.buffer);
  /** Eight queries that see all keys. */
  const load = (queries: readonly number[]): void => {
    floats.set(queries, kernels.stage / 4);
    kernels.loadQueries(0, lanes);
    new Int32Array(kernels.memory.buffer).fill(
      keys,
      kernels.fieldAt(0, "seenTo") / 4,
      kernels.fieldAt(0, "seenTo") / 4 + lanes,
    );
    kernels.lookAt(1, 0, keys);
  };
  return {
    kernels,
    floats,
    load,
    scores: floats.subarray(kernels.scoresOf(0) / 4, kernels.scoresOf(0) / 4 + keys * lanes),
  };
};

describe.each(Object.entries(builds))("%s: the roundings inside the products kernel", (_, { module }) => {
  /** Scores of keys of width one, +1, -1 and two powers of two, are the queries rounded: compares them with `round`. */
  const checkRounding = async (name: FormatName, values: Iterable<number>, round: (x: number) => number) => {
    const factors = [1, -1, 2 ** 10, 2 ** -20];
    const { kernels, floats, load, scores } = await open(module, name, factors.length);
    floats.set(factors, kernels.stage / 4);
    kernels.packKeys(factors.length);
    const batch: number[] = [];
    let wrong = "";
    const flush = (): void => {
      load(batch);
      kernels.scores(1, 0, factors.length);
      for (const [lane, x] of batch.entries()) {
        for (const [m, factor] of factors.entries()) {
          const got = (scores[m * lanes + lane] as number) / kernels.queryScale();
          const right = round(x * factor) + 0;
          const same = Number.isFinite(right) ? Object.is(got, right) : Number.isNaN(got) || Math.abs(got) >= 65536;
          if (!same && wrong === "") wrong = `${name}: ${x} * ${factor} gave ${got}, not ${right}`;
        }
      }
      batch.length = 0;
    };
    for (const x of values) if (batch.push(x) === lanes) flush();
    flush();
    expect(wrong).toBe("");
  };

  /** Every significand an fp32 value can have near a rounding boundary of `kept` bits, and a stride through the rest. */
  function* significands(kept: number): Generator<number> {
    const dropped = 24 - kept;
    const low = [0, 1, 2, 3, 127, 128, 129, 255, 256];
    const offsets = [
      ...low,
      ...low.map(d => 2 ** dropped - 1 - d),
      ...low.flatMap(d => [2 ** (dropped - 1) + d, 2 ** (dropped - 1) - d]),
    ];
    for (let high = 0; high < 2 ** (kept - 1); high += 1) {
      for (const offset of offsets) {
        if (offset >= 0 && offset < 2 ** dropped) yield fromBits(0x3f800000 + high * 2 ** dropped + offset);
      }
    }
    for (let u = 0; u < 2 ** 23; u += 61) yield fromBits(0x3f800000 + u);
  }

  it("bf16: RNE of every kind of significand", () => checkRounding("bf16-strict", significands(8), roundBf16));
  it("bf16: exhaustively where the binade of g - x changes", () =>
    checkRounding(
      "bf16-strict",
      Array.from({ length: 4096 }, (_, i) => fromBits(0x3f800000 - 2048 + i)),
      roundBf16,
    ));
  it("fp16: RNE of every kind of significand", () => checkRounding("fp16-strict", significands(11), roundFp16));
  it("fp16: subnormals and their ties", () => {
    const values = Array.from({ length: 20000 }, (_, i) => (i - 10000) * 2 ** -27);
    return checkRounding("fp16-strict", [...values, ...values.map(x => x * (1 + 2 ** -20))], roundFp16);
  });
  it("fp16: the largest values and the first that overflow", () => {
    const values = Array.from({ length: 4096 }, (_, i) => fromBits(bitsOf(65520) - 2048 + i));
    return checkRounding("fp16-strict", values, roundFp16);
  });
});

describe.each(Object.entries(builds))("%s: E2 inside the softmax kernel", (_, { module }) => {
  it.each(formatNames)("%s: equals the PE's on 10^5 differences", async name => {
    const keys = 512;
    const { kernels, load, scores } = await open(module, name, keys);
    const pe = processingElement(formats[name]);
    const c = exponentFactor(0.125);
    const count = 100_000;
    let wrong = "";
    for (let i = 0; i < count; ) {
      // Differences from -2^-30 to -500, so that t passes -50, dense near 0; the first key is the maximum, 0.
      const differences = Array.from({ length: keys * lanes }, (_, j) => {
        if (j < lanes) return 0;
        i += 1;
        const u = (i % count) / count;
        return pe.add(i % 3 === 0 ? -(2 ** (u * 39 - 30)) : -u * 420, 0);
      });
      load([]);
      scores.set(differences.map(x => x * kernels.queryScale()));
      kernels.softmax(1);
      const scale = name === "fp16-strict" ? kernels.queryScale() : 1;
      for (const [j, x] of differences.entries()) {
        const got = (scores[j] as number) / scale;
        const right = pe.numerator(pe.subtract(x, 0), c);
        if (!Object.is(got, right) && wrong === "") wrong = `${x} gave ${got}, not ${right}`;
      }
    }
    expect(wrong).toBe("");
  });
});
