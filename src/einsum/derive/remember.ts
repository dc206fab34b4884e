import { FusemaxError } from "../../errors.js";
import { coordinatesOf } from "../../numerics/coordinates.js";
import type { Cascade } from "../cascade.js";
import { evaluateCascade } from "../evaluate.js";
import { inputShape, rankOfIndex } from "../input-shape.js";
import type { Rank } from "../ranks.js";
import { solveShape } from "../shape.js";
import type { DenseTensor } from "../tensor-store.js";

/** What has to be remembered of the first half of a fiber. */
export interface Remembered {
  /** Elements of the half. */
  readonly elements: number;
  /** Directions in which a change of them shows in the outputs, for one second half or another. */
  readonly numbers: number;
}

/**
 * How much of a fiber's first half has to be remembered, measured: the rank of the outputs' derivatives by one number of each
 * element, with one row for each output and second half. Whoever reads the fiber once in order keeps at least so many numbers (outputs
 * that no second half changes may leave at once, and do not count), whatever cascade it is. All other ranks have one
 * coordinate. Null where that cannot be measured: a rank in parts, sizes that contradict, values that are not finite.
 */
export function rememberedOf(cascade: Cascade, rank: Rank, elements: number): Remembered | null {
  if (rank.parts.length > 1 || !cascade.ranks.ranks.includes(rank)) return null;
  try {
    return measured(trialOf(cascade, rank, elements), elements);
  } catch (error) {
    if (!(error instanceof FusemaxError)) throw error;
    return null; // sizes that the text says contradict these
  }
}

function measured(trial: Trial | null, elements: number): Remembered | null {
  if (trial === null) return null;
  const halves = Array.from({ length: 3 * elements }, (_, j) => 0.05 + (2.2 * j) / (3 * elements));
  const rows: number[][] = [];
  const first: number[][] = [];
  for (const [j, scale] of halves.entries()) {
    const columns = Array.from({ length: elements }, (_, i) => trial.slope(i, scale));
    if (columns.some(column => column === null)) return null;
    for (const [output] of (columns[0] ?? []).entries()) {
      const row = columns.map(column => column?.[output] ?? 0);
      if (j === 0) first.push(row);
      else rows.push(row.map((value, i) => value - (first[output]?.[i] ?? 0)));
    }
  }
  if (rows.some(row => row.some(value => !Number.isFinite(value)))) return null;
  return { elements, numbers: numericalRank(rows) };
}

/**
 * Whether no cascade passes the rank once and keeps less than a fiber: of shorter and of longer fibers all has to be remembered. The last
 * measurement; null where less may do, or where nothing can be measured.
 */
export function needsWholeFiber(cascade: Cascade, rank: Rank): Remembered | null {
  let last: Remembered | null = null;
  for (const elements of [6, 12]) {
    last = rememberedOf(cascade, rank, elements);
    if (last === null || last.numbers < elements) return null;
  }
  return last;
}

/** No multiple of it is whole, so that no two elements are alike. */
const golden = (Math.sqrt(5) - 1) / 2;

interface Trial {
  /** Derivatives of all outputs by element i of the first half; null where they cannot be computed. */
  slope(i: number, scale: number): readonly number[] | null;
}

/** Of central differences: their error is about its square. */
const step = 1e-4;

function trialOf(cascade: Cascade, rank: Rank, elements: number): Trial | null {
  const shape: Record<string, number> = { [rank.name]: 2 * elements };
  for (const { name, parts, size } of cascade.ranks.ranks)
    if (name !== rank.name && size === null && parts.length === 1) shape[name] = 1;
  const sizes = solveShape(cascade, shape);
  const places = cascade.inputs.map(name => {
    const indices = cascade.tensors.get(name)?.indices ?? [];
    const place = indices.findIndex(index => rankOfIndex(cascade, index) === rank.name);
    return { name, own: inputShape(cascade, name, sizes), place };
  });
  if (places.every(({ place }) => place === -1)) return null;
  const inputs = (changed: number, by: number, scale: number): Record<string, DenseTensor> =>
    Object.fromEntries(
      places.map(({ name, own, place }, n) => {
        const count = own.reduce((product, length) => product * length, 1);
        const data = Float64Array.from({ length: count }, (_, at) => {
          const i = place === -1 ? 0 : (coordinatesOf(own, at)[place] ?? 0);
          // Spread over the first half in an order of each input's own; of the second half as far as `scale` says.
          const spread = ((i + 1) * (n + 1) * golden) % 1;
          if (place === -1 || i < elements)
            return 0.5 + spread + (place !== -1 && i === changed ? by * (1 + n / 3) : 0);
          return (0.5 + spread) * scale;
        });
        return [name, { shape: own, data }];
      }),
    );
  const run = (changed: number, by: number, scale: number): number[] => {
    const { tensors } = evaluateCascade(cascade, inputs(changed, by, scale), { shape: Object.fromEntries(sizes) });
    return cascade.outputs.flatMap(name => [...(tensors.get(name)?.data ?? [])]);
  };
  return {
    slope(i, scale) {
      const [up, down] = [run(i, step, scale), run(i, -step, scale)];
      const slopes = up.map((value, output) => (value - (down[output] ?? 0)) / (2 * step));
      return slopes.every(Number.isFinite) ? slopes : null;
    },
  };
}

/** Pivots below this part of the largest are errors of the differences. */
const leastPivot = 1e-5;

/** The rank of a matrix by elimination with full pivoting. */
function numericalRank(rows: readonly (readonly number[])[]): number {
  const left = rows.map(row => [...row]);
  let largest = 0;
  for (let rank = 0; ; rank += 1) {
    let [at, column, most] = [-1, -1, 0];
    for (const [r, row] of left.entries()) {
      for (const [c, value] of row.entries()) if (Math.abs(value) > most) [at, column, most] = [r, c, Math.abs(value)];
    }
    largest = Math.max(largest, most);
    if (most <= leastPivot * largest) return rank;
    const [pivot = []] = left.splice(at, 1);
    for (const row of left) {
      const share = (row[column] ?? 0) / (pivot[column] ?? 1);
      for (const [c, value] of pivot.entries()) row[c] = (row[c] ?? 0) - share * value;
      row[column] = 0;
    }
  }
}
