import { InputError, UsageError } from "../errors.js";
import { type ArithmeticSpec, isScaledAfterwards, type OperandSpec, scaleBlock } from "../numerics/arithmetic.js";
import { placeInTensor } from "../numerics/coordinates.js";
import { boundInWords, largestInput, smallestAmax } from "../numerics/limits.js";
import { hasInputScales } from "../numerics/one-pass-choices.js";
import { accumulatorRounder, flushTiny, roundToOperand } from "../numerics/rounding.js";
import { amaxOf, mxScale, nvfp4HeadFactor, nvfp4Scale, type SetScale, sharedScale } from "../numerics/scales.js";
import type { Cascade } from "./cascade.js";
import { attentionRoles, type Roles } from "./roles.js";
import { copiesOf, requireScalable } from "./scaled-inputs.js";

/** An input as it is given, row-major. */
interface Given {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** An input as operands, and the scale of each, in the places of the input. */
export interface ScaledTensor {
  readonly values: Float64Array<ArrayBuffer>;
  readonly scales: Float64Array<ArrayBuffer>;
}

/** The inputs of attention that have scales in an arithmetic (docs/arithmetic.md, "Scales"): those of one head. */
export class ScaledOperands {
  /** The tensors whose scales multiply the output once it is done, and that of the output; null where v has none. */
  readonly output: { readonly tensor: string; readonly values: string } | null;
  private readonly toA: (x: number) => number;
  /** By the input that they hold. */
  private readonly copies: ReadonlyMap<"q" | "k", ReadonlySet<string>>;

  private constructor(
    private readonly cascade: Cascade,
    private readonly arithmetic: ArithmeticSpec,
    private readonly roles: Roles,
  ) {
    const { q, k, v, out } = roles;
    this.output = arithmetic.operands.v.scale === "none" ? null : { tensor: out, values: v };
    this.toA = accumulatorRounder(arithmetic.accumulator);
    this.copies = new Map([
      ["q", new Set([q])],
      ["k", copiesOf(cascade, k)],
    ]);
  }

  /**
   * Null where no input has scales.
   * @throws UsageError for a cascade that is no attention, InputError for one that uses a scaled input in another way
   */
  static of(cascade: Cascade, arithmetic: ArithmeticSpec): ScaledOperands | null {
    if (!hasInputScales(arithmetic)) return null;
    const roles = attentionRoles(cascade);
    if (roles === null) {
      const { operands, name } = arithmetic;
      throw new UsageError({
        where: `arithmetic ${name}`,
        got: `scales of ${(["q", "k", "v"] as const).filter(input => operands[input].scale !== "none").join(", ")} for ${cascade.name}`,
        expected: "attention of q[e,p], k[e,m] and v[f,m], or operands without scales",
        fix: "the header # roles: q=Q, k=K, v=V, out=AV says which tensors these are",
      });
    }
    requireScalable(cascade, roles, arithmetic);
    return new ScaledOperands(cascade, arithmetic, roles);
  }

  /** Whether the factors of a sum of products are q and k, whose scales it is multiplied by. */
  isScore(a: string | null, b: string | null): boolean {
    const is = (name: "q" | "k", tensor: string | null): boolean =>
      tensor !== null && this.copies.get(name)?.has(tensor) === true;
    return (is("q", a) && is("k", b)) || (is("k", a) && is("q", b));
  }

  /** Whether a tensor that is computed holds scaled keys. */
  copiesScaled(tensor: string): boolean {
    return this.arithmetic.operands.k.scale !== "none" && this.copies.get("k")?.has(tensor) === true;
  }

  /** z(rA(x * s)). */
  times(x: number, scale: number): number {
    return flushTiny(this.toA(x * scale));
  }

  /** Whether the sum of q and k is multiplied once it is done, not block by block. */
  get isScoreScaledAfterwards(): boolean {
    const { q, k } = this.arithmetic.operands;
    return isScaledAfterwards(q) || isScaledAfterwards(k);
  }

  /** Elements of a block of the sum of q and k; null without. */
  get scoreBlock(): number | null {
    return scaleBlock(this.arithmetic.operands.q.scale);
  }

  /** Null for a tensor without scales. @throws InputError for a value out of range */
  encode(name: string, { shape, data }: Given): ScaledTensor | null {
    const { roles, arithmetic, cascade } = this;
    const role = (["q", "k", "v"] as const).find(input => roles[input] === name);
    if (role === undefined || arithmetic.operands[role].scale === "none") return null;
    const spec = arithmetic.operands[role];
    const first = cascade.tensors.get(name)?.indices[0]?.terms[0];
    const outer = first === undefined ? null : cascade.ranks.ofVariable(first.variable).name;
    const tokensFirst = outer === (role === "q" ? roles.queries : roles.keys);
    const [rows = 1, columns = 1] = shape;
    const [tokens, features] = tokensFirst ? [rows, columns] : [columns, rows];
    const placeOf = tokensFirst
      ? (token: number, feature: number) => token * columns + feature
      : (token: number, feature: number) => feature * columns + token;
    requireScaled(name, { shape, data }, arithmetic);
    const headFactor = spec.scale === "nvfp4" ? nvfp4HeadFactor(amaxOf(Array.from(data))) : 1;
    const values = new Float64Array(data.length);
    const scales = new Float64Array(data.length);
    // A set is so many tokens by so many features.
    const perSet = typeof spec.scale === "object" ? spec.scale.rows : scaleBlock(spec.scale) === null ? tokens : 1;
    const width = scaleBlock(spec.scale) ?? features;
    for (let token = 0; token < tokens; token += perSet) {
      for (let feature = 0; feature < features; feature += width) {
        const places: number[] = [];
        for (let t = token; t < Math.min(tokens, token + perSet); t += 1) {
          for (let f = feature; f < Math.min(features, feature + width); f += 1) places.push(placeOf(t, f));
        }
        let amax = 0;
        for (const place of places) amax = Math.max(amax, Math.abs(data[place] as number));
        const { scale, ratio } = scaleOf(spec, amax < smallestAmax ? 0 : amax, headFactor);
        for (const place of places) {
          values[place] = roundToOperand(ratio(data[place] as number), spec.type);
          scales[place] = scale;
        }
      }
    }
    return { values, scales };
  }
}

function scaleOf({ type, scale }: OperandSpec, amax: number, headFactor: number): SetScale {
  if (scale === "mx") return mxScale(type, amax);
  return scale === "nvfp4" ? nvfp4Scale(type, amax, headFactor) : sharedScale(type, amax);
}

/** @throws InputError that names the first value which is too large to be scaled */
function requireScaled(name: string, { shape, data }: Given, arithmetic: ArithmeticSpec): void {
  for (let i = 0; i < data.length; i += 1) {
    if (Math.abs(data[i] as number) <= largestInput) continue;
    throw new InputError({
      where: `${placeInTensor(name, shape, i)} in ${arithmetic.name} arithmetic`,
      got: String(data[i]),
      expected: `a finite value of magnitude at most ${boundInWords(largestInput)}`,
      fix: "scale the input down or take float64",
    });
  }
}
