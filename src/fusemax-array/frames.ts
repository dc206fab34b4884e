import type { ArrayView } from "./array.js";
import type { Instruction, TileOperands } from "./instruction.js";
import type { Tagged } from "./links.js";

/** An instruction as plain data. */
export interface FrameInstruction extends Omit<Instruction, "tile"> {
  readonly tile: Omit<TileOperands, "sees">;
}

/** What one PE does and holds in one cycle. */
export interface PeFrame {
  readonly instruction: FrameInstruction | null;
  /** On the links that end here: from the west and from the north; for a 1D PE, from the 2D array above it. */
  readonly west: Tagged | null;
  readonly north: Tagged | null;
  /** RM on its way up. */
  readonly below: Tagged | null;
  readonly registers: readonly string[];
}

/** The array in one cycle: the 2D array row by row, and the 1D array. Plain data, to be drawn or stepped through. */
export interface ArrayFrame {
  readonly cycle: number;
  readonly grid: readonly (readonly PeFrame[])[];
  readonly peRow: readonly PeFrame[];
}

/** Copies what a view shows. */
export function frameOf({ cycle, grid, peRow, at2d, at1d }: ArrayView): ArrayFrame {
  const { rows, columns } = grid;
  const indices = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);
  return {
    cycle,
    grid: indices(rows).map(r =>
      indices(columns).map(c => {
        const at = r * columns + c;
        return {
          instruction: plain(at2d(r, c)),
          west: grid.west.at(at) ?? null,
          north: grid.south.at(at) ?? null,
          below: grid.up.at(at) ?? null,
          registers: grid.files[at]?.contents() ?? [],
        };
      }),
    ),
    peRow: indices(columns).map(c => ({
      instruction: plain(at1d(c)),
      west: null,
      north: grid.south.at(rows * columns + c) ?? null,
      below: null,
      registers: peRow.files[c]?.contents() ?? [],
    })),
  };
}

/** Frames go from thread to thread, where functions cannot. */
function plain(instruction: Instruction | null): FrameInstruction | null {
  if (instruction === null) return null;
  const { sees: _, ...tile } = instruction.tile;
  return { ...instruction, tile };
}
