import { hull, isEmpty, type KeyRange, noKeys } from "../../attention/key-range.js";
import { type Mask, maskOf } from "../../attention/mask.js";
import type { AttentionProblem, Operands } from "../../attention/problem.js";
import type { RowRange } from "../../attention/rows.js";
import { DeviceError, howMany } from "../../errors.js";
import { biasOf, startOf, type TileProgram } from "../../program/program.js";
import type { Variable } from "../../program/variable.js";
import type { RowBlock } from "../engine.js";
import { biasReader, sinkOf } from "../given-scores.js";
import { isSplit, keyRuns } from "../kv-runs.js";
import { RunMerger } from "../merge-runs.js";
import { MergedRows } from "../merged-rows.js";
import { tileKeys } from "../program-of.js";
import { countTiles } from "../webgpu/blocks.js";
import { lanes } from "./kernels.js";
import { type CompileWasm, isFused, type PrintedPass, printedPasses } from "./printed-passes.js";
import { chainScaleOf } from "./product-sums.js";
import { nextRows, type Rows } from "./rows.js";
import { type Packers, panelRows, TileOperands } from "./tile-operands.js";
import { TileScores } from "./tile-scores.js";

/** What of the kernels written by hand (assembly/attention.ts) a printed program works with. Addresses are in bytes. */
interface Blocks extends Packers {
  heapBase(): number;
  multiplyAdd(a: number, b: number, c: number): number;
  lookAtTile(state: number, firstKey: number, count: number): number;
  rowsToLanes(rows: number, count: number, width: number, to: number, factor: number): void;
  lanesToRows(from: number, count: number, width: number, rows: number): void;
}

const stateFields = [
  "seenFrom",
  "seenTo",
  "keyStarts",
  "keyEnds",
  "bad",
  "viewBegin",
  "viewEnd",
  "viewPartial",
] as const;
type StateField = (typeof stateFields)[number];
/** Bytes of a lane group's state (assembly/memory.ts). */
const stateBytes = 352;
const laneBytes = 4 * lanes;
const mostLaneGroups = 128;
/** Addresses stay below half of what 32 bits can tell. */
const mostBytes = 2 ** 31;

/** Where outputs of rows go: AV [rows, F], and RM and RD [rows, 2] where they are wanted. */
interface RowOutputs {
  readonly av: Float32Array;
  readonly states: Float32Array | undefined;
}

interface RowsDone {
  /** The first row in which a check failed. */
  readonly bad: number | null;
  readonly saturated: number;
}

const firstOf = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.min(a, b);

/** One problem whose tile program is printed as WebAssembly: computes blocks of rows, key tile by key tile. */
export class ProgramRunner {
  private readonly mask: Mask;
  private readonly blocks: Blocks;
  private readonly fields: Readonly<Record<StateField, number>>;
  private readonly passes: readonly PrintedPass[];
  private readonly m0: number;
  private readonly places = new Map<Variable, number>();
  private readonly laneGroups: number;
  private readonly laneGroupBytes: number;
  private readonly firstLaneGroup: number;
  private readonly tiles: TileOperands;
  /** Scales of the blocks of queries, from a lane group's beginning. */
  private readonly queryScales: number;
  private readonly chainScale: number;
  private readonly merger: RunMerger | null;
  private readonly scores: TileScores;
  private readonly floats: Float32Array;
  private readonly integers: Int32Array;

  /** @throws DeviceError when the memory cannot be had. */
  constructor(
    module: WebAssembly.Module,
    private readonly problem: AttentionProblem,
    private readonly operands: Operands,
    private readonly program: TileProgram,
    budget: number,
    compile: CompileWasm = bytes => new WebAssembly.Module(bytes),
  ) {
    const { exports } = new WebAssembly.Instance(module, {});
    this.blocks = exports as unknown as Blocks;
    const globals = exports as Readonly<Record<string, WebAssembly.Global>>;
    this.fields = Object.fromEntries(stateFields.map(name => [name, globals[name]?.value ?? 0])) as Record<
      StateField,
      number
    >;
    const { shape } = problem;
    this.mask = maskOf(problem);
    this.m0 = tileKeys(problem, program);
    this.chainScale = chainScaleOf(program, this.blocks);
    this.merger = isSplit(problem) ? new RunMerger(problem.arithmetic, problem.scale) : null;
    let next = this.blocks.heapBase();
    const place = (bytes: number): number => {
      const at = Math.ceil(next / 64) * 64;
      next = at + bytes;
      return at;
    };
    const features = Math.ceil(shape.valueDim / panelRows) * panelRows;
    const seenLanes = place(this.mask.isInterval ? 0 : laneBytes * this.m0);
    const seenAt = this.mask.isInterval ? 0 : seenLanes;
    this.tiles = new TileOperands(problem, operands, program, this.m0, place, this.blocks, seenAt);
    let laneGroupBytes = stateBytes;
    this.queryScales = laneGroupBytes;
    laneGroupBytes += laneBytes * this.tiles.blocksOfE;
    const tiles = Math.ceil(shape.keys / this.m0);
    const lengthOf = ({ axis, life }: Variable): number => {
      if (axis === "E") return shape.headDim;
      if (axis === "F") return features;
      if (axis === "block") return Math.ceil(this.m0 / (program.blockKeys ?? 1));
      if (axis === "key") return (life === "whole" ? tiles * this.m0 : this.m0) + panelRows;
      return life === "whole" ? tiles : 1;
    };
    for (const variable of program.variables) {
      const bytes = laneBytes * lengthOf(variable);
      if (variable.life === "local") continue;
      if (variable.life === "tile") this.places.set(variable, place(bytes));
      else {
        this.places.set(variable, laneGroupBytes);
        laneGroupBytes += bytes;
      }
    }
    this.laneGroupBytes = laneGroupBytes;
    this.laneGroups = Math.max(1, Math.min(mostLaneGroups, Math.floor(budget / laneGroupBytes)));
    this.firstLaneGroup = place(this.laneGroups * laneGroupBytes);
    this.grow(next);
    this.floats = new Float32Array(this.blocks.memory.buffer);
    this.integers = new Int32Array(this.blocks.memory.buffer);
    const written = {
      ...{ memory: this.blocks.memory, fields: this.fields, seenLanes },
      biasAt: this.places.get(biasOf(program) ?? program.query) ?? 0,
    };
    this.scores = new TileScores(this.mask, biasReader(operands, shape, program), written, program.descending);
    this.passes = this.print(compile, this.mask.isInterval ? null : seenLanes);
  }

  private grow(bytes: number): void {
    const { memory } = this.blocks;
    const missing = Math.ceil(bytes / 65536) - memory.buffer.byteLength / 65536;
    try {
      if (bytes <= mostBytes) {
        if (missing > 0) memory.grow(missing);
        return;
      }
    } catch {
      // said below
    }
    const { keys, headDim, valueDim } = this.problem.shape;
    throw new DeviceError({
      where: "engine wasm",
      got: `too little memory for ${this.program.name} on ${howMany(keys, "key")} in tiles of ${this.m0}, with E ${headDim} and F ${valueDim}`,
      expected: "at most 2 GiB a thread, and as much free",
      fix: "choose an --array with fewer rows, or --engine cpu",
    });
  }

  private print(compile: CompileWasm, seenLanes: number | null): readonly PrintedPass[] {
    const { blocks, program, problem, places } = this;
    const { keyPanels, valuePanels, keyScales, valueScales } = this.tiles.places;
    const layout = {
      placeOf: (variable: Variable) => places.get(variable) ?? 0,
      state: this.fields,
      keyPanels,
      valuePanels,
      scales: { queries: this.queryScales, keys: keyScales, values: valueScales },
      e: problem.shape.headDim,
      f: problem.shape.valueDim,
      chainScale: this.chainScale,
      fused: isFused(blocks),
      seenLanes,
    };
    return printedPasses(program, layout, [...places.values()], blocks, compile);
  }

  /**
   * Computes the rows of `range`. `stopped` is asked between key tiles.
   * @returns null when stopped.
   */
  run(range: RowRange, stopped: () => boolean): RowBlock | null {
    const { valueDim } = this.problem.shape;
    const av = new Float32Array((range.end - range.start) * valueDim);
    const states = this.problem.states === true ? new Float32Array(2 * (range.end - range.start)) : undefined;
    let overflowRow: number | null = null;
    let saturated = 0;
    for (let start = range.start; start < range.end; ) {
      const rows = nextRows(this.problem, start, range.end, this.laneGroups);
      const to = {
        av: av.subarray((start - range.start) * valueDim),
        states: states?.subarray(2 * (start - range.start)),
      };
      const done =
        this.merger === null ? this.runRows(rows, to, stopped) : this.runSplit(rows, to, this.merger, stopped);
      if (done === null) return null;
      overflowRow ??= done.bad;
      saturated += done.saturated;
      start += rows.count;
    }
    const tiles = countTiles(this.problem, range);
    return { range, av, overflowRow, saturated, tiles, ...(states === undefined ? {} : { states }) };
  }

  /** Takes rows through all keys, or those of a run. */
  private runRows(rows: Rows, to: RowOutputs, stopped: () => boolean, run: KeyRange | null = null): RowsDone | null {
    if (!this.passKeys(rows, this.load(rows, run), stopped, run)) return null;
    const bad = this.finish(rows, to.av);
    if (to.states !== undefined) this.readStates(rows, to.states);
    return { bad, saturated: this.saturatedIn(rows) };
  }

  /** Takes rows through each run of the keys, and merges. */
  private runSplit(rows: Rows, to: RowOutputs, merger: RunMerger, stopped: () => boolean): RowsDone | null {
    const { problem, operands, mask } = this;
    const { valueDim } = problem.shape;
    const merged = new MergedRows(problem, operands, mask, merger, rows);
    let [bad, saturated]: [number | null, number] = [null, 0];
    for (const run of keyRuns(problem, rows.keys)) {
      const own = { av: new Float32Array(rows.count * valueDim), states: new Float32Array(2 * rows.count) };
      const done = this.runRows(rows, own, stopped, run);
      if (done === null) return null;
      bad = firstOf(bad, done.bad);
      saturated += done.saturated;
      merged.add(() => run, own);
    }
    return { bad: firstOf(bad, merged.finish(to)), saturated };
  }

  private saturatedIn({ count }: Rows): number {
    const { saturated } = this.program;
    if (saturated === undefined) return 0;
    const place = this.places.get(saturated) ?? 0;
    let sum = 0;
    for (let row = 0; row < count; row += 1) {
      sum += this.floats[(this.addressOf(Math.floor(row / lanes)) + place) / 4 + (row % lanes)] as number;
    }
    return sum;
  }

  private addressOf(laneGroup: number): number {
    return this.firstLaneGroup + laneGroup * this.laneGroupBytes;
  }

  /** Loads the queries, sets what is built up over the tiles, and gives the keys that any of the rows sees. */
  private load({ start, count, laneGroups }: Rows, run: KeyRange | null): KeyRange {
    const sunk = run !== null && run.from > 0;
    const { stage } = this.tiles.places;
    const { blocks, floats, integers, fields, program } = this;
    const { headDim, valueDim } = this.problem.shape;
    const lengths = { row: 1, key: 0, block: 0, E: headDim, F: valueDim };
    let all = noKeys;
    for (let laneGroup = 0; laneGroup < laneGroups; laneGroup += 1) {
      const at = this.addressOf(laneGroup);
      const first = start + laneGroup * lanes;
      const there = Math.min(lanes, start + count - first);
      floats.set(this.operands.q.subarray(first * headDim, (first + there) * headDim), stage / 4);
      const query = at + (this.places.get(program.query) ?? 0);
      blocks.rowsToLanes(stage, there, headDim, query, this.scaleOf(program.query));
      this.tiles.loadQueryScales(first, there, at + this.queryScales);
      floats.fill(0, (at + fields.bad) / 4, (at + fields.bad) / 4 + lanes);
      for (const variable of program.variables) {
        const from = (at + (this.places.get(variable) ?? 0)) / 4;
        if (variable.given === undefined && program.starts?.has(variable) !== true) {
          if (variable.life !== "row" || variable.initial === null) continue;
          floats.fill(variable.initial, from, from + lengths[variable.axis] * lanes);
          continue;
        }
        for (let lane = 0; lane < there; lane += 1) {
          const sink = sinkOf(this.operands, this.problem.shape, first + lane);
          const initial = variable.life === "row" ? variable.initial : null;
          const start = this.tiles.given(variable, first + lane) ?? (sunk ? initial : startOf(program, variable, sink));
          if (start === null) break;
          // A sum of products starts at zero, whatever its scale.
          if (variable.axis === "row") floats[from + lane] = start;
          else if (lane === 0) floats.fill(start, from, from + lengths[variable.axis] * lanes);
        }
      }
      for (let lane = 0; lane < lanes; lane += 1) {
        const seen = lane < there ? this.seenBy(first + lane, run) : noKeys;
        integers[(at + fields.seenFrom) / 4 + lane] = seen.from;
        integers[(at + fields.seenTo) / 4 + lane] = seen.to;
        all = hull(all, seen);
      }
    }
    return all;
  }

  /** The keys that a row sees, of a run. */
  private seenBy(row: number, run: KeyRange | null): KeyRange {
    return run === null ? this.mask.span(row) : this.mask.spanWithin(row, run);
  }

  /** What a variable is stored times: the scale of the chains where it enters or leaves products, else 1. */
  private scaleOf(variable: Variable): number {
    const inProduct = this.program.passes.some(({ tile }) =>
      tile.some(step => step.kind === "product" && (step.lanes === variable || step.to === variable)),
    );
    return inProduct ? this.chainScale : 1;
  }

  private passKeys(rows: Rows, keys: KeyRange, stopped: () => boolean, run: KeyRange | null): boolean {
    const { m0, blocks, scores, tiles, places, program } = this;
    const { isInterval } = this.mask;
    const first = Math.floor(keys.from / m0);
    const walked = Array.from({ length: Math.max(0, Math.ceil(keys.to / m0) - first) }, (_, i) => first + i);
    if (program.descending) walked.reverse();
    for (const { pass, tile, end } of this.passes) {
      const biased = scores.isReadBy(pass);
      if (pass.tile.length > 0) {
        for (const m1 of walked) {
          if (stopped()) return false;
          const firstKey = m1 * m0;
          const count = Math.min(m0, rows.keys - firstKey);
          tiles.pack(pass, { kvHead: rows.kvHead, firstKey, count }, variable => places.get(variable) ?? 0);
          for (let laneGroup = 0; laneGroup < rows.laneGroups; laneGroup += 1) {
            const at = this.addressOf(laneGroup);
            const first = rows.start + laneGroup * lanes;
            const lanesOfTile = { first, there: Math.min(lanes, rows.start + rows.count - first), firstKey, count };
            if (!isInterval) scores.narrow(at, lanesOfTile);
            if (blocks.lookAtTile(at, firstKey, count) === 0) continue;
            if (program.descending) scores.mirror(at, count);
            if (biased || !isInterval) scores.fill(at, lanesOfTile, biased);
            tile(at, firstKey, m1, count);
          }
        }
        for (let laneGroup = 0; laneGroup < rows.laneGroups; laneGroup += 1) {
          const first = rows.start + laneGroup * lanes;
          const there = Math.min(lanes, rows.start + rows.count - first);
          scores.widen(this.addressOf(laneGroup), first, there, row => this.seenBy(row, run));
        }
      }
      for (let laneGroup = 0; laneGroup < rows.laneGroups; laneGroup += 1) end(this.addressOf(laneGroup));
    }
    return true;
  }

  /** Brings RM and RD of the rows to `to`, [rows, 2]. */
  private readStates({ count }: Rows, to: Float32Array): void {
    const { states } = this.program;
    if (states === undefined) throw new Error(`${this.program.name} has no running maximum`);
    for (const [i, variable] of [states.maximum, states.denominator].entries()) {
      const place = this.places.get(variable) ?? 0;
      for (let row = 0; row < count; row += 1) {
        const at = this.addressOf(Math.floor(row / lanes)) + place;
        to[2 * row + i] = this.floats[at / 4 + (row % lanes)] as number;
      }
    }
  }

  /** Brings the rows to `av`; gives the first row in which a check failed, or null. */
  private finish({ start, count, laneGroups }: Rows, av: Float32Array): number | null {
    const { floats, integers, fields } = this;
    const { stage } = this.tiles.places;
    const { valueDim } = this.problem.shape;
    const unscale = 1 / this.scaleOf(this.program.output);
    let overflowRow: number | null = null;
    for (let laneGroup = 0; laneGroup < laneGroups; laneGroup += 1) {
      const at = this.addressOf(laneGroup);
      const there = Math.min(lanes, count - laneGroup * lanes);
      this.blocks.lanesToRows(at + (this.places.get(this.program.output) ?? 0), there, valueDim, stage);
      for (let lane = 0; lane < there; lane += 1) {
        const row = laneGroup * lanes + lane;
        const to = av.subarray(row * valueDim, (row + 1) * valueDim);
        to.set(floats.subarray(stage / 4 + lane * valueDim, stage / 4 + (lane + 1) * valueDim));
        if (isEmpty(this.mask.span(start + row))) to.fill(0);
        else if (unscale !== 1) for (let f = 0; f < valueDim; f += 1) to[f] = (to[f] as number) * unscale;
        if (integers[(at + fields.bad) / 4 + lane] !== 0) overflowRow ??= start + row;
      }
    }
    return overflowRow;
  }
}
