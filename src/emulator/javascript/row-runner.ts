import { common, hull, isEmpty, type KeyRange, noKeys } from "../../attention/key-range.js";
import { type Mask, maskOf, sequenceOf } from "../../attention/mask.js";
import type { AttentionProblem, Operands } from "../../attention/problem.js";
import { batchOf, kvHeadOfRow, type RowRange } from "../../attention/rows.js";
import { type FloatRow, makeFloatRow } from "../../numerics/mac-chains.js";
import { closuresOf } from "../../program/closures.js";
import {
  type Blocks,
  type PrintedFor,
  type PrintedPass,
  printJavaScript,
  type RowMemory,
} from "../../program/javascript.js";
import { type CheckedPlace, type Pass, type Step, startOf, type TileProgram } from "../../program/program.js";
import { stepReads } from "../../program/steps.js";
import type { Variable } from "../../program/variable.js";
import { type BiasReader, biasReader, sinkOf } from "../given-scores.js";
import { tileKeys } from "../program-of.js";
import { type KeyTile, TileProducts } from "./products.js";

/** A check that failed: where a value left its range. */
export interface Fault {
  readonly row: number;
  readonly place: CheckedPlace;
  /** The key tile; null for what is known at the end of a row's keys. */
  readonly m1: number | null;
  /** The key of the tile, or the coordinate; 0 for a value of the row. */
  readonly index: number;
}

/** What `run` takes beside the rows. */
export interface RunOptions {
  /** Asked between key tiles; may throw. */
  readonly stopped?: () => void;
  /** Keys outside of which no row sees any. */
  readonly within?: KeyRange;
  /** Whether rows begin without their sinks: in runs of split keys after the first. */
  readonly sunk?: boolean;
  /** Takes RM and RD of each row, [rows, 2]; of no meaning for a row without keys. */
  readonly states?: Float32Array;
}

/** What the tile programs of a problem have in memory, most of it per row. */
const memoryBudget = 2 ** 26;
/** Query rows that pass a key tile together, so that a tile of K is transposed once for all of them. */
const mostRowsAtOnce = 64;

interface Row {
  readonly row: number;
  readonly keys: KeyRange;
  readonly memory: RowMemory;
}

/** A program as JavaScript printed at run time, or, where that is forbidden, as closures. */
export type ProgramForm = "printed" | "closures";

export interface RowRunnerOptions {
  readonly form?: ProgramForm;
  /** How many rows pass the keys together at the most. */
  readonly mostRows?: number;
  /** Told of a row's values after each tile of a pass, in which a key has its place, and after each pass. */
  readonly onTile?: (pass: Pass, m1: number, memory: RowMemory, placeOf: (m: number) => number) => void;
  readonly onEnd?: (memory: RowMemory) => void;
}

interface Compiled {
  readonly passes: readonly PrintedPass[];
  readonly checks: readonly CheckedPlace[];
}

type Sizes = { readonly e: number; readonly f: number };

function printed(program: TileProgram, blocks: Blocks, sizes: Sizes, options: PrintedFor): Compiled {
  const text = printJavaScript(program, options);
  try {
    return { passes: text.compile(blocks, sizes), checks: text.checks };
  } catch (error) {
    // A page whose content security policy forbids Function.
    if (error instanceof EvalError) return closures(program, blocks, sizes, options);
    throw error;
  }
}

function closures(program: TileProgram, blocks: Blocks, sizes: Sizes, options: PrintedFor): Compiled {
  const checks: CheckedPlace[] = [];
  return { passes: closuresOf(program, blocks, sizes, checks, options), checks };
}

/** Runs a tile program as printed JavaScript, one row after the other in each tile. */
export class RowRunner {
  private readonly program: TileProgram;
  private readonly printed: readonly PrintedPass[];
  private readonly checks: readonly CheckedPlace[];
  private readonly m0: number;
  private readonly products: TileProducts;
  private readonly mask: Mask;
  private tileCount = 0;
  /** Which keys of the tile the row at hand sees, by place, where that is not all of its span. */
  private readonly seen: Uint8Array;
  private readonly bias: BiasReader | null;
  private atTile: number | null = null;
  private atRow = 0;
  private fault: Fault | null = null;
  /** Numerators past the largest value of their type, in all rows run so far. */
  saturated = 0;
  private readonly rows: readonly RowMemory[];

  constructor(
    private readonly problem: AttentionProblem,
    private readonly operands: Operands,
    program: TileProgram,
    private readonly options: RowRunnerOptions = {},
  ) {
    const { form = "printed", mostRows = mostRowsAtOnce } = options;
    const { shape } = problem;
    this.program = program;
    this.mask = maskOf(problem);
    this.m0 = tileKeys(problem, program);
    const sizes = { e: shape.headDim, f: shape.valueDim };
    const compile = form === "printed" ? printed : closures;
    const { passes, checks } = compile(program, this.blocks(), sizes, { bits: !this.mask.isInterval });
    this.printed = passes;
    this.checks = checks;
    this.products = new TileProducts(problem, operands, program, this.m0);
    this.seen = new Uint8Array(this.mask.isInterval ? 0 : this.m0);
    this.bias = biasReader(operands, shape, program);
    const own = (variable: Variable): boolean => variable.life === "row" || variable.life === "whole";
    const lengths = program.variables.map(variable => this.lengthOf(variable));
    const perRow = program.variables.reduce((sum, v, i) => sum + (own(v) ? 4 * (lengths[i] as number) : 0), 0);
    const shared = lengths.map(length => makeFloatRow(length));
    const count = Math.max(1, Math.min(mostRows, Math.floor(memoryBudget / perRow)));
    this.rows = Array.from({ length: count }, () => ({
      values: program.variables.map((v, i) => (own(v) ? makeFloatRow(lengths[i] as number) : (shared[i] as FloatRow))),
    }));
  }

  private lengthOf({ axis, life }: Variable): number {
    const { keys, headDim, valueDim } = this.problem.shape;
    if (life === "local") return 0;
    if (axis === "E") return headDim;
    if (axis === "F") return valueDim;
    if (axis === "block") return Math.ceil(this.m0 / (this.program.blockKeys ?? 1));
    if (axis === "key") return life === "whole" ? keys : this.m0;
    return life === "whole" ? Math.ceil(keys / this.m0) : 1;
  }

  /** How many rows pass the keys together. */
  get rowsAtOnce(): number {
    return this.rows.length;
  }

  /** Computes rows of one head, at most `rowsAtOnce`, into `av` from its start. Gives the first fault, or null. */
  run({ start, end }: RowRange, av: Float32Array, options: RunOptions = {}): Fault | null {
    const { shape } = this.problem;
    const kvHead = kvHeadOfRow(shape, start);
    const keyCount = sequenceOf(this.problem, batchOf(shape, start)).keys;
    const rows = Array.from({ length: end - start }, (_, i) =>
      this.begin(start + i, this.rows[i] as RowMemory, options),
    );
    const seeing = rows.filter(({ keys }) => !isEmpty(keys));
    const hullOfRows = seeing.reduce((all, { keys }) => hull(all, keys), noKeys);
    this.fault = null;
    for (const [n, pass] of this.printed.entries()) {
      if ((this.program.passes[n]?.tile.length ?? 0) > 0) {
        for (const m1 of this.tilesOf(hullOfRows)) {
          options.stopped?.();
          this.tile(pass, n, m1, seeing, kvHead, keyCount);
        }
      }
      this.atTile = null;
      for (const { row, memory } of seeing) {
        this.atRow = row;
        pass.end(memory);
        this.options.onEnd?.(memory);
      }
    }
    for (const { row, keys, memory } of rows) {
      const at = (row - start) * shape.valueDim;
      if (options.states !== undefined) this.readStates(memory, options.states.subarray(2 * (row - start)));
      if (isEmpty(keys)) {
        av.fill(0, at, at + shape.valueDim);
        continue;
      }
      av.set(this.valuesOf(memory, this.program.output), at);
      const { saturated } = this.program;
      if (saturated !== undefined) this.saturated += this.valuesOf(memory, saturated)[0] as number;
    }
    return this.fault;
  }

  private readStates(memory: RowMemory, to: Float32Array): void {
    const { states } = this.program;
    if (states === undefined) throw new Error(`${this.program.name} has no running maximum`);
    to[0] = this.valuesOf(memory, states.maximum)[0] as number;
    to[1] = this.valuesOf(memory, states.denominator)[0] as number;
  }

  private valuesOf(memory: RowMemory, variable: Variable): Float32Array {
    return (memory.values[this.program.variables.indexOf(variable)] as FloatRow).values;
  }

  /** The tiles that hold some of the keys, in the order in which they are read. */
  private tilesOf({ from, to }: KeyRange): readonly number[] {
    const first = Math.floor(from / this.m0);
    const tiles = Array.from({ length: Math.max(0, Math.ceil(to / this.m0) - first) }, (_, i) => first + i);
    return this.program.descending ? tiles.reverse() : tiles;
  }

  private tile(pass: PrintedPass, n: number, m1: number, rows: readonly Row[], kvHead: number, keyCount: number): void {
    const base = m1 * this.m0;
    const count = Math.min(this.m0, keyCount - base);
    const walked = this.program.passes[n];
    const steps = walked?.tile ?? [];
    this.load(steps, { kvHead, first: base, count });
    const biased = this.bias !== null && steps.some(step => stepReads(step).has((this.bias as BiasReader).variable));
    for (const { row, keys, memory } of rows) {
      const { from, to } = this.mask.spanWithin(row, common(keys, { from: base, to: base + count }));
      if (from >= to) continue;
      const ends = [this.placeOf(from, base, count), this.placeOf(to - 1, base, count)];
      const places = { start: Math.min(...ends), end: Math.max(...ends) + 1 };
      if (!this.mask.isInterval) this.lookAt(row, from, to, base, count);
      if (biased) this.readBias(memory, row, from, to, places.start);
      this.atRow = row;
      this.atTile = m1;
      pass.tile(memory, { ...places, base, m1, seen: this.seen });
      if (walked !== undefined) this.options.onTile?.(walked, m1, memory, m => this.placeOf(m, base, count));
    }
  }

  /** The place of a key in its tile of `count` keys from `base` on. */
  private placeOf(m: number, base: number, count: number): number {
    return this.program.descending ? base + count - 1 - m : m - base;
  }

  private lookAt(row: number, from: number, to: number, base: number, count: number): void {
    for (let m = from; m < to; m += 1) {
      this.seen[this.placeOf(m, base, count)] = this.mask.sees(row, m) ? 1 : 0;
    }
  }

  private readBias(memory: RowMemory, row: number, from: number, to: number, start: number): void {
    const { bias } = this;
    if (bias === null) return;
    const values = (memory.values[bias.index] as FloatRow).values.subarray(start, start + to - from);
    bias.read(row, from, to, values);
    if (this.program.descending) values.reverse();
  }

  private begin(row: number, memory: RowMemory, { within, sunk = false }: RunOptions): Row {
    const { shape } = this.problem;
    const { scales } = this.operands;
    const sink = sinkOf(this.operands, shape, row);
    for (const [i, variable] of this.program.variables.entries()) {
      const values = memory.values[i]?.values;
      const { given, life, initial } = variable;
      const start = sunk ? (life === "row" ? initial : null) : startOf(this.program, variable, sink);
      if (start !== null) values?.fill(start);
      if (given === "queryScale") values?.fill(scales?.q?.[row] ?? 1);
      else if (given === "valueScale") values?.fill(scales?.v?.[kvHeadOfRow(shape, row)] ?? 1);
    }
    this.valuesOf(memory, this.program.query).set(
      this.operands.q.subarray(row * shape.headDim, (row + 1) * shape.headDim),
    );
    const seen = this.mask.span(row);
    return { row, keys: within === undefined ? seen : this.mask.spanWithin(row, within), memory };
  }

  private load(steps: readonly Step[], tile: KeyTile): void {
    const { products } = this;
    products.load(tile);
    this.tileCount = tile.count;
    const needs = (over: "E" | "key"): boolean => steps.some(step => step.kind === "product" && step.over === over);
    if (needs("E")) products.loadKeys();
    if (needs("key")) products.loadValues();
    const given = this.program.variables.findIndex(variable => variable.given === "keyScale");
    const scales = this.rows[0]?.values[given]?.values;
    for (let place = 0; scales !== undefined && place < tile.count; place += 1) {
      scales[place] = products.scaleOfKey(place);
    }
  }

  private blocks(): Blocks {
    return {
      keys: (lanes, to, at, span) => this.products.row(this.atRow, lanes, to, at, span),
      values: (lanes, to, at, span, scales) => this.products.column(lanes, to, at, span, scales),
      fault: (check, i) => {
        const place = this.checks[check] as CheckedPlace;
        const index = place.over === "key" && this.program.descending ? this.tileCount - 1 - i : i;
        const fault = { row: this.atRow, place, m1: this.atTile, index };
        if (this.fault === null || isBefore(fault, this.fault, this.program.descending)) this.fault = fault;
      },
    };
  }
}

const whatOrder = { difference: 0, exponent: 0, value: 1, zero: 2 } as const;

/** By row, then key tile in the order in which they are read, then the program's lines, then key or coordinate. */
function isBefore(a: Fault, b: Fault, descending: boolean): boolean {
  const sign = descending ? -1 : 1;
  const key = ({ row, m1, place, index }: Fault): number[] => [
    row,
    m1 === null ? Number.POSITIVE_INFINITY : sign * m1,
    place.order,
    whatOrder[place.what],
    place.over === "key" ? sign * index : index,
  ];
  const [x, y] = [key(a), key(b)];
  const at = x.findIndex((value, i) => value !== y[i]);
  return at !== -1 && (x[at] as number) < (y[at] as number);
}
