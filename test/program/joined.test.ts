import { describe, expect, it } from "vitest";
import { parseCascade } from "../../src/einsum/cascade.js";
import type { ArithmeticSpec } from "../../src/numerics/arithmetic.js";
import { formatArithmetics } from "../../src/numerics/format-of.js";
import { lower } from "../../src/program/lower.js";
import { onePassProgram } from "../../src/program/one-pass.js";
import type { Pass, TileProgram } from "../../src/program/program.js";
import { writesOf } from "../../src/program/steps.js";
import { joiningLoop } from "../../src/program/wgsl-joined.js";
import { library } from "../emulator/cascades.js";

const { bf16 } = formatArithmetics;

const oneOf = (change: Partial<ArithmeticSpec>): TileProgram => onePassProgram({ ...bf16, ...change }, 0.125);
const passesOf = (name: string): TileProgram => {
  const { text, name: title } = library(name);
  return lower(parseCascade(text, title), bf16, 0.125);
};

/** What each product of a pass is, and what the loop that joins it sets. */
function joins(pass: Pass): readonly string[] {
  return pass.tile.flatMap((step, i) => {
    if (step.kind !== "product") return [];
    const loop = pass.tile[joiningLoop(pass, i) ?? -1];
    return [`${step.to.name}: ${loop === undefined ? "-" : writesOf(loop).map(({ name }) => name)}`];
  });
}

describe("a loop that joins a product", () => {
  // By hand, from what each program's steps are.
  it.each([
    ["the maximum of scores, and the running output", oneOf({}), [["BQK: LM", "SLNV: SPNV,RNV"]]],
    ["no sums that run on in the product itself", oneOf({ sums: "running" }), [["BQK: LM", "RNV: -"]]],
    ["no scores that a scale changes first", oneOf({ operands: scaledKeys() }), [["BQK: -", "SLNV: SPNV,RNV"]]],
    [
      "no scores that are checked first, nor sums that are rounded",
      oneOf({ accumulator: "fp16" }),
      [["BQK: -", "SLNV: -"]],
    ],
  ] as const)("takes %s", (_, program, expected) => {
    expect(program.passes.map(joins)).toEqual(expected);
  });

  it("takes the maximum of a cascade of several passes, in the pass that makes it", () => {
    expect(passesOf("attention-3-pass").passes.map(joins)).toEqual([[], ["QK: GM"], [], ["AV: -"]]);
  });
});

function scaledKeys(): ArithmeticSpec["operands"] {
  return { ...bf16.operands, k: { ...bf16.operands.k, scale: "tensor" } };
}
