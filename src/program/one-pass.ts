import { type ArithmeticSpec, isScaledAfterwards, scaleBlock } from "../numerics/arithmetic.js";
import { noMaximum } from "../numerics/limits.js";
import { exponentFactor } from "../numerics/pe.js";
import { productSumOf } from "../numerics/summation.js";
import { addNumerators } from "./numerators.js";
import { OnePassSteps } from "./one-pass-steps.js";
import { isNone } from "./pe-table.js";
import type { TileProgram } from "./program.js";
import { binary, equal, less, multiplyAdd, number, read, type Scalar, select } from "./scalar.js";
import { addendOf, type ScoreTerms, scoreValues } from "./score-terms.js";
import type { Variable } from "./variable.js";

export interface OnePassOptions {
  /** Every value of a tile stays readable after the tile, for a dump. */
  readonly keep?: boolean;
  /** RM, RD and RNV in place of AV: for runs of keys that are merged afterwards. */
  readonly partial?: boolean;
  /** What is done to scores; nothing where absent. */
  readonly terms?: ScoreTerms;
}

/** What a row carries from tile to tile. */
interface Carried {
  readonly rm: Variable;
  readonly rd: Variable;
  readonly rnv: Variable;
}

const zero = number(0);
const one = number(1);

/**
 * The tile program of FuseMax's own cascade (Cascade 5) in any arithmetic (docs/arithmetic.md, "One tile"): what the cascade's
 * text says, and the choices that no text has. `scale` multiplies inside the exponentials.
 */
export function onePassProgram(arithmetic: ArithmeticSpec, scale: number, options: OnePassOptions = {}): TileProgram {
  const { keep = false, partial = false, terms = { bias: false } } = options;
  const { operands, accumulator } = arithmetic;
  const steps = new OnePassSteps(arithmetic, keep);
  const query = steps.row("Q", "E", { operand: true });
  const carried: Carried = {
    rm: steps.row("RM", "row", { initial: noMaximum }),
    rd: steps.row("RD", "row", { initial: 0 }),
    rnv: steps.row("RNV", "F", { initial: 0 }),
  };
  const bqk = addScores(steps, arithmetic, query, terms);
  const c = number(exponentFactor(scale));
  const { prm, shift } = addMaximum(steps, arithmetic, c, bqk, carried);
  const { table } = steps;

  // 3. SLN
  const { rm, rd, rnv } = carried;
  const t = exponent(steps, arithmetic, c, bqk, shift ?? rm);
  const { sln, term, scales, saturated } = addNumerators(steps, arithmetic, table.exp2(t));

  // 4 to 7. In running sums the corrected ones are what a tile's start from.
  const spnv = table.mul(read(rnv), read(prm));
  if (arithmetic.sums === "running") {
    steps.fold("key", rd, table.add(read(rd), term), null);
    steps.set("F", rnv, spnv);
    steps.product("key", sln, rnv, true, scales);
  } else {
    const [sld, spd] = [steps.tile("SLD", "row"), steps.tile("SPD", "row")];
    const slnv = steps.tile("SLNV", "F");
    steps.fold("key", sld, table.add(read(sld), term), 0);
    steps.product("key", sln, slnv, false, scales);
    steps.set(null, spd, table.mul(read(rd), read(prm)));
    steps.set(null, rd, table.add(read(sld), read(spd)));
    steps.set("F", rnv, table.add(read(slnv), steps.set("F", steps.local("SPNV", "F"), spnv)));
  }
  const tile = steps.take();
  const output = partial ? rnv : addOutput(steps, arithmetic, carried);
  return {
    name: "attention-1-pass",
    splitsKeys: true,
    accumulator,
    products: {
      E: productSumOf(arithmetic, operands.q, operands.k),
      key: productSumOf(arithmetic, operands.p, operands.v),
    },
    blockKeys: scaleBlock(operands.p.scale),
    descending: arithmetic.keys === "descending",
    variables: steps.variables,
    carried: new Set(Object.values(carried)),
    query,
    output,
    states: { maximum: rm, denominator: rd },
    ...(saturated === null ? {} : { saturated }),
    passes: [{ tile, end: steps.take() }],
  };
}

/** 1. BQK, times its scales where they are constant along the sum, and what is done to it before the maximum. */
function addScores(
  steps: OnePassSteps,
  { operands: { q, k } }: ArithmeticSpec,
  query: Variable,
  terms: ScoreTerms,
): Variable {
  const bqk = steps.tile("BQK", "key");
  steps.product("E", query, bqk, false);
  const scales = [
    ...(isScaledAfterwards(q) ? [read(steps.row("Q scale", "row", { tensor: null, given: "queryScale" }))] : []),
    ...(isScaledAfterwards(k) ? [read(steps.tile("K scale", "key", { tensor: null, given: "keyScale" }))] : []),
  ];
  const [first, second] = scales;
  if (first !== undefined) {
    const scale = second === undefined ? first : binary("mul", first, second);
    steps.set("key", bqk, steps.table.mul(read(bqk), scale));
  }
  const addend = addendOf();
  if (terms.bias) steps.variables.push(addend);
  for (const value of scoreValues(steps.table, terms, bqk, addend)) steps.set("key", bqk, value);
  return bqk;
}

/** 2. and PRM: LM, RM', what sums so far are times, and where sums run on, RD times it. */
function addMaximum(
  steps: OnePassSteps,
  { threshold, exponent: kind, offset, sums }: ArithmeticSpec,
  c: Scalar,
  bqk: Variable,
  { rm, rd }: Carried,
): { readonly prm: Variable; readonly shift: Variable | null } {
  const { table } = steps;
  const [lm, prm] = [steps.tile("LM", "row"), steps.tile("PRM", "row")];
  steps.fold("key", lm, table.max(read(lm), read(bqk)), noMaximum);
  const before = read(rm);
  const none = isNone(before);
  const least = table.max(before, read(lm));
  const fallTo = (maximum: Scalar): Scalar => binary("mul", table.subtract(before, maximum), c);
  // Lazy rescaling: the maximum stays behind.
  const follows = less(fallTo(least), number(-threshold));
  const after = threshold === 0 ? least : select(none, least, select(follows, least, before));
  const next = steps.set(null, steps.local("RM'", "row", { tensor: null }), after);
  steps.checkDifference(null, "PRM", table.subtract(before, next), none);
  const corrected = table.annotation("factor")(table.exp2(fallTo(next)));
  const factor = threshold === 0 ? corrected : select(equal(next, before), one, corrected);
  steps.set(null, prm, select(none, zero, factor));
  if (sums === "running") steps.set(null, rd, table.mul(read(rd), read(prm)));
  const shift = kind === "fused" ? steps.tile("shift", "row", { tensor: null }) : null;
  if (shift !== null) steps.set(null, shift, binary("sub", number(offset), binary("mul", next, c)));
  steps.set(null, rm, next);
  return { prm, shift };
}

/** t, over keys; `against` is RM', or b of the fused exponent. */
function exponent(
  steps: OnePassSteps,
  { exponent: kind, offset }: ArithmeticSpec,
  c: Scalar,
  bqk: Variable,
  against: Variable,
): Scalar {
  if (kind === "fused") {
    const t = multiplyAdd(read(bqk), c, read(against));
    steps.checkExponent("key", "SLN", t);
    return t;
  }
  // At most the threshold and the offset.
  const difference = steps.table.subtract(read(bqk), read(against));
  steps.checkDifference("key", "SLN", difference, null);
  const t = binary("mul", difference, c);
  return offset === 0 ? t : binary("add", t, number(offset));
}

/** AV, at the end of a row. */
function addOutput(
  steps: OnePassSteps,
  { normalize, operands: { v } }: ArithmeticSpec,
  { rd, rnv }: Carried,
): Variable {
  const { table } = steps;
  const output = steps.row("AV", "F");
  steps.check(null, rd);
  steps.checkNotZero(rd);
  const inverse = steps.tile("1 / RD", "row", { tensor: null });
  if (normalize === "reciprocal") steps.set(null, inverse, table.div(one, read(rd)));
  steps.check("F", rnv);
  const divided = normalize === "divide" ? table.div(read(rnv), read(rd)) : table.mul(read(rnv), read(inverse));
  const scaled = isScaledAfterwards(v)
    ? table.mul(divided, read(steps.row("V scale", "row", { tensor: null, given: "valueScale" })))
    : divided;
  steps.set("F", output, scaled);
  steps.check("F", output);
  return output;
}
