import { type ArrayName, dataflows } from "../spec/schedule/einsums.js";
import type { ScheduleMachine, ScheduleWork } from "../spec/schedule/machine.js";
import { isIdle, type Operation, type Stage, type Stream } from "../spec/schedule/notation.js";
import type { Schedule } from "../spec/schedule/schedule.js";
import type { Instruction, TileOperands } from "./instruction.js";

/** The tiles in the order of mapping 1 (FuseMax section V): head, query block, key tile, query tile of the block. */
export function listTiles(machine: ScheduleMachine, work: ScheduleWork): readonly TileOperands[] {
  const tiles: TileOperands[] = [];
  const queryTiles = Math.ceil(work.queries / machine.columns);
  const keyTiles = Math.ceil(work.keys / machine.rows);
  let keyArrival = -1;
  for (let head = 0; head < work.heads; head++) {
    for (let block = 0; block < queryTiles; block += work.blockTiles) {
      const end = Math.min(block + work.blockTiles, queryTiles);
      for (let keyTile = 0; keyTile < keyTiles; keyTile++) {
        keyArrival++;
        for (let queryTile = block; queryTile < end; queryTile++) {
          tiles.push({
            index: tiles.length,
            head,
            queryTile,
            keyTile,
            rows: Math.min(machine.rows, work.keys - keyTile * machine.rows),
            columns: Math.min(machine.columns, work.queries - queryTile * machine.columns),
            firstKeys: keyTile === 0,
            lastKeys: keyTile === keyTiles - 1,
            newKeys: queryTile === block,
            keyArrival,
            queryArrival: head * queryTiles + queryTile,
          });
        }
      }
    }
  }
  return tiles;
}

/** Slots in order; null is a slot left empty. */
export function* instructions(
  schedule: Schedule,
  array: ArrayName,
  tiles: readonly TileOperands[],
  work: ScheduleWork,
  machine: ScheduleMachine,
): Generator<Instruction | null> {
  const epochs = tiles.length + Math.max(...Object.values(schedule.lags));
  const lengths = { E: work.headDim, F: work.valueDim, "F-divisions": work.valueDim * machine.divideCycles } as const;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const tileOf = ({ tile }: Operation): TileOperands | undefined => tiles[epoch - (schedule.lags[tile] ?? 0)];
    for (const stage of schedule.programs[array]) yield* turns(stage, tileOf, op => stepsOf(op, lengths));
  }
}

function stepsOf({ einsum }: Operation, lengths: Readonly<Record<"E" | "F" | "F-divisions", number>>): number {
  const { steps } = dataflows[einsum];
  return typeof steps === "number" ? steps : lengths[steps];
}

/** One stage: its streams take turns; AV is only for a tile of the last keys. */
function* turns(
  { streams }: Stage,
  tileOf: (op: Operation) => TileOperands | undefined,
  stepsOf: (op: Operation) => number,
): Generator<Instruction | null> {
  const runs = (op: Operation): boolean => {
    const tile = tileOf(op);
    return tile !== undefined && (op.einsum !== "AV" || tile.lastKeys);
  };
  const active = (stream: Stream): boolean =>
    isIdle(stream) ? typeof stream.idle === "number" || runs(stream.idle) : runs(stream);
  if (!streams.some(active)) return;

  const left = streams.map(stream => {
    if (isIdle(stream))
      return typeof stream.idle === "number" ? stream.idle : runs(stream.idle) ? stepsOf(stream.idle) : 0;
    return stream.einsum === "AV" && !runs(stream) ? 0 : stepsOf(stream);
  });
  for (let step = 0; left.some(count => count > step); step++) {
    for (const [i, stream] of streams.entries()) {
      if ((left[i] ?? 0) <= step) {
        if (!isIdle(stream) && stream.keepsTurns === true) yield null;
        continue;
      }
      const tile = isIdle(stream) ? undefined : tileOf(stream);
      yield isIdle(stream) || tile === undefined ? null : { einsum: stream.einsum, step, tile };
    }
  }
}
