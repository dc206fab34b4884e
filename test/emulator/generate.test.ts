import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { generateNormal } from "../../src/emulator/generate.js";
import { generatedNormals, largestSeed } from "../../src/numerics/generated-normal.js";
import { logarithm, normalQuantile } from "../../src/numerics/normal.js";
import { threefry2x32 } from "../../src/numerics/threefry.js";

const sha256 = (x: Float32Array): string => createHash("sha256").update(new Uint8Array(x.buffer)).digest("hex");

describe("threefry2x32", () => {
  // Known-answer tests of the Random123 distribution (kat_vectors, threefry2x32 20).
  it.each([
    [0, 0, 0, 0, 0x6b200159, 0x99ba4efe],
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x1cb996fc, 0xbb002be7],
    [0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3, 0xc4923a9c, 0x483df7a0],
  ])("key %i %i counter %i %i", (k0, k1, c0, c1, x0, x1) => {
    const out = new Uint32Array(2);
    threefry2x32(k0, k1, c0, c1, out);
    expect([...out]).toEqual([x0, x1]);
  });
});

describe("the normal quantile", () => {
  it("has its known values to the 16 digits AS 241 promises", () => {
    expect(normalQuantile(0.5)).toBe(0);
    for (const [p, x] of [
      [0.975, 1.959963984540054],
      [1e-3, -3.090232306167813],
      [1e-10, -6.361340902404056],
      // The tail, which begins at 1.4e-11: no golden seed below draws from it.
      [1e-12, -7.034483825301132],
      [1e-15, -7.941345326170997],
      [2 ** -53, -8.209536151601387],
      [1 - 2 ** -53, 8.209536151601387],
    ] as const) {
      expect(Math.abs(normalQuantile(p) / x - 1)).toBeLessThan(1e-15);
    }
  });
  it("uses a logarithm of its own that is the logarithm", () => {
    for (let p = 2 ** -52; p < 1; p *= 1.37) expect(Math.abs(logarithm(p) / Math.log(p) - 1)).toBeLessThan(1e-15);
  });
});

describe("generated inputs", () => {
  // The golden bits: a seed means the same inputs everywhere and forever. A change here changes every published sha256.
  it.each([
    [0, "q", "1e69f807d743cc7dd180897e607c2f73177be263518c92a399d6ec13cb257a0d"],
    [0, "k", "84d5e8b8da0d02e7d678adb18d31d66ddebc823901ddc2f44e969d5bc1b8b29f"],
    [0, "v", "f11ec1da0dd5f656ed376799ba03b40fd27457ed12080e234b796fcdecd8a18e"],
    [2 ** 53 - 1, "q", "759badf8a29b8fce914dc2bebcaefc7648603252a274b2c4657bcda04477bd5a"],
  ] as const)("seed %i, %s: 65536 values", (seed, name, golden) => {
    expect(sha256(generateNormal(seed, name, 65536))).toBe(golden);
  });
  it("of any other name is the stream of FNV-1a of it, of which foobar's is published", () => {
    const out = new Uint32Array(2);
    threefry2x32(5, 3, 9, 0xbf9cf968 ^ 1, out);
    const p = ((out[0] as number) >>> 6) * 2 ** 26 + ((out[1] as number) >>> 6) + 0.5;
    expect(generatedNormals(5 + 3 * 2 ** 32, "foobar")(9 + 2 ** 32)).toBe(normalQuantile(p * 2 ** -52));
    expect(generatedNormals(0, "Q")(7)).toBe(generatedNormals(0, "q")(7));
    expect(largestSeed).toBe(9007199254740991);
  });
  it("is random access: a slice is the slice of the whole", () => {
    const whole = generateNormal(7, "k", 1000);
    expect(generateNormal(7, "k", 100, 1, 850)).toEqual(whole.slice(850, 950));
    expect(Math.fround(generatedNormals(7, "k")(2 ** 40))).toBe(generateNormal(7, "k", 1, 1, 2 ** 40)[0]);
  });
  it("differs by seed, tensor and index beyond 32 bits", () => {
    const values = [
      generatedNormals(0, "q")(5),
      generatedNormals(0, "k")(5),
      generatedNormals(1, "q")(5),
      generatedNormals(2 ** 32, "q")(5),
      generatedNormals(0, "q")(5 + 2 ** 32),
    ];
    expect(new Set(values).size).toBe(values.length);
  });
  it("has the moments of a standard normal, within 5 standard errors", () => {
    const n = 200_000;
    const x = generateNormal(3, "v", n);
    const moment = (k: number): number => x.reduce((sum, v) => sum + v ** k, 0) / n;
    expect(Math.abs(moment(1))).toBeLessThan(5 / Math.sqrt(n));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / n));
  });
  it("multiplies by the spread", () => {
    const one = generateNormal(0, "q", 10);
    expect(generateNormal(0, "q", 10, 4)).toEqual(one.map(x => 4 * x));
  });
});
