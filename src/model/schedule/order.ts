import { SpecError } from "../../errors.js";
import { type ArrayName, arrayNames, dataflows, type EinsumName } from "../../spec/schedule/einsums.js";
import { operationText } from "../../spec/schedule/notation.js";
import { operationsOf, type Schedule } from "../../spec/schedule/schedule.js";
import type { TileWalk } from "./walk.js";

/** Where an operation stands in its array's order of issue; `tilesBack` of its tile's epoch. */
interface Position {
  readonly einsum: EinsumName;
  readonly text: string;
  readonly lag: number;
  readonly stage: number;
  readonly stream: number;
}

/**
 * An array issues in order, so what it makes itself must stand before its use: for the same tile, and for what is
 * carried from the same queries' previous key tile, which is as many tiles back as the smallest block has.
 * @throws SpecError naming the operation that would wait for a later one of its own array
 */
export function checkOrder(schedule: Schedule, walk: TileWalk): void {
  const smallest = walk.uniform ? walk.blockTiles : walk.queryTiles % walk.blockTiles;
  for (const array of arrayNames) {
    const positions = operationsOf(schedule.programs[array]).map(({ op, stage, stream }) => ({
      einsum: op.einsum,
      text: operationText(op),
      lag: schedule.lags[op.tile] ?? 0,
      stage,
      stream,
    }));
    for (const user of positions) {
      const { uses, carries } = dataflows[user.einsum];
      for (const maker of positions) {
        if (uses.includes(maker.einsum)) checkBefore(schedule, array, maker, user, 0);
        if (carries.includes(maker.einsum) && walk.keyTiles > 1) checkBefore(schedule, array, maker, user, smallest);
      }
    }
  }
}

function checkBefore(schedule: Schedule, array: ArrayName, maker: Position, user: Position, tilesBack: number): void {
  const epochs = user.lag - (maker.lag - tilesBack);
  const alternates = maker.stage === user.stage && maker.stream < user.stream && dataflows[user.einsum].elementwise;
  if (epochs > 0 || (epochs === 0 && (maker.stage < user.stage || alternates))) return;
  const previous = tilesBack > 0 ? ` of the previous key tile (${tilesBack} tiles back)` : "";
  throw new SpecError({
    where: `schedule "${schedule.name}" ${array}`,
    got: `${user.text} using ${maker.einsum}${previous}, which ${maker.text} makes only later: the array waits for itself`,
    expected: `${maker.einsum} before ${user.text}`,
    mend:
      tilesBack > 0
        ? `give ${user.text} and ${maker.text} the same letter, or take more query tiles per block`
        : `move ${maker.text} forward or enlarge the lag of ${user.text}`,
  });
}
