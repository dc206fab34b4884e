import type { AttentionProblem } from "../attention/problem.js";
import { rowAt } from "../attention/rows.js";
import type { TileCoordinates } from "../attention/tile.js";
import { InputError } from "../errors.js";

/**
 * Every intermediate of a tile by its name in Cascade 5, and what its values are by: the tile's key rows, the features f
 * of a value, or one value per query. Columns are the tile's queries.
 */
export const dumpTensors = {
  bqk: { name: "BQK", by: "keys" },
  lm: { name: "LM", by: "query" },
  rm: { name: "RM", by: "query" },
  sln: { name: "SLN", by: "keys" },
  sld: { name: "SLD", by: "query" },
  slnv: { name: "SLNV", by: "features" },
  prm: { name: "PRM", by: "query" },
  spd: { name: "SPD", by: "query" },
  rd: { name: "RD", by: "query" },
  spnv: { name: "SPNV", by: "features" },
  rnv: { name: "RNV", by: "features" },
} as const;

export type DumpTensor = keyof typeof dumpTensors;
/**
 * The intermediates of a tile, row-major [rows, columns], [F, columns] or [columns] as `dumpTensors` says. RM, RD and RNV
 * are as they are after the tile. Entries of masked keys are +0 and have exists = 0; so are all entries of a query
 * that has no key in this tile, but for RM, RD, RNV, which keep their values (RM +0 while the query has seen no key).
 */
export interface TileDump extends Readonly<Record<DumpTensor, Float32Array>> {
  readonly rows: number;
  readonly columns: number;
  readonly exists: Uint8Array;
}

/** @throws InputError for coordinates outside the grid of tiles. */
export function requireTile(at: TileCoordinates, { shape, tile }: AttentionProblem): void {
  const sizes = {
    b: shape.batch,
    h: shape.heads,
    m1: Math.ceil(shape.keys / tile.m0),
    p1: Math.ceil(shape.queries / tile.p0),
  };
  for (const name of ["b", "h", "m1", "p1"] as const) {
    if (Number.isInteger(at[name]) && at[name] >= 0 && at[name] < sizes[name]) continue;
    throw new InputError({
      where: `tile coordinate ${name}`,
      got: String(at[name]),
      expected: `an integer from 0 to ${sizes[name] - 1}`,
      fix: `the grid of tiles is b ${sizes.b}, h ${sizes.h}, m1 ${sizes.m1}, p1 ${sizes.p1}`,
    });
  }
}

/** The tile's keys and queries: fewer at the ends of the sequences. */
export const tileSizes = ({ shape, tile }: AttentionProblem, { m1, p1 }: TileCoordinates) => ({
  rows: Math.min(tile.m0, shape.keys - m1 * tile.m0),
  columns: Math.min(tile.p0, shape.queries - p1 * tile.p0),
});

/** The output row of the tile's first query. */
export const firstRowOf = ({ shape, tile }: AttentionProblem, { b, h, p1 }: TileCoordinates): number =>
  rowAt(shape, { b, h, p: p1 * tile.p0 });

/** A dump of zeros for a tile. */
export function emptyDump(problem: AttentionProblem, at: TileCoordinates): TileDump {
  const { rows, columns } = tileSizes(problem, at);
  const height = { keys: rows, query: 1, features: problem.shape.valueDim };
  const tensors = Object.fromEntries(
    Object.entries(dumpTensors).map(([tensor, { by }]) => [tensor, new Float32Array(height[by] * columns)]),
  ) as Record<DumpTensor, Float32Array>;
  return { rows, columns, exists: new Uint8Array(rows * columns), ...tensors };
}
