import { isIdle, type Operation, type Stage, type Stream } from "../spec/schedule/notation.js";
import type { Schedule } from "../spec/schedule/schedule.js";
import { type ArrayName, type EinsumName, isEinsumName, stepsOf } from "./einsums.js";
import type { Instruction, TileOperands } from "./instruction.js";

/** Lengths of the Einsums: E, F, and the cycles of a division. */
export interface Lengths {
  readonly headDim: number;
  readonly valueDim: number;
  readonly divideCycles: number;
}

/** Slots in order; null is a slot left empty. */
export function* instructions(
  schedule: Schedule,
  array: ArrayName,
  tiles: readonly TileOperands[],
  lengths: Lengths,
): Generator<Instruction | null> {
  const epochs = tiles.length + Math.max(...Object.values(schedule.lags));
  for (let epoch = 0; epoch < epochs; epoch++) {
    const tileOf = ({ tile }: Operation): TileOperands | undefined => tiles[epoch - (schedule.lags[tile] ?? 0)];
    for (const stage of schedule.programs[array] ?? []) yield* turns(stage, tileOf, lengths);
  }
}

/** Points of an Einsum on a tile, and cycles of each: its operations hold the PE one after the other. */
function lengthOf(einsum: EinsumName, { headDim, valueDim, divideCycles }: Lengths) {
  const { points, operations } = stepsOf[einsum];
  return {
    points: points === "E" ? headDim : points === "F" ? valueDim : points,
    cycles: einsum === "AV" ? divideCycles : operations,
  };
}

/** One stage: its streams take turns of a point; AV is only for a tile of the last keys. */
function* turns(
  { streams }: Stage,
  tileOf: (op: Operation) => TileOperands | undefined,
  lengths: Lengths,
): Generator<Instruction | null> {
  const runs = (op: Operation): boolean => {
    const tile = tileOf(op);
    return tile !== undefined && (op.einsum !== "AV" || tile.lastKeys);
  };
  const of = (stream: Stream): Operation | null =>
    isIdle(stream) ? (typeof stream.idle === "number" ? null : stream.idle) : stream;
  const active = (stream: Stream): boolean => {
    const op = of(stream);
    return op === null || runs(op);
  };
  if (!streams.some(active)) return;

  const left = streams.map(stream => {
    const op = of(stream);
    if (op === null || !isEinsumName(op.einsum)) {
      return { points: isIdle(stream) && typeof stream.idle === "number" ? stream.idle : 0, cycles: 1 };
    }
    const length = lengthOf(op.einsum, lengths);
    return (isIdle(stream) || op.einsum === "AV") && !runs(op) ? { ...length, points: 0 } : length;
  });
  for (let turn = 0; left.some(({ points }) => points > turn); turn++) {
    for (const [i, stream] of streams.entries()) {
      const { points = 0, cycles = 1 } = left[i] ?? {};
      if (points <= turn && (isIdle(stream) || stream.keepsTurns !== true)) continue;
      for (let k = 0; k < cycles; k++) {
        const tile = isIdle(stream) ? undefined : tileOf(stream);
        const there = points > turn && tile !== undefined && !isIdle(stream) && isEinsumName(stream.einsum);
        yield there ? { einsum: stream.einsum as EinsumName, step: turn * cycles + k, tile } : null;
      }
    }
  }
}
