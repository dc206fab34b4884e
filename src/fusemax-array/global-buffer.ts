import { kvHeadOf } from "../attention/heads.js";
import type { AttentionProblem, Operands } from "../attention/problem.js";
import { keyRowAt, rowsOfHead } from "../attention/rows.js";
import type { ArrivalSchedule } from "../spec/schedule/machine.js";
import type { TileOperands } from "./instruction.js";
import { conflict } from "./links.js";

/** The running tensors that wait in the global buffer between key tiles. */
export type RunningTensor = "RM" | "RD" | "RNV";

interface Stored {
  readonly value: number;
  readonly keyTile: number;
  readonly cycle: number;
}

interface QueryPlace {
  readonly head: number;
  readonly queryTile: number;
  readonly column: number;
}

/** The global buffer: operands once they have arrived, and the running tensors. Its ports are counted by the array. */
export class GlobalBuffer {
  private readonly running = new Map<string, Stored>();

  constructor(
    private readonly problem: AttentionProblem,
    private readonly operands: Operands,
    private readonly arrivals: ArrivalSchedule | null,
  ) {}

  /** The cycle from which a tile can be read. */
  arrivalOf(tensor: "Q" | "BK" | "BV", tile: TileOperands): number {
    if (this.arrivals === null) return 0;
    return this.arrivals[tensor]?.[tensor === "Q" ? tile.queryArrival : tile.keyArrival] ?? Number.POSITIVE_INFINITY;
  }

  q(tile: TileOperands, c: number, e: number): number {
    const { shape, tile: size } = this.problem;
    const row = rowsOfHead(shape, tile.head).start + tile.queryTile * size.p0 + c;
    return this.operands.q[row * shape.headDim + e] as number;
  }

  bk(tile: TileOperands, r: number, e: number): number {
    return this.operands.k[this.keyRow(tile, r) * this.problem.shape.headDim + e] as number;
  }

  bv(tile: TileOperands, r: number, f: number): number {
    return this.operands.v[this.keyRow(tile, r) * this.problem.shape.valueDim + f] as number;
  }

  private keyRow(tile: TileOperands, r: number): number {
    const { shape, tile: size } = this.problem;
    return keyRowAt(shape, kvHeadOf(shape, tile.head), tile.keyTile * size.m0 + r);
  }

  write(tensor: RunningTensor, at: QueryPlace, index: number, keyTile: number, value: number, cycle: number): void {
    this.running.set(keyOf(tensor, at, index), { value, keyTile, cycle });
  }

  /** A running value as key tile `keyTile` left it, written in an earlier cycle. */
  read(tensor: RunningTensor, at: QueryPlace, index: number, keyTile: number, cycle: number): number {
    const found = this.running.get(keyOf(tensor, at, index));
    if (found !== undefined && found.keyTile === keyTile && found.cycle < cycle) return found.value;
    throw conflict(
      cycle,
      `1D PE ${at.column}, row ${tensor}[query tile ${at.queryTile}, ${index}] of the global buffer`,
      {
        got: found === undefined ? "no value" : `what key tile ${found.keyTile} left in cycle ${found.cycle}`,
        expected: `what key tile ${keyTile} leaves, written before`,
        fix: `make ${tensor} earlier or use it later`,
      },
    );
  }
}

const keyOf = (tensor: RunningTensor, { head, queryTile, column }: QueryPlace, index: number): string =>
  `${tensor} ${head} ${queryTile} ${column} ${index}`;
