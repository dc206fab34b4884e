import type { AttentionProblem, Operands } from "../attention/problem.js";
import type { RowRange } from "../attention/rows.js";
import type { TileCoordinates } from "../attention/tile.js";
import type { TileDump } from "./tile-dump.js";

export type EngineName = "cpu" | "wasm" | "webgpu";

/** Something that computes the contract's bits. Opened once, used for many problems. */
export interface Engine {
  readonly name: EngineName;
  /** The adapter's description; null on the CPU. */
  readonly adapter: string | null;
  /** Makes the arrays for operands where this engine reads them without a copy; any other array is right too. */
  readonly allocate?: (length: number) => Float32Array;
  /** Takes the operands of one problem in (uploads them, picks kernels). The operands must not change until `close`. */
  open(problem: AttentionProblem, operands: Operands): Promise<Session>;
  close(): Promise<void>;
}

/** One problem on one engine. */
export interface Session {
  /**
   * How many rows to ask for at a time, so that one request takes a second or two at most; may change as speed is
   * measured.
   */
  readonly rowsPerRequest: number;
  /** How many requests are worth having under way at once. */
  readonly concurrency: number;
  /** Seconds that `open` spent compiling kernels, which emulation time does not count; none when absent. */
  readonly compileSeconds?: number;
  /** Computes AV, in accumulator values, for the rows of `range`: [rows, F] row-major. */
  run(range: RowRange, signal?: AbortSignal): Promise<RowBlock>;
  /** Every intermediate of one tile. */
  dump(at: TileCoordinates): Promise<TileDump>;
  close(): Promise<void>;
}

export interface RowBlock {
  readonly range: RowRange;
  readonly av: Float32Array;
  /** RM and RD of each row at the end, [rows, 2], of a problem that wants them; of no meaning for a row without keys. */
  readonly states?: Float32Array;
  /**
   * The first row of the range in which a value left the accumulator's range (fp16 formats), or null. The emulator
   * runs that row again on the twin to name tensor, tile and index, so that every engine reports the same offender.
   */
  readonly overflowRow: number | null;
  /** How many softmax numerators of the rows were past the largest value of their type; none where absent. */
  readonly saturated?: number;
  /**
   * How many tiles (query tile p1, key tile m1) of the range were computed, where the engine counts them: those in
   * which at least one query sees a key.
   */
  readonly tiles?: number;
}
