import type { ScheduleMachine } from "../spec/schedule/machine.js";
import type { Instruction } from "./instruction.js";

/**
 * How many rows of the global buffer an instruction reads and writes, each through a port for one cycle
 * (docs/schedule.md).
 */
export function bufferRows(
  { einsum, step, tile }: Instruction,
  { divideCycles, rmReturn }: ScheduleMachine,
): { readonly reads: number; readonly writes: number } {
  /** What the key tile before left; nothing before the first. */
  const carried = tile.firstKeys ? 0 : 1;
  switch (einsum) {
    case "BQK": // Q and BK
      return { reads: 2, writes: 0 };
    case "SLNV": // BV
      return { reads: 1, writes: 0 };
    case "SLN": // RM, where it comes back through the buffer
      return { reads: step === 0 && rmReturn.by === "buffer" ? 1 : 0, writes: 0 };
    case "RM":
      return { reads: carried, writes: 1 };
    case "SPD":
    case "SPNV":
      return { reads: carried, writes: 0 };
    case "RD":
    case "RNV":
      return { reads: 0, writes: 1 };
    case "AV": {
      // RNV as each division begins, RD with the first; AV as each ends.
      const begins = step % divideCycles === 0;
      const ends = step % divideCycles === divideCycles - 1;
      return { reads: begins ? (step === 0 ? 2 : 1) : 0, writes: ends ? 1 : 0 };
    }
    default:
      return { reads: 0, writes: 0 };
  }
}
