import type { SelfTestOp } from "../self-test-ops.js";

/** The code of each operation in shaders/operations.wgsl. */
export const opCodes: Readonly<Record<SelfTestOp, number>> = {
  add: 1,
  mul: 2,
  subtract: 3,
  div: 4,
  update: 5,
  cancel: 6,
  exp: 7,
  numerator: 8,
  correction: 9,
  operand: 10,
  power: 11,
  fused: 12,
  score: 13,
  weightedSum: 14,
  blockScale: 15,
  blockNumerator: 16,
};

/** `const opAdd = 1u;` and so on. */
export const opCodeDeclarations = Object.entries(opCodes)
  .map(([op, code]) => `const op${op.charAt(0).toUpperCase()}${op.slice(1)} = ${code}u;\n`)
  .join("");
