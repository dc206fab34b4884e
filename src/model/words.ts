import type { ArithmeticSpec } from "../numerics/arithmetic.js";
import { numberTypes } from "../numerics/number-type.js";
import type { Architecture } from "../spec/architecture.js";
import type { Design } from "../spec/design.js";
import { elementBits } from "../spec/element-bits.js";
import type { Formula } from "../spec/expression.js";
import { exponentialMacs } from "../spec/pe-operations.js";
import type { Technology } from "../spec/technology.js";
import { type ExtraOperations, extraOperations } from "./arithmetic-operations.js";
import { elementRolesOf } from "./element-roles.js";
import { type Figures, typedFigures, uniformFigures } from "./figures.js";
import type { Patch } from "./patch.js";

/** What a design's words and operations are charged as. */
export interface Words {
  /** The arithmetic; undefined where every word has the architecture's `wordBits`. */
  readonly arithmetic: ArithmeticSpec | undefined;
  /** Bits of an element of a tensor in memory, its share of scales included, over the workload's sizes. */
  readonly bits: (tensor: string) => Formula;
  /** The widest operand's. */
  readonly operandBits: number;
  /** The widest of operands and accumulators. */
  readonly widestBits: number;
  /** Multiply-accumulates of an exponential, as formulas know them (`expMacs`). */
  readonly exponentialMacs: number;
  readonly operations: ExtraOperations;
  readonly figures: Figures;
}

/** The correction with which words have the bits of an arithmetic; without it all have the architecture's. */
export const wordsCorrection = "words";

/**
 * An arithmetic is charged where the design or a command names one, and the accounting has the correction for it. A setting of
 * the architecture's `wordBits` makes every word that wide, in place of the design's own arithmetic.
 */
export function wordsOf(
  design: Design,
  { architecture, technology }: { readonly architecture: Architecture; readonly technology: Technology },
  { corrections = [], patches = [] }: { readonly corrections?: readonly string[]; readonly patches?: readonly Patch[] },
): Words {
  const { arithmetic, arithmeticBy: by, cascade, placement } = design;
  const isSet = patches.some(({ path }) => path === "architecture.wordBits");
  const charged = corrections.includes(wordsCorrection) && (by === "command" || (by === "design" && !isSet));
  if (!charged || cascade === undefined || placement === undefined) {
    return {
      arithmetic: undefined,
      bits: () => architecture.wordBits,
      operandBits: architecture.wordBits,
      widestBits: architecture.wordBits,
      exponentialMacs,
      operations: new Map(),
      figures: uniformFigures(
        technology,
        architecture.wordBits,
        corrections.includes(wordsCorrection) && by === "default" && !isSet ? arithmetic.data : undefined,
      ),
    };
  }
  const spec = arithmetic.data;
  const roles = elementRolesOf(cascade, placement);
  const has = (array: string, operation: string): boolean =>
    Object.hasOwn(architecture.arrays[array]?.operations ?? {}, operation);
  const operandBits = Math.max(...Object.values(spec.operands).map(({ type }) => type.storageBits));
  return {
    arithmetic: spec,
    bits: tensor => elementBits(spec, roles.of(tensor)),
    operandBits,
    widestBits: Math.max(operandBits, numberTypes[spec.accumulator].storageBits),
    exponentialMacs: spec.exp.coefficients.length,
    operations: extraOperations(spec, placement, roles, has),
    figures: typedFigures(technology, architecture.wordBits, spec, placement, roles),
  };
}
