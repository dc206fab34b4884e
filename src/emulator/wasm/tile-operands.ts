import type { AttentionProblem, Operands } from "../../attention/problem.js";
import { keyRowAt, kvHeadOfRow } from "../../attention/rows.js";
import type { Pass, TileProgram } from "../../program/program.js";
import type { Variable } from "../../program/variable.js";
import { lanes } from "./kernels.js";
import { overNumber, type SumKernels } from "./product-sums.js";

/** What packs rows of K and V. */
export interface Packers extends SumKernels {
  readonly memory: WebAssembly.Memory;
  rowsToPanels(rows: number, count: number, width: number, panels: number): void;
  columnsToPanels(rows: number, count: number, width: number, panels: number): void;
}

/** Keys of a tile, of a key/value head. */
export interface KeysOfTile {
  readonly kvHead: number;
  readonly firstKey: number;
  readonly count: number;
}

/** Rows of a panel, up to which products write past the end. */
export const panelRows = 4;
const laneBytes = 4 * lanes;

const padded = (count: number): number => Math.ceil(count / panelRows) * panelRows;

/** Where K, V and their scales are once they are packed, in bytes; those of queries from a lane group's beginning. */
export interface OperandPlaces {
  readonly stage: number;
  readonly keyPanels: number;
  readonly valuePanels: number;
  readonly keyScales: number;
  readonly valueScales: number;
}

/** Brings K and V of a tile, and what they are times, to where a printed program reads them. */
export class TileOperands {
  readonly places: OperandPlaces;
  /** Blocks with scales along E; 0 without. */
  readonly blocksOfE: number;
  private readonly valueWidth: number | null;
  private readonly keyScale: Variable | undefined;

  constructor(
    private readonly problem: AttentionProblem,
    private readonly operands: Operands,
    private readonly program: TileProgram,
    m0: number,
    place: (bytes: number) => number,
    private readonly kernels: Packers,
    seenLanes: number,
  ) {
    const { headDim, valueDim } = problem.shape;
    const { E, key } = program.products;
    const features = padded(valueDim);
    const [keyValues, values] = [this.needs("E") ? padded(m0) * headDim : 0, this.needs("key") ? m0 * features : 0];
    this.blocksOfE = E.sum.kind === "chain" || E.sum.width === null ? 0 : Math.ceil(headDim / E.sum.width);
    this.valueWidth = key.sum.kind === "chain" ? null : key.sum.width;
    this.keyScale = program.variables.find(({ given }) => given === "keyScale");
    const blocksOfKeys = this.valueWidth === null ? 0 : Math.ceil(m0 / this.valueWidth) + 1;
    this.places = {
      stage: place(4 * Math.max(lanes, m0) * Math.max(headDim, features)),
      keyPanels: place(4 * keyValues),
      valuePanels: place(4 * values),
      keyScales: place(4 * padded(m0) * this.blocksOfE),
      valueScales: place(4 * blocksOfKeys * features),
    };
    for (const over of ["E", "key"] as const) {
      if (program.products[over].sum.kind !== "steps") continue;
      const [panels, count] = over === "E" ? [this.places.keyPanels, keyValues] : [this.places.valuePanels, values];
      kernels.placeSteps(overNumber[over], panels, place(8 * count), place(4 * count));
    }
    if ([E, key].some(({ sum }) => sum.kind === "steps")) {
      const most = Math.max(headDim, m0);
      kernels.placeLanes(place(2 * laneBytes * most), place(laneBytes * most), seenLanes);
    }
  }

  private needs(over: "E" | "key", passes: readonly Pass[] = this.program.passes): boolean {
    return passes.some(({ tile }) => tile.some(step => step.kind === "product" && step.over === over));
  }

  /** Packs what a pass needs of K and V; `placeOf`: where a variable is. */
  pack(pass: Pass, tile: KeysOfTile, placeOf: (variable: Variable) => number): void {
    const { headDim, valueDim } = this.problem.shape;
    const { kernels, places, program } = this;
    if (this.needs("E", [pass])) {
      this.stage(this.operands.k, headDim, tile);
      kernels.rowsToPanels(places.stage, tile.count, headDim, places.keyPanels);
      if (program.products.E.sum.kind === "steps") kernels.widenPanels(overNumber.E, padded(tile.count) * headDim);
      if (this.blocksOfE > 0) this.packKeyScales(tile);
    }
    if (this.needs("key", [pass])) {
      this.stage(this.operands.v, valueDim, tile);
      kernels.columnsToPanels(places.stage, tile.count, valueDim, places.valuePanels);
      if (program.products.key.sum.kind === "steps") {
        kernels.widenPanels(overNumber.key, tile.count * padded(valueDim));
      }
      if (this.valueWidth !== null) this.packValueScales(tile, this.valueWidth);
    }
    if (this.keyScale !== undefined) this.fillKeyScale(tile, placeOf(this.keyScale));
  }

  /** The row of K or V whose key is at a place of the tile. */
  private rowAt({ kvHead, firstKey, count }: KeysOfTile, place: number): number {
    return keyRowAt(this.problem.shape, kvHead, firstKey + (this.program.descending ? count - 1 - place : place));
  }

  private stage(tensor: Float32Array, width: number, tile: KeysOfTile): void {
    const { floats } = this;
    const at = this.places.stage / 4;
    if (!this.program.descending) {
      const from = this.rowAt(tile, 0) * width;
      floats.set(tensor.subarray(from, from + tile.count * width), at);
      return;
    }
    for (let place = 0; place < tile.count; place += 1) {
      const from = this.rowAt(tile, place) * width;
      floats.set(tensor.subarray(from, from + width), at + place * width);
    }
  }

  private get floats(): Float32Array {
    this.view ??= new Float32Array(this.kernels.memory.buffer);
    return this.view;
  }
  private view: Float32Array | null = null;

  private packKeyScales(tile: KeysOfTile): void {
    const { floats, blocksOfE } = this;
    const at = this.places.keyScales / 4;
    for (let place = 0; place < padded(tile.count); place += 1) {
      const row = this.rowAt(tile, Math.min(place, tile.count - 1)) * blocksOfE;
      const panel = at + Math.floor(place / panelRows) * blocksOfE * panelRows + (place % panelRows);
      for (let block = 0; block < blocksOfE; block += 1) {
        floats[panel + block * panelRows] = this.operands.scales?.k?.[row + block] ?? 1;
      }
    }
  }

  private packValueScales({ kvHead, firstKey, count }: KeysOfTile, width: number): void {
    const { floats } = this;
    const { keys, valueDim } = this.problem.shape;
    const features = padded(valueDim);
    const first = Math.floor(firstKey / width);
    const blocks = Math.floor((firstKey + count - 1) / width) - first + 1;
    const from = (kvHead * Math.ceil(keys / width) + first) * valueDim;
    for (let block = 0; block < blocks; block += 1) {
      const at = this.places.valueScales / 4 + block * features;
      const scales = this.operands.scales?.v?.subarray(from + block * valueDim, from + (block + 1) * valueDim);
      if (scales !== undefined) floats.set(scales, at);
    }
  }

  private fillKeyScale(tile: KeysOfTile, at: number): void {
    const { floats } = this;
    for (let place = 0; place < tile.count; place += 1) {
      const scale = this.operands.scales?.k?.[this.rowAt(tile, place)] ?? 1;
      floats.fill(scale, at / 4 + place * lanes, at / 4 + (place + 1) * lanes);
    }
  }

  /** The scales of a row's query and of its head's values: what a variable of a row is given; null for any other. */
  given({ given }: Variable, row: number): number | null {
    const { scales } = this.operands;
    if (given === "queryScale") return scales?.q?.[row] ?? 1;
    const { shape } = this.problem;
    return given === "valueScale" ? (scales?.v?.[kvHeadOfRow(shape, row)] ?? 1) : null;
  }

  /** Brings the scales of eight rows' blocks, from `first` on, to [blocks][8] at an address. */
  loadQueryScales(first: number, there: number, at: number): void {
    const { floats, blocksOfE } = this;
    for (let lane = 0; lane < there; lane += 1) {
      for (let block = 0; block < blocksOfE; block += 1) {
        const scale = this.operands.scales?.q?.[(first + lane) * blocksOfE + block] ?? 1;
        floats[at / 4 + block * lanes + lane] = scale;
      }
    }
  }
}
