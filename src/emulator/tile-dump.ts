import type { AttentionProblem, TileCoordinates, TileDump } from "../attention/problem.js";
import { InputError } from "../errors.js";

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
      mend: `the grid of tiles is b ${sizes.b}, h ${sizes.h}, m1 ${sizes.m1}, p1 ${sizes.p1}`,
    });
  }
}

/** A dump of zeros. */
export function emptyDump(rows: number, columns: number, valueDim: number): TileDump {
  const zeros = (n: number): Float32Array => new Float32Array(n);
  return {
    rows,
    columns,
    bqk: zeros(rows * columns),
    lm: zeros(columns),
    rm: zeros(columns),
    sln: zeros(rows * columns),
    sld: zeros(columns),
    slnv: zeros(valueDim * columns),
    prm: zeros(columns),
    spd: zeros(columns),
    rd: zeros(columns),
    spnv: zeros(valueDim * columns),
    rnv: zeros(valueDim * columns),
    exists: new Uint8Array(rows * columns),
  };
}
