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

/** The fields of the state of one slot as they are before the first tile, of a row with such a sink. */
export function initialFields(program: TileProgram, places: WgslPlaces, sink = 0): Float32Array {
  const fields = new Float32Array(places.fields);
  for (const variable of program.variables) {
    const field = places.field.get(variable);
    if (field !== undefined) fields[field] = startOf(program, variable, sink) ?? 0;
  }
  return fields;
}
