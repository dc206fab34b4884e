import { howMany, SpecError } from "../../errors.js";
import { operationText } from "../../spec/schedule/notation.js";
import { operationsOf, type Schedule } from "../../spec/schedule/schedule.js";
import type { Plan } from "./actions.js";
import type { TileEinsum } from "./dataflows.js";
import type { TileWalk } from "./walk.js";

/** Where an operation is in its array's order of issue. */
interface Position {
  readonly einsum: TileEinsum;
  readonly text: string;
  readonly lag: number;
  readonly stage: number;
  readonly stream: number;
}

/**
 * An array issues in order, so what it makes itself must be before its use: for the same tile, and for what is
 * carried from the same queries' previous key tile, which is as many tiles back as the walk has at least between the two.
 * @throws SpecError naming the operation that would wait for a later one of its own array
 */
export function checkOrder({ schedule, einsums }: Plan, walk: TileWalk): void {
  for (const [array, stages] of Object.entries(schedule.programs)) {
    const positions = operationsOf(stages).flatMap(({ op, stage, stream }): Position[] => {
      const einsum = einsums.find(({ name }) => name === op.einsum);
      return einsum === undefined
        ? []
        : [{ einsum, text: operationText(op), lag: schedule.lags[op.tile] ?? 0, stage, stream }];
    });
    for (const user of positions) {
      const { uses, carries } = user.einsum;
      for (const maker of positions) {
        const use = uses.find(({ einsum }) => einsum === maker.einsum.name);
        if (use !== undefined) checkBefore(schedule, array, maker, user, 0, use.pointwise);
        if (!carries.includes(maker.einsum.name) || walk.leastBetween === Number.POSITIVE_INFINITY) continue;
        checkBefore(schedule, array, maker, user, walk.leastBetween, false);
      }
    }
  }
}

function checkBefore(
  schedule: Schedule,
  array: string,
  maker: Position,
  user: Position,
  tilesBack: number,
  pointwise: boolean,
): void {
  const epochs = user.lag - (maker.lag - tilesBack);
  const alternates = maker.stage === user.stage && maker.stream < user.stream && pointwise;
  if (epochs > 0 || (epochs === 0 && (maker.stage < user.stage || alternates))) return;
  const previous = tilesBack > 0 ? ` of the previous key tile (${howMany(tilesBack, "tile")} back)` : "";
  throw new SpecError({
    where: `schedule "${schedule.name}" ${array}`,
    got: `${user.text} using ${maker.einsum.name}${previous}, which ${maker.text} makes only later: the array waits for itself`,
    expected: `${maker.einsum.name} before ${user.text}`,
    fix:
      tilesBack > 0
        ? `give ${user.text} and ${maker.text} the same letter, or take more query tiles per block`
        : `move ${maker.text} forward or enlarge the lag of ${user.text}`,
  });
}
