import { kvHeadOf } from "../../attention/heads.js";
import { hull, isEmpty, type KeyRange, noKeys } from "../../attention/key-range.js";
import { type Mask, maskOf, sequenceOf } from "../../attention/mask.js";
import type { AttentionProblem, Operands } from "../../attention/problem.js";
import { batchOf, headOf, type RowRange } from "../../attention/rows.js";
import { requireFormat } from "../../numerics/format-of.js";
import { type Lanes, type MacChains, macChains, makeLanes } from "../../numerics/lanes.js";
import { closuresOf } from "../../program/closures.js";
import {
  type Blocks,
  type PrintedFor,
  type PrintedPass,
  printJavaScript,
  type RowMemory,
} from "../../program/javascript.js";
import { type CheckedPlace, type Pass, startOf, type TileProgram } from "../../program/program.js";
import { stepReads } from "../../program/steps.js";
import type { Variable } from "../../program/variable.js";
import { type BiasReader, biasReader, sinkOf } from "../given-scores.js";
import { tileKeys } from "../program-of.js";

/** A check that failed: where a value left its range. */
export interface Fault {
  readonly row: number;
  readonly place: CheckedPlace;
  readonly m1: number;
  /** The key of the tile, or the coordinate; 0 for a value of the row. */
  readonly index: number;
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
  /** Told of a row's values after each tile of a pass, and after each pass. */
  readonly onTile?: (pass: Pass, m1: number, memory: RowMemory) => void;
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
  private readonly mac: MacChains;
  private readonly m0: number;
  /** The tile of K that stands ready, transposed to [E, m0], and where the tile of V begins. */
  private readonly kT: Float32Array;
  private vOffset = 0;
  /** Which keys of the tile the row at hand sees, where that is not all of its span. */
  private readonly seen: Uint8Array;
  private readonly bias: BiasReader | null;
  private readonly mask: Mask;
  private atTile = 0;
  private atRow = 0;
  private fault: Fault | null = null;
  private readonly rows: readonly RowMemory[];

  constructor(
    private readonly problem: AttentionProblem,
    private readonly operands: Operands,
    program: TileProgram,
    private readonly options: RowRunnerOptions = {},
  ) {
    const { form = "printed", mostRows = mostRowsAtOnce } = options;
    const { shape, arithmetic } = problem;
    this.program = program;
    this.mask = maskOf(problem);
    this.m0 = tileKeys(problem, program);
    const sizes = { e: shape.headDim, f: shape.valueDim };
    const compile = form === "printed" ? printed : closures;
    const { passes, checks } = compile(program, this.blocks(), sizes, { bits: !this.mask.isInterval });
    this.printed = passes;
    this.checks = checks;
    this.mac = macChains(requireFormat(arithmetic, "engine cpu"));
    this.kT = new Float32Array(this.m0 * shape.headDim);
    this.seen = new Uint8Array(this.mask.isInterval ? 0 : this.m0);
    this.bias = biasReader(operands, shape, program);
    const own = (variable: Variable): boolean => variable.life === "row" || variable.life === "whole";
    const lengths = program.variables.map(variable => this.lengthOf(variable));
    const perRow = program.variables.reduce((sum, v, i) => sum + (own(v) ? 4 * (lengths[i] as number) : 0), 0);
    const shared = lengths.map(length => makeLanes(length));
    const count = Math.max(1, Math.min(mostRows, Math.floor(memoryBudget / perRow)));
    this.rows = Array.from({ length: count }, () => ({
      values: program.variables.map((v, i) => (own(v) ? makeLanes(lengths[i] as number) : (shared[i] as Lanes))),
    }));
  }

  private lengthOf({ axis, life }: Variable): number {
    const { keys, headDim, valueDim } = this.problem.shape;
    if (life === "local") return 0;
    if (axis === "E") return headDim;
    if (axis === "F") return valueDim;
    if (axis === "key") return life === "whole" ? keys : this.m0;
    return life === "whole" ? Math.ceil(keys / this.m0) : 1;
  }

  /** How many rows pass the keys together. */
  get rowsAtOnce(): number {
    return this.rows.length;
  }

  /**
   * Computes rows of one head, at most `rowsAtOnce`, into `av` from its start, and RM and RD of each, [rows, 2], into
   * `states` where they are wanted. Gives the first fault, or null.
   */
  run({ start, end }: RowRange, av: Float32Array, stopped: () => void = () => {}, states?: Float32Array): Fault | null {
    const { shape } = this.problem;
    const kvHead = kvHeadOf(shape, headOf(shape, start));
    const keyCount = sequenceOf(this.problem, batchOf(shape, start)).keys;
    const rows = Array.from({ length: end - start }, (_, i) => this.begin(start + i, this.rows[i] as RowMemory));
    const seeing = rows.filter(({ keys }) => !isEmpty(keys));
    const { from, to } = seeing.reduce((all, { keys }) => hull(all, keys), noKeys);
    this.fault = null;
    for (const [n, pass] of this.printed.entries()) {
      if ((this.program.passes[n]?.tile.length ?? 0) > 0) {
        for (let m1 = Math.floor(from / this.m0); m1 * this.m0 < to; m1 += 1) {
          stopped();
          this.tile(pass, n, m1, seeing, kvHead, keyCount);
        }
      }
      for (const { row, memory } of seeing) {
        this.atRow = row;
        this.atTile = 0;
        pass.end(memory);
        this.options.onEnd?.(memory);
      }
    }
    const output = this.program.variables.indexOf(this.program.output);
    for (const { row, keys, memory } of rows) {
      const values = memory.values[output]?.values;
      const at = (row - start) * shape.valueDim;
      if (!isEmpty(keys) && values !== undefined) av.set(values, at);
      else av.fill(0, at, at + shape.valueDim);
      if (states !== undefined) this.readStates(memory, states.subarray(2 * (row - start)));
    }
    return this.fault;
  }

  private tile(pass: PrintedPass, n: number, m1: number, rows: readonly Row[], kvHead: number, keyCount: number): void {
    const base = m1 * this.m0;
    const count = Math.min(this.m0, keyCount - base);
    const { keys, valueDim } = this.problem.shape;
    const walked = this.program.passes[n];
    const steps = walked?.tile ?? [];
    if (steps.some(step => step.kind === "product" && step.over === "E")) this.loadKeys(kvHead * keys + base, count);
    this.vOffset = (kvHead * keys + base) * valueDim;
    const { bias, seen } = this;
    const biased = bias !== null && steps.some(step => stepReads(step).has(bias.variable));
    for (const { row, memory } of rows) {
      const { from, to } = this.mask.spanWithin(row, { from: base, to: base + count });
      if (from >= to) continue;
      const span = { start: from - base, end: to - base, base, m1, seen };
      if (!this.mask.isInterval) for (let m = from; m < to; m += 1) seen[m - base] = this.mask.sees(row, m) ? 1 : 0;
      if (biased) bias.read(row, from, to, (memory.values[bias.index] as Lanes).values.subarray(from - base));
      this.atRow = row;
      this.atTile = m1;
      pass.tile(memory, span);
      if (walked !== undefined) this.options.onTile?.(walked, m1, memory);
    }
  }

  private begin(row: number, memory: RowMemory): Row {
    const { shape } = this.problem;
    const sink = sinkOf(this.operands, shape, row);
    for (const [i, variable] of this.program.variables.entries()) {
      const start = startOf(this.program, variable, sink);
      if (start !== null) memory.values[i]?.values.fill(start);
    }
    const query = memory.values[this.program.variables.indexOf(this.program.query)];
    query?.values.set(this.operands.q.subarray(row * shape.headDim, (row + 1) * shape.headDim));
    return { row, keys: this.mask.span(row), memory };
  }

  private readStates(memory: RowMemory, to: Float32Array): void {
    const { states, variables } = this.program;
    if (states === undefined) throw new Error(`${this.program.name} has no running maximum`);
    const of = (variable: Variable): number => memory.values[variables.indexOf(variable)]?.values[0] ?? Number.NaN;
    to[0] = of(states.maximum);
    to[1] = of(states.denominator);
  }

  private loadKeys(firstKey: number, count: number): void {
    const { headDim } = this.problem.shape;
    const { kT, m0 } = this;
    const { k } = this.operands;
    for (let m = 0; m < count; m += 1) {
      const offset = (firstKey + m) * headDim;
      for (let e = 0; e < headDim; e += 1) kT[e * m0 + m] = k[offset + e] as number;
    }
  }

  private blocks(): Blocks {
    const { headDim, valueDim } = this.problem.shape;
    return {
      keys: (lanes, to, at, { start, end }) => {
        to.values.fill(0, at + start, at + end);
        const broadcast = { values: lanes.values, first: 0, count: headDim };
        this.mac(to, broadcast, { values: this.kT, offset: 0 - at, stride: this.m0 }, at + start, at + end);
      },
      values: (lanes, to, at, { start, end }) => {
        const broadcast = { values: lanes.values, first: at + start, count: end - start };
        const x = { values: this.operands.v, offset: this.vOffset + start * valueDim, stride: valueDim };
        this.mac(to, broadcast, x, 0, valueDim);
      },
      fault: (check, index) => {
        const place = this.checks[check] as CheckedPlace;
        const fault = { row: this.atRow, place, m1: this.atTile, index };
        if (this.fault === null || isBefore(fault, this.fault)) this.fault = fault;
      },
    };
  }
}

/** By row, then key tile, then the program's lines, then key or coordinate. */
function isBefore(a: Fault, b: Fault): boolean {
  const key = ({ row, m1, place, index }: Fault): number[] => [row, m1, place.order, place.difference ? 0 : 1, index];
  const [x, y] = [key(a), key(b)];
  const at = x.findIndex((value, i) => value !== y[i]);
  return at !== -1 && (x[at] as number) < (y[at] as number);
}
