import { type ExistingRows, existingRows } from "../attention/existing-rows.js";
import { headsOf, kvHeadOf, kvHeadsOf } from "../attention/heads.js";
import { common, isEmpty } from "../attention/key-range.js";
import type { Masked } from "../attention/mask.js";
import type { Operands } from "../attention/problem.js";
import { type AttentionShape, type InputName, inputNames, tensorShapes } from "../attention/shape.js";
import { howMany, InputError } from "../errors.js";
import { type ArithmeticSpec, type OperandSpec, scaleBlock } from "../numerics/arithmetic.js";
import { coordinatesOf } from "../numerics/coordinates.js";
import { boundInWords, largestInput, largestOperand, smallestAmax } from "../numerics/limits.js";
import { type GivenValues, largestMagnitude, quantize } from "../numerics/quantize.js";
import { mxScale, nvfp4HeadFactor, nvfp4Scale, sharedScale } from "../numerics/scales.js";
import { checkGivenScales, type GivenScales, givenOperand, type ScaleAt, scaleReader } from "./given-scales.js";
import { smoothHead } from "./smooth-keys.js";

type Inputs = Readonly<Record<InputName, GivenValues>> & { readonly scales?: GivenScales };

/**
 * Operands and scales of an arithmetic (docs/arithmetic.md, "Types" and "Scales"), for tensors Q [B,H,P,E], K [B,Hkv,M,E] and V [B,Hkv,M,F]: the
 * one quantizer of all engines. Tokens that do not exist, and keys that no query sees, are 0 and belong to no set.
 * @throws InputError that names tensor, index and value for what has no operand
 */
export function encodeOperands(
  inputs: Inputs,
  problem: Masked & { readonly arithmetic: ArithmeticSpec },
  allocate = (length: number): Float32Array => new Float32Array(length),
): Operands {
  const { arithmetic } = problem;
  const sets = new TokenSets(problem);
  const encoded = inputNames.map(name => {
    const spec = arithmetic.operands[name];
    const smooth = name === "k" && arithmetic.smooth === "keys";
    const given = smooth ? smoothed(inputs.k, sets) : inputs[name];
    const tensor = new TensorEncoder(name, given, spec, sets, allocate);
    const chosen = inputs.scales?.[name];
    if (chosen === undefined) return [name, tensor.encode()] as const;
    return [name, tensor.take(checkGivenScales(arithmetic, name, problem.shape, chosen))] as const;
  });
  const by = <T>(of: (tensor: EncodedTensor) => T): Record<InputName, T> =>
    Object.fromEntries(encoded.map(([name, tensor]) => [name, of(tensor)])) as Record<InputName, T>;
  const scales = encoded.flatMap(([name, tensor]) => (tensor.scales === null ? [] : [[name, tensor.scales] as const]));
  return {
    ...by(({ values }) => values),
    ...(scales.length === 0 ? {} : { scales: Object.fromEntries(scales) }),
    saturated: by(({ saturated }) => saturated),
  };
}

interface EncodedTensor {
  readonly values: Float32Array;
  readonly scales: Float32Array | null;
  readonly saturated: number;
}

/** Which tokens of each head belong to sets of scales, as ascending ranges. */
class TokenSets {
  readonly shape: AttentionShape;
  private readonly existing: Readonly<Record<InputName, ExistingRows | null>>;

  constructor(problem: Masked) {
    this.shape = problem.shape;
    const of = (name: InputName): ExistingRows | null => existingRows(problem, name);
    this.existing = { q: of("q"), k: of("k"), v: of("v") };
  }

  /** The heads of a tensor: query heads, or key/value heads. */
  headsOf(name: InputName): number {
    return name === "q" ? headsOf(this.shape) : kvHeadsOf(this.shape);
  }

  /** The key/value head of a tensor's head. */
  kvHeadOf(name: InputName, head: number): number {
    return name === "q" ? kvHeadOf(this.shape, head) : head;
  }

  /** Those of a head from token `from` on, before `to`. */
  *tokens(name: InputName, head: number, from: number, to: number): Generator<readonly [number, number]> {
    for (const range of this.existing[name]?.(head) ?? [{ from, to }]) {
      const part = common(range, { from, to });
      if (!isEmpty(part)) yield [part.from, part.to];
    }
  }
}

/** K without its means. */
function smoothed(keys: GivenValues, sets: TokenSets): Float32Array {
  const [, , rows, columns] = tensorShapes(sets.shape).k;
  const smooth = new Float32Array(keys.length);
  for (let head = 0; head < sets.headsOf("k"); head += 1) {
    smoothHead(keys, head * rows * columns, columns, [...sets.tokens("k", head, 0, rows)], smooth);
  }
  return smooth;
}

/** One tensor on its way to operands, head by head. */
class TensorEncoder {
  private readonly shape: readonly [number, number, number, number];
  private readonly rows: number;
  private readonly columns: number;
  private readonly values: Float32Array;
  private saturated = 0;

  constructor(
    private readonly name: InputName,
    private readonly given: GivenValues,
    private readonly spec: OperandSpec,
    private readonly sets: TokenSets,
    private readonly allocate: (length: number) => Float32Array,
  ) {
    this.shape = tensorShapes(sets.shape)[name];
    [, , this.rows, this.columns] = this.shape;
    const size = this.shape.reduce((product, n) => product * n, 1);
    if (given.length !== size) {
      throw new InputError({
        where: name,
        got: howMany(given.length, "value"),
        expected: `${size} for the shape [${this.shape.join(", ")}]`,
      });
    }
    this.values = allocate(size);
  }

  encode(): EncodedTensor {
    const { spec, sets, name } = this;
    for (let head = 0; head < sets.headsOf(name); head += 1) this.check(head);
    const scales = this.scales();
    if (!spec.type.saturates) this.checkOperands();
    return { values: this.values, scales, saturated: this.saturated };
  }

  /** The values as they are, with scales that were chosen elsewhere: operands already. */
  take(chosen: Float32Array): EncodedTensor {
    const { spec, sets, name, given, values, rows, columns } = this;
    const at = scaleReader(spec.scale, name, sets.shape, chosen);
    this.eachHead(head => {
      for (const [a, b] of sets.tokens(name, head, 0, rows)) {
        for (let i = (head * rows + a) * columns; i < (head * rows + b) * columns; i += 1) {
          const where = () => `${name}[${coordinatesOf(this.shape, i).join(", ")}]`;
          values[i] = givenOperand(given[i] as number, spec, where);
        }
      }
    });
    return { values, scales: this.laidOut(at), saturated: 0 };
  }

  /** Scales as `OperandScales` has them. */
  private laidOut(at: ScaleAt): Float32Array {
    const { spec, sets, name, rows, columns } = this;
    const width = scaleBlock(spec.scale);
    const [tall, wide] =
      width === null
        ? [name === "v" ? 1 : rows, 1]
        : name === "v"
          ? [Math.ceil(rows / width), columns]
          : [rows, Math.ceil(columns / width)];
    const [down, across] = [width !== null && name === "v" ? width : 1, width !== null && name !== "v" ? width : 1];
    const scales = this.allocate(sets.headsOf(name) * tall * wide);
    for (let i = 0; i < scales.length; i += 1) {
      const row = Math.floor(i / wide);
      scales[i] = at(Math.floor(row / tall), (row % tall) * down, (i % wide) * across);
    }
    return scales;
  }

  private scales(): Float32Array | null {
    const { scale } = this.spec;
    if (scale === "none") {
      this.eachHead(head => this.quantizeRows(head, 0, this.rows, 1));
      return null;
    }
    if (scale === "tensor" || scale === "head") return this.sharedScales(scale);
    if (typeof scale === "object") return this.rowScales(scale.rows);
    return this.name === "v" ? this.blocksOfKeys() : this.blocksOfFeatures();
  }

  private eachHead(visit: (head: number) => void): void {
    for (let head = 0; head < this.sets.headsOf(this.name); head += 1) visit(head);
  }

  /** One scale for the heads that read one key/value head, or for all. */
  private sharedScales(scale: "tensor" | "head"): Float32Array {
    const { name, sets, rows, spec } = this;
    const { batch, kvHeads } = sets.shape;
    const amax = new Float64Array(batch * kvHeads);
    this.eachHead(head => {
      const kvHead = sets.kvHeadOf(name, head);
      amax[kvHead] = Math.max(amax[kvHead] as number, this.amaxOfRows(head, 0, rows));
    });
    if (scale === "tensor") amax.fill(amax.reduce((most, x) => Math.max(most, x), 0));
    const perRow = name !== "v";
    const scales = this.allocate(sets.headsOf(name) * (perRow ? rows : 1));
    this.eachHead(head => {
      const shared = sharedScale(spec.type, counted(amax[sets.kvHeadOf(name, head)] as number)).scale;
      if (perRow) scales.fill(shared, head * rows, (head + 1) * rows);
      else scales[head] = shared;
      this.quantizeRows(head, 0, rows, this.orZero(shared, amax[sets.kvHeadOf(name, head)] as number));
    });
    return scales;
  }

  private rowScales(together: number): Float32Array {
    const { rows, spec } = this;
    const scales = this.allocate(this.sets.headsOf(this.name) * rows);
    this.eachHead(head => {
      for (let row = 0; row < rows; row += together) {
        const end = Math.min(rows, row + together);
        const amax = this.amaxOfRows(head, row, end);
        const shared = sharedScale(spec.type, counted(amax)).scale;
        scales.fill(shared, head * rows + row, head * rows + end);
        this.quantizeRows(head, row, end, this.orZero(shared, amax));
      }
    });
    return scales;
  }

  /** Blocks along the features of each token: q and k. */
  private blocksOfFeatures(): Float32Array {
    const { rows, columns, given, spec, values } = this;
    const width = scaleBlock(spec.scale) ?? columns;
    const blocks = Math.ceil(columns / width);
    const scales = this.allocate(this.sets.headsOf(this.name) * rows * blocks).fill(1);
    const division = { scales: new Float64Array(1), perValue: false, exact: spec.scale === "mx" };
    this.eachHead(head => {
      const scaleOf = this.blockScale(head);
      for (const [from, to] of this.sets.tokens(this.name, head, 0, this.rows)) {
        for (let row = from; row < to; row += 1) {
          const begin = (head * rows + row) * columns;
          for (let block = 0; block < blocks; block += 1) {
            const [first, last] = [begin + block * width, begin + Math.min(columns, (block + 1) * width)];
            const { stored, divisor } = scaleOf(counted(largestMagnitude(given, first, last)));
            scales[(head * rows + row) * blocks + block] = stored;
            division.scales[0] = divisor;
            this.saturated += quantize(given, first, last, division, spec.type, values);
          }
        }
      }
    });
    return scales;
  }

  /** Blocks along the keys of each feature: v. Scales [heads, blocks, F]. */
  private blocksOfKeys(): Float32Array {
    const { rows, columns, given, spec, values, sets } = this;
    const width = scaleBlock(spec.scale) ?? rows;
    const blocks = Math.ceil(rows / width);
    const scales = this.allocate(sets.headsOf(this.name) * blocks * columns).fill(1);
    const amax = new Float64Array(columns);
    const division = { scales: new Float64Array(columns), perValue: true, exact: spec.scale === "mx" };
    this.eachHead(head => {
      const scaleOf = this.blockScale(head);
      for (let block = 0; block < blocks; block += 1) {
        const [from, to] = [block * width, Math.min(rows, (block + 1) * width)];
        amax.fill(0);
        for (const [a, b] of sets.tokens(this.name, head, from, to)) {
          for (let row = a; row < b; row += 1) {
            const begin = (head * rows + row) * columns;
            for (let f = 0; f < columns; f += 1) {
              amax[f] = Math.max(amax[f] as number, Math.abs(given[begin + f] as number));
            }
          }
        }
        for (let f = 0; f < columns; f += 1) {
          const { stored, divisor } = scaleOf(counted(amax[f] as number));
          scales[(head * blocks + block) * columns + f] = stored;
          division.scales[f] = divisor;
        }
        for (const [a, b] of sets.tokens(this.name, head, from, to)) {
          for (let row = a; row < b; row += 1) {
            const begin = (head * rows + row) * columns;
            this.saturated += quantize(given, begin, begin + columns, division, spec.type, values);
          }
        }
      }
    });
    return scales;
  }

  /** The scale of a block of a head: what is stored, and what elements are divided by, 0 where all are 0. */
  private blockScale(head: number): (amax: number) => { readonly stored: number; readonly divisor: number } {
    const { type, scale } = this.spec;
    if (scale === "mx") {
      return amax => {
        const stored = mxScale(type, amax).scale;
        return { stored, divisor: this.orZero(stored, amax) };
      };
    }
    const factor = nvfp4HeadFactor(counted(this.amaxOfRows(head, 0, this.rows)));
    return amax => {
      const stored = nvfp4Scale(type, amax, factor).scale;
      return { stored, divisor: stored };
    };
  }

  private orZero(scale: number, amax: number): number {
    return amax < smallestAmax ? 0 : scale;
  }

  /** The largest magnitude in rows of a head. */
  private amaxOfRows(head: number, from: number, to: number): number {
    let amax = 0;
    for (const [a, b] of this.sets.tokens(this.name, head, from, to)) {
      const begin = head * this.rows;
      amax = Math.max(amax, largestMagnitude(this.given, (begin + a) * this.columns, (begin + b) * this.columns));
    }
    return amax;
  }

  private quantizeRows(head: number, from: number, to: number, scale: number): void {
    const { given, values, columns, rows, spec } = this;
    const division = { scales: Float64Array.of(scale), perValue: false, exact: spec.scale === "none" };
    for (const [a, b] of this.sets.tokens(this.name, head, from, to)) {
      const [first, last] = [(head * rows + a) * columns, (head * rows + b) * columns];
      this.saturated += quantize(given, first, last, division, spec.type, values);
    }
  }

  /** Refuses what no operand is made of. */
  private check(head: number): void {
    const { scale } = this.spec;
    const limit = scale === "none" ? Number.MAX_VALUE : largestInput;
    for (const [a, b] of this.sets.tokens(this.name, head, 0, this.rows)) {
      const [first, last] = [(head * this.rows + a) * this.columns, (head * this.rows + b) * this.columns];
      if (largestMagnitude(this.given, first, last) <= limit) continue;
      this.refuse(first, last, limit);
    }
  }

  private refuse(first: number, last: number, limit: number): void {
    const at = this.given.subarray(first, last).findIndex(x => !(Math.abs(x) <= limit));
    if (at < 0) return;
    throw new InputError({
      where: `${this.name}[${coordinatesOf(this.shape, first + at).join(", ")}]`,
      got: String(this.given[first + at]),
      expected: limit === Number.MAX_VALUE ? "a finite number" : `at most ${boundInWords(limit)} in magnitude`,
      fix: "scale the input down or choose another arithmetic",
    });
  }

  private checkOperands(): void {
    const { type, scale } = this.spec;
    const limit = largestOperand(type);
    const at = this.values.findIndex(x => !(Math.abs(x) <= limit));
    if (at < 0) return;
    const scaled = scale === "none" ? "" : "scaling and ";
    throw new InputError({
      where: `${this.name}[${coordinatesOf(this.shape, at).join(", ")}]`,
      got: String(this.given[at]),
      expected: `a finite value of magnitude at most ${boundInWords(limit)} after ${scaled}rounding to ${type.name}`,
      fix: "scale the input down or choose another arithmetic",
    });
  }
}

/** Taken as 0 when it is below 2^-40. */
const counted = (amax: number): number => (amax < smallestAmax ? 0 : amax);
