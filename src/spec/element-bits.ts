import type { ArithmeticSpec, OperandSpec } from "../numerics/arithmetic.js";
import { numberTypes, scaleExponents } from "../numerics/number-type.js";
import type { Formula } from "./expression.js";

/** What a tensor of attention is to its arithmetic. */
export type ElementRole = "q" | "k" | "v" | "p" | "accumulator" | "output";

export const elementRoles: readonly ElementRole[] = ["q", "k", "v", "p", "accumulator", "output"];

const scaleBits = numberTypes.fp32.storageBits;

/**
 * Bits of an element in DRAM and in buffers, its share of the scales included, as a formula over the workload's sizes
 * (B, H, group, E, F, M, queries).
 */
export function elementBits(arithmetic: ArithmeticSpec, role: ElementRole): Formula {
  if (role === "accumulator") return numberTypes[arithmetic.accumulator].storageBits;
  if (role === "output") return arithmetic.output.storageBits;
  const operand = arithmetic.operands[role];
  const { storageBits } = operand.type;
  const share = scaleShare(operand, role);
  return share === null ? storageBits : `${storageBits} + ${share}`;
}

/** Elements of a head along the rank that is summed over, and tokens: Q and K are summed over E, V and P over the keys. */
const shapes = {
  q: { summed: "E", tokens: "queries", width: "E", heads: "group" },
  k: { summed: "E", tokens: "M", width: "E", heads: "1" },
  v: { summed: "M", tokens: "M", width: "F", heads: "1" },
  p: { summed: "M", tokens: "M", width: "1", heads: "1" },
} as const;

/** Bits of scales per element: of the blocks (MX: one E8M0 for 32; nvfp4: one fp8-e4m3 for 16 and an fp32 per head), or fp32s. */
function scaleShare({ scale }: OperandSpec, role: keyof typeof shapes): string | null {
  const { summed, tokens, width, heads } = shapes[role];
  const head = `(${tokens} * ${width})`;
  if (scale === "none") return null;
  if (scale === "mx") return `${scaleExponents.storageBits} * ceil(${summed} / 32) / ${summed}`;
  if (scale === "nvfp4") {
    const blocks = `${numberTypes["fp8-e4m3"].storageBits} * ceil(${summed} / 16) / ${summed}`;
    // The numerators have no scale of the head.
    return role === "p" ? blocks : `${blocks} + ${scaleBits} / ${head}`;
  }
  if (scale === "tensor") return `${scaleBits} / (B * H * ${heads} * ${head})`;
  if (scale === "head") return `${scaleBits} / (${heads} * ${head})`;
  return `${scaleBits} * ceil(${tokens} / ${scale.rows}) / ${head}`;
}
