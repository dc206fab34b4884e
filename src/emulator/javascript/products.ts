import type { AttentionProblem, Operands } from "../../attention/problem.js";
import { keyRowAt } from "../../attention/rows.js";
import { type FloatRow, type MacChains, macChains, makeFloatRow } from "../../numerics/mac-chains.js";
import { binades, StepSums } from "../../numerics/step-sums.js";
import type { ProductSum } from "../../numerics/summation.js";
import type { TileSpan } from "../../program/javascript.js";
import type { TileProgram } from "../../program/program.js";

/** The keys of a tile: `count` of them from `first` on, of a key/value head. */
export interface KeyTile {
  readonly kvHead: number;
  readonly first: number;
  readonly count: number;
}

const noTile: KeyTile = { kvHead: 0, first: 0, count: 0 };

/** The products of rows with a tile of K and V, each in the way of its program, for many sums side by side: keys, or features of the values. */
export class TileProducts {
  private at: KeyTile = noTile;
  /** K in [E, m0], places of keys in the order of the program; with binades, where steps need them. */
  private readonly keys: Transposed;
  private readonly keyScales: Float64Array;
  private readonly values: Transposed;
  private readonly ofKeys: Sums;
  private readonly ofValues: Sums;
  private readonly descending: boolean;

  constructor(
    private readonly problem: AttentionProblem,
    private readonly operands: Operands,
    { products, descending }: TileProgram,
    private readonly m0: number,
  ) {
    const { headDim, valueDim } = problem.shape;
    this.descending = descending;
    this.ofKeys = new Sums(products.E, m0, headDim);
    this.ofValues = new Sums(products.key, valueDim, m0);
    this.keys = new Transposed(m0 * headDim, this.ofKeys.hasSteps);
    this.values = new Transposed(this.ofValues.hasSteps ? m0 * valueDim : 0, this.ofValues.hasSteps);
    this.keyScales = new Float64Array(this.ofKeys.blocksOf(headDim) * m0);
  }

  load(tile: KeyTile): void {
    this.at = tile;
  }

  /** Where in memory the key at a place of the tile is, as rows of K or V. */
  private rowAt(place: number): number {
    const { kvHead, first, count } = this.at;
    return keyRowAt(this.problem.shape, kvHead, first + (this.descending ? count - 1 - place : place));
  }

  loadKeys(): void {
    const { m0, keys, operands, keyScales, ofKeys } = this;
    const { headDim } = this.problem.shape;
    const { count } = this.at;
    for (let place = 0; place < count; place += 1) {
      const offset = this.rowAt(place) * headDim;
      for (let e = 0; e < headDim; e += 1) keys.values[e * m0 + place] = operands.k[offset + e] as number;
    }
    if (ofKeys.hasSteps) binades(keys.values, 0, keys.values.length, ofKeys.types[1], keys.binades, 0);
    const blocks = ofKeys.blocksOf(headDim);
    for (let place = 0; place < count; place += 1) {
      for (let block = 0; block < blocks; block += 1) {
        keyScales[block * m0 + place] = operands.scales?.k?.[this.rowAt(place) * blocks + block] ?? 1;
      }
    }
  }

  loadValues(): void {
    const { ofValues, values, operands } = this;
    if (!ofValues.hasSteps) return;
    const { valueDim } = this.problem.shape;
    const { count } = this.at;
    for (let place = 0; place < count; place += 1) {
      const from = this.rowAt(place) * valueDim;
      values.values.set(operands.v.subarray(from, from + valueDim), place * valueDim);
    }
    binades(values.values, 0, count * valueDim, ofValues.types[1], values.binades, 0);
  }

  /** The scale of each key of the tile, where it has one. */
  scaleOfKey(place: number): number {
    return this.operands.scales?.k?.[this.rowAt(place)] ?? 1;
  }

  /** The sums over E of a row's lanes times K, one for each key of the span, into `to`. */
  row(row: number, lanes: FloatRow, to: FloatRow, at: number, { start, end }: TileSpan): void {
    const { ofKeys, keys, m0, keyScales, operands } = this;
    const { headDim } = this.problem.shape;
    to.values.fill(0, at + start, at + end);
    const [from, until] = [at + start, at + end];
    if (ofKeys.hasSteps) ofKeys.loadBroadcast(lanes.values, 0, headDim);
    const blocks = ofKeys.blocksOf(headDim);
    const width = ofKeys.width ?? headDim;
    for (let block = 0; block < Math.max(1, blocks); block += 1) {
      const first = block * width;
      const count = Math.min(width, headDim - first);
      const broadcast = { values: lanes.values, first, count };
      const x = { values: keys.values, binades: keys.binades, offset: first * m0 - at, stride: m0 };
      if (ofKeys.width !== null) {
        const scale = operands.scales?.q?.[row * blocks + block] ?? 1;
        ofKeys.scaleBy(start, end, scale, keyScales, block * m0);
      }
      ofKeys.add(to, broadcast, x, from, until);
    }
  }

  /** to += the sums over the span's keys of lanes[at + m] times V, one for each coordinate of F. */
  column(lanes: FloatRow, to: FloatRow, at: number, { start, end }: TileSpan, scales: FloatRow | null): void {
    const { ofValues, values, operands, descending } = this;
    const { valueDim } = this.problem.shape;
    if (ofValues.hasSteps) {
      ofValues.loadBroadcast(lanes.values, at, this.at.count);
      for (const [a, b] of this.runs(0, this.at.count)) {
        if (b <= start || a >= end) continue;
        this.scaleRun(a, scales);
        const x = { values: values.values, binades: values.binades, offset: a * valueDim, stride: valueDim };
        // Steps are cut from the run's first key; those without a seen key are left out.
        ofValues.addSteps(to, { values: lanes.values, first: at + a, count: b - a }, x, valueDim, [start - a, end - a]);
      }
      return;
    }
    const stride = descending ? -valueDim : valueDim;
    for (const [a, b] of this.runs(start, end)) {
      this.scaleRun(a, scales);
      const x = { values: operands.v, binades: values.binades, offset: this.rowAt(a) * valueDim, stride };
      ofValues.add(to, { values: lanes.values, first: at + a, count: b - a }, x, 0, valueDim);
    }
  }

  /** The keys [start, end) of the tile in runs with one pair of scales. */
  private *runs(start: number, end: number): Generator<readonly [number, number]> {
    const { width } = this.ofValues;
    if (width === null) {
      yield [start, end];
      return;
    }
    const { first } = this.at;
    for (let a = start; a < end; ) {
      const b = Math.min(end, a - (a % width) + width, a - ((first + a) % width) + width);
      yield [a, b];
      a = b;
    }
  }

  private scaleRun(place: number, scales: FloatRow | null): void {
    const { ofValues, operands, at } = this;
    const { width } = ofValues;
    if (width === null || scales === null || operands.scales?.v === undefined) return;
    const { keys, valueDim } = this.problem.shape;
    const block = at.kvHead * Math.ceil(keys / width) + Math.floor((at.first + place) / width);
    ofValues.scaleBy(
      0,
      valueDim,
      scales.values[Math.floor(place / width)] as number,
      operands.scales.v,
      block * valueDim,
    );
  }
}

/** A tile with keys side by side, or features. */
class Transposed {
  readonly values: Float32Array;
  readonly binades: Float64Array;

  constructor(length: number, steps: boolean) {
    this.values = new Float32Array(length);
    this.binades = new Float64Array(steps ? length : 0);
  }
}

interface SummedOperands {
  readonly values: Float32Array;
  readonly binades: Float64Array;
  readonly offset: number;
  readonly stride: number;
}

interface Broadcast {
  readonly values: Float32Array;
  readonly first: number;
  readonly count: number;
}

/** One kind of sum, for up to `most` sums side by side over up to `positions` positions. */
class Sums {
  readonly types: ProductSum["types"];
  /** Positions of a block with scales; null where scales are constant along the sum. */
  readonly width: number | null;
  private readonly mac: MacChains;
  private readonly steps: StepSums | null;
  private readonly stepWidth: number;
  private readonly exact: boolean;
  /** A block's sums, and the scales of both factors together. */
  private readonly block: FloatRow;
  private readonly scales: Float64Array;
  private readonly broadcastBinades: Float64Array;
  private broadcastFrom = 0;

  constructor({ types, sum, accumulator, exact }: ProductSum, most: number, positions: number) {
    this.types = types;
    this.width = sum.kind === "chain" ? null : sum.width;
    this.exact = sum.kind !== "blocks" || sum.exact;
    this.mac = macChains({ accumulator: sum.kind === "blocks" ? "fp32" : accumulator, exact });
    this.steps = sum.kind === "steps" ? new StepSums(sum.dot, most) : null;
    this.stepWidth = sum.kind === "steps" ? sum.dot.block : 0;
    this.block = makeFloatRow(sum.kind === "blocks" ? most : 0);
    this.scales = new Float64Array(this.width === null ? 0 : most);
    this.broadcastBinades = new Float64Array(sum.kind === "steps" ? positions : 0);
  }

  get hasSteps(): boolean {
    return this.steps !== null;
  }

  blocksOf(positions: number): number {
    return this.width === null ? 0 : Math.ceil(positions / this.width);
  }

  /** Binades of what is broadcast, before steps over it. */
  loadBroadcast(values: Float32Array, first: number, count: number): void {
    binades(values, first, count, this.types[0], this.broadcastBinades, 0);
    this.broadcastFrom = first;
  }

  /** The scales of the sums [start, end) are `scale` times those at `from` + i. */
  scaleBy(start: number, end: number, scale: number, others: Float32Array | Float64Array, from: number): void {
    for (let i = start; i < end; i += 1) {
      const product = scale * (others[from + i] as number);
      this.scales[i - start] = this.exact ? product : Math.fround(product);
    }
  }

  /** Adds to the sums [start, end): a chain, a block, or the steps of all positions. */
  add(s: FloatRow, a: Broadcast, x: SummedOperands, start: number, end: number): void {
    if (this.steps !== null) {
      this.addSteps(s, a, { ...x, offset: x.offset + start }, end - start, [0, a.count], start);
      return;
    }
    if (this.width === null) {
      this.mac(s, a, x, start, end);
      return;
    }
    const { block, scales, exact } = this;
    const count = end - start;
    block.values.fill(0, 0, count);
    this.mac(block, a, { ...x, offset: x.offset + start }, 0, count);
    for (let i = 0; i < count; i += 1) {
      const scaled = (block.values[i] as number) * (scales[i] as number);
      s.values[start + i] = (s.values[start + i] as number) + (exact ? scaled : Math.fround(scaled));
    }
  }

  /** Steps over the positions [from, to), which hold 0 elsewhere; x begins with the first of `count` sums. */
  addSteps(
    s: FloatRow,
    a: Broadcast,
    x: SummedOperands,
    count: number,
    [from, to]: readonly [number, number],
    start = 0,
  ): void {
    const { steps, stepWidth, broadcastBinades, width, scales } = this;
    for (let j = 0; j < a.count; j += stepWidth) {
      const [first, last] = [Math.max(j, from), Math.min(j + stepWidth, a.count, to)];
      if (first >= last) continue;
      const broadcast = {
        values: a.values.subarray(a.first + first),
        binades: broadcastBinades.subarray(a.first + first - this.broadcastFrom),
        first: 0,
        count: last - first,
      };
      const operands = { ...x, offset: x.offset + first * x.stride - start };
      steps?.step(s, broadcast, operands, start, start + count, width === null ? null : scales);
    }
  }
}
