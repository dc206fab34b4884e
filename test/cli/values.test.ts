import { describe, expect, it } from "vitest";
import { secondsInWords } from "../../src/cli/progress.js";
import {
  bytesInWords,
  parseCheck,
  parseLengths,
  parseName,
  parseNumber,
  parseSeed,
  parseSize,
  parseTile,
  parseTileCoordinates,
  parseWindow,
} from "../../src/cli/values.js";

describe("sizes", () => {
  it.each([
    ["1", 1],
    ["4096", 4096],
    ["4K", 4096],
    ["64k", 65536],
    ["1M", 1048576],
    ["2G", 2 ** 31],
  ])("reads %s", (text, size) => expect(parseSize("--seq", text)).toBe(size));

  it.each(["0", "-5", "1.5", "4KB", "", " 4", "1e3", "0x10", "K"])("refuses %j", text =>
    expect(() => parseSize("--seq", text)).toThrow(/^--seq: got .*; expected a whole number of at least 1, such as/),
  );

  it.each(["99999999999999999999", "9007199254740991K"])("says of %j that it is too large", text =>
    expect(() => parseSize("--seq", text)).toThrow(/^--seq: got ".*"; expected at most 9,007,199,254,740,991$/),
  );

  it("reads tiles and refuses what is none", () => {
    expect(parseTile("--array", "64x32")).toEqual({ m0: 64, p0: 32 });
    expect(parseTile("--array", "1X1")).toEqual({ m0: 1, p0: 1 });
    for (const text of ["64", "0x32", "64x0", "64x", "x", "64x32x1", "-1x4", "64*32"]) {
      expect(() => parseTile("--array", text)).toThrow(/--array: got ".*"; expected ROWSxCOLUMNS/);
    }
  });

  it("reads lengths, 0 included", () => {
    expect(parseLengths("--kv-lens", "100,4K,0")).toEqual([100, 4096, 0]);
    for (const text of ["", "1,,2", "1;2", "-1"]) expect(() => parseLengths("--kv-lens", text)).toThrow(/--kv-lens/);
  });

  it("reads windows and refuses one that sees nothing", () => {
    expect(parseWindow("--window", "4095,0")).toEqual({ left: 4095, right: 0 });
    expect(parseWindow("--window", "-1,-1")).toEqual({ left: -1, right: -1 });
    expect(() => parseWindow("--window", "-2,0")).toThrow(/this window sees nothing/);
    expect(() => parseWindow("--window", "5")).toThrow(/expected LEFT,RIGHT/);
  });
});

describe("numbers and names", () => {
  it("reads numbers within their range only", () => {
    const scale = (text: string) => parseNumber("--scale", text, "a number", 2 ** -12, 2 ** 12);
    expect(scale("0.125")).toBe(0.125);
    expect(scale("1e-3")).toBe(1e-3);
    for (const text of ["", "abc", "NaN", "Infinity", "-1", "0", "5000", "1e-9", "1,5", "0x1"]) {
      expect(() => scale(text)).toThrow(/--scale: got .*; expected a number/);
    }
  });

  it("reads seeds, whole numbers up to 2^53 - 1", () => {
    expect(parseSeed("--seed", "0")).toBe(0);
    expect(parseSeed("--seed", "9007199254740991")).toBe(2 ** 53 - 1);
    for (const text of ["9007199254740992", "-1", "1.5", "abc", "", "1e3"]) {
      expect(() => parseSeed("--seed", text)).toThrow(/--seed: got .*; expected a whole number from 0 to 2\^53 - 1/);
    }
  });

  it("reads names in any case", () => {
    expect(parseName("--format", "BF16", ["bf16", "fp16"])).toBe("bf16");
    expect(() => parseName("--format", "fp8", ["bf16", "fp16"])).toThrow(
      '--format: got "fp8"; expected one of bf16, fp16',
    );
  });

  it("reads checks and tile coordinates", () => {
    expect(parseCheck("--check", "sample:1K")).toBe(1024);
    expect(parseCheck("--check", "full")).toBe("full");
    for (const text of ["sample", "sample:0", "sample:-1", "all", ""])
      expect(() => parseCheck("--check", text)).toThrow(/--check/);
    expect(parseTileCoordinates("--dump-tile", "0,1,2,3")).toEqual({ b: 0, h: 1, m1: 2, p1: 3 });
    for (const text of ["0,1,2", "a,b,c,d", "-1,0,0,0"])
      expect(() => parseTileCoordinates("--dump-tile", text)).toThrow();
  });
});

it("says bytes and seconds in words", () => {
  expect([0, 1023, 1024, 1.5 * 2 ** 30, 2 ** 90].map(bytesInWords)).toEqual([
    "0 B",
    "1023 B",
    "1.0 KiB",
    "1.5 GiB",
    "1024 YiB",
  ]);
  expect([0.04, 9.96, 59.6, 119.7, 3600, 7500].map(secondsInWords)).toEqual([
    "0.0 s",
    "10 s",
    "1 min 0 s",
    "2 min 0 s",
    "1 h 0 min",
    "2 h 5 min",
  ]);
});
