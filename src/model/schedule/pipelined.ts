import type { ScheduleSpec } from "../../spec/schedule/schedule.js";
import type { TileEinsum } from "./dataflows.js";
import { inOrder, programsOf } from "./one-tile.js";

const letters = "abcdefghijklmnopqrstuvwxyz";

/**
 * The schedule of arrays that work side by side on tiles that follow each other (FuseMax section V): an Einsum that waits for what an
 * array further on made of its tile is done on an older one, so that the way there and back is hidden. One letter for each such
 * return; the first lag is to be found.
 * @param apart epochs between the letters after the second
 */
export function pipelinedSchedule(einsums: readonly TileEinsum[], apart: number): ScheduleSpec {
  const ordered = inOrder(einsums);
  const arrays = [...new Set(ordered.map(({ array }) => array))];
  const returns = returnsOf(ordered, arrays);
  const letterOf = ({ name }: TileEinsum): string => letters[returns.get(name) ?? 0] as string;
  const most = Math.max(...returns.values());
  const lags = Object.fromEntries(
    Array.from({ length: most + 1 }, (_, i) => {
      const lag = i === 0 ? 0 : i === 1 ? ("auto" as const) : { after: letters[i - 1] as string, by: apart };
      return [letters[i] as string, lag] as const;
    }),
  );
  return { name: "pipelined", lags, programs: programsOf(ordered, letterOf) };
}

/** How often the way of a tile to an Einsum comes back from an array further on; what is carried keeps its Einsums together. */
function returnsOf(einsums: readonly TileEinsum[], arrays: readonly string[]): ReadonlyMap<string, number> {
  const returns = new Map(einsums.map(({ name }) => [name, 0]));
  const arrayOf = new Map(einsums.map(({ name, array }) => [name, arrays.indexOf(array)]));
  for (let round = 0; round <= einsums.length; round += 1) {
    for (const { name, uses, carries } of einsums) {
      const own = returns.get(name) ?? 0;
      const after = uses.map(({ einsum }) => {
        const isReturn = (arrayOf.get(einsum) ?? 0) > (arrayOf.get(name) ?? 0);
        return (returns.get(einsum) ?? 0) + (isReturn ? 1 : 0);
      });
      const together = carries.map(einsum => returns.get(einsum) ?? 0);
      returns.set(name, Math.min(letters.length - 1, Math.max(own, ...after, ...together)));
    }
  }
  return returns;
}
