import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as limits from "../../../src/numerics/limits.js";
import { numberTypes } from "../../../src/numerics/number-type.js";

const assembly = readFileSync(new URL("../../../assembly/limits.ts", import.meta.url), "utf8");

/** The constants that the assembly declares: `export const NAME: f32 = VALUE;`. */
const declared = new Map(
  [...assembly.matchAll(/export const (\w+): f32 = (\S+);/g)].map(([, name = "", value = ""]) => [name, Number(value)]),
);

describe("the limits of the WebAssembly kernels", () => {
  const expected: Readonly<Record<string, number>> = {
    smallestExponent: limits.smallestExponent,
    smallestResult: limits.smallestResult,
    fp32Flush: numberTypes.fp32.flush,
    noMaximum: limits.noMaximum,
  };

  it("are those of the contract, to the bit", () => {
    expect(Object.fromEntries([...declared].map(([name, value]) => [name, Math.fround(value)]))).toEqual(expected);
  });
});
