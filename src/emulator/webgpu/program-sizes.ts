import type { AttentionProblem } from "../../attention/problem.js";
import { startOf, type TileProgram } from "../../program/program.js";
import type { WgslPlaces } from "../../program/wgsl-places.js";
import { eight } from "./pack.js";
import { type RequestSizes, sizesOf, tilePagesOf } from "./request-buffers.js";
import { scoreWordsOf } from "./score-words.js";

/** Pages of an eight of slots for a tile's keys, and for all keys. */
export interface ScratchPages {
  readonly tile: number;
  readonly whole: number;
}

/** A tile may begin and end within an eight; products write eights of keys two at a time. */
export const scratchPagesOf = (problem: AttentionProblem): ScratchPages => ({
  tile: tilePagesOf(problem),
  whole: Math.ceil(problem.shape.keys / eight) + 1,
});

/** Bytes of the buffers of a request of so many slots. */
export function programSizes(
  problem: AttentionProblem,
  places: WgslPlaces,
  slots: number,
  blockRows: number,
): RequestSizes {
  const pages = scratchPagesOf(problem);
  const scratchPages = places.tileVariables * pages.tile + places.wholeVariables * pages.whole;
  const { mask, bias } = scoreWordsOf(problem);
  const needs = { stateFields: places.fields, vectors: places.vector.size, scratchPages, scoreWords: mask + bias };
  return sizesOf(problem, needs, slots, blockRows);
}

/** What the host knows of a row. */
export interface RowGiven {
  readonly sink: number;
  /** Whether the sink is another run's, and the row begins as one without. */
  readonly sunk: boolean;
  readonly queryScale: number;
  readonly valueScale: number;
}

/** The fields of the state of one slot as they are before the first tile. */
export function initialFields(program: TileProgram, places: WgslPlaces, row: Partial<RowGiven> = {}): Float32Array {
  const { sink = 0, sunk = false, queryScale = 1, valueScale = 1 } = row;
  const fields = new Float32Array(places.fields);
  for (const variable of program.variables) {
    const field = places.field.get(variable);
    if (field === undefined) continue;
    if (variable.given === "queryScale") fields[field] = queryScale;
    else if (variable.given === "valueScale") fields[field] = valueScale;
    else if (sunk) fields[field] = (variable.life === "row" ? variable.initial : null) ?? 0;
    else fields[field] = startOf(program, variable, sink) ?? 0;
  }
  return fields;
}
