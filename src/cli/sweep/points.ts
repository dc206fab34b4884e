import { measures, type SweepPoint } from "../../model/sweep.js";

/** Results of a sweep, column by column, in the order of the grid. */
export interface Points {
  readonly size: number;
  readonly numbers: Readonly<Record<(typeof measures)[number], Float64Array>>;
  readonly bounds: string[];
  readonly estimated: Uint8Array;
  readonly errors: Map<number, string>;
}

/** Finished points [from, from + points.length). */
export interface Block {
  readonly from: number;
  readonly points: readonly SweepPoint[];
}

export function emptyPoints(size: number): Points {
  const numbers = Object.fromEntries(
    measures.map(m => [m, new Float64Array(size).fill(Number.NaN)]),
  ) as Points["numbers"];
  return {
    size,
    numbers,
    bounds: new Array<string>(size).fill(""),
    estimated: new Uint8Array(size),
    errors: new Map(),
  };
}

export function putBlock(points: Points, { from, points: block }: Block): void {
  block.forEach(({ numbers, bound, estimated, error }, i) => {
    measures.forEach((measure, m) => {
      points.numbers[measure][from + i] = numbers[m] ?? Number.NaN;
    });
    points.bounds[from + i] = bound;
    points.estimated[from + i] = estimated ? 1 : 0;
    if (error !== "") points.errors.set(from + i, error);
  });
}
