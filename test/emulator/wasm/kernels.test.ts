import { beforeAll, describe, expect, it } from "vitest";
import { instantiate, type Kernels, queryScale } from "../../../src/emulator/wasm/kernels.js";
import { growTo, lanes, stateField } from "../../../src/emulator/wasm/memory.js";
import { type FormatName, formatNames, formats } from "../../../src/numerics/format.js";
import { exponentFactor, processingElement } from "../../../src/numerics/pe.js";
import { bitsOf, fromBits, roundBf16, roundFp16 } from "../../../src/numerics/rounding.js";
import { nodeWasmHost } from "../../../src/platform/wasm-host.js";

let module: WebAssembly.Module;
beforeAll(async () => {
  ({ module } = await nodeWasmHost());
});

const open = async (name: FormatName): Promise<{ kernels: Kernels; floats: Float32Array; bits: Uint32Array }> => {
  const kernels = await instantiate(module, formats[name]);
  growTo(kernels.memory, 1 << 20);
  return { kernels, floats: new Float32Array(kernels.memory.buffer), bits: new Uint32Array(kernels.memory.buffer) };
};

const queriesAt = 65536;
const panelAt = queriesAt + 1024;
const sumsAt = 2 * 65536;

describe("the roundings inside the products kernel", () => {
  /** Gives values one at a time to a chain of length one, times +1, -1, and two powers of two, and compares with `round`. */
  const checkRounding = async (name: FormatName, values: Iterable<number>, round: (x: number) => number) => {
    const { kernels, floats, bits } = await open(name);
    const scale = queryScale[formats[name].accumulator];
    const factors = [1, -1, 2 ** 10, 2 ** -20];
    floats.set(factors, panelAt / 4);
    const batch: number[] = [];
    let wrong = "";
    const flush = (): void => {
      for (let lane = 0; lane < lanes; lane += 1) floats[queriesAt / 4 + lane] = (batch[lane] ?? 0) * scale;
      kernels.products(queriesAt, panelAt, 16, 1, 1, sumsAt, false);
      for (const [lane, x] of batch.entries()) {
        for (const [r, factor] of factors.entries()) {
          const got = (floats[sumsAt / 4 + r * lanes + lane] as number) / scale;
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
    expect(bits.length).toBe(floats.length);
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

describe("E2 inside the softmax kernel", () => {
  it.each(formatNames)("%s: equals the PE's on 10^5 differences", async name => {
    const { kernels, floats } = await open(name);
    const pe = processingElement(formats[name]);
    const c = exponentFactor(0.125);
    const keys = 512;
    const scale = queryScale[formats[name].accumulator];
    const integers = new Int32Array(kernels.memory.buffer);
    const stateAt = queriesAt;
    let wrong = "";
    const count = 100_000;
    for (let i = 0; i < count; ) {
      // Differences from -2^-30 to -500, so that t passes -50, dense near 0; the first key is the maximum, 0.
      const scores = Array.from({ length: keys * lanes }, (_, j) => {
        if (j < lanes) return 0;
        i += 1;
        const u = (i % count) / count;
        return pe.add(i % 3 === 0 ? -(2 ** (u * 39 - 30)) : -u * 420, 0);
      });
      integers.fill(0, stateAt / 4, stateAt / 4 + 56);
      floats.fill(-3e38, stateAt / 4, stateAt / 4 + lanes);
      integers.fill(keys, (stateAt + stateField.keyEnds) / 4, (stateAt + stateField.keyEnds) / 4 + lanes);
      floats.set(
        scores.map(x => x * scale),
        sumsAt / 4,
      );
      kernels.softmax(sumsAt, 0, keys, false, stateAt, c);
      for (const [j, x] of scores.entries()) {
        const got = (floats[sumsAt / 4 + j] as number) / (name === "fp16-strict" ? scale : 1);
        const right = pe.numerator(pe.subtract(x, 0), c);
        if (!Object.is(got, right) && wrong === "") wrong = `${x} gave ${got}, not ${right}`;
      }
    }
    expect(wrong).toBe("");
  });
});
