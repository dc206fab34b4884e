import { type ArithmeticSpec, scaleBlock } from "../../numerics/arithmetic.js";
import { dotOf, type Run, type Term } from "../../numerics/dot.js";
import type { Encoded } from "./encode.js";
import type { Numerators } from "./numerators.js";

/** The keys of a tile that exist, and which of them the query sees. */
export interface TileKeys {
  readonly first: number;
  /** One past the last key that exists. */
  readonly end: number;
  sees(m: number): boolean;
}

/** The places of a tile's keys, 0 the first, in the order in which sums take them. */
export function placesOf({ first, end }: TileKeys, order: ArithmeticSpec["keys"]): readonly number[] {
  const places = Array.from({ length: end - first }, (_, place) => place);
  return order === "ascending" ? places : places.reverse();
}

/**
 * SLNV of one feature on top of `from` (docs/arithmetic.md, "One tile", 5): a block of the sum ends where one of p's
 * or of v's ends; p's are counted from the tile's first key, v's from key 0.
 * @param v [F, M]
 */
export type WeightedSum = (from: number, numerators: Numerators, keys: TileKeys, f: number) => number;

export function weightedSumOf(arithmetic: ArithmeticSpec, v: Encoded): WeightedSum {
  const { operands } = arithmetic;
  const dot = dotOf(arithmetic, operands.p, operands.v);
  const width = scaleBlock(operands.v.scale);
  return (from, numerators, keys, f) => {
    const runs: (Run & { readonly terms: Term[] })[] = [];
    let lastBlocks = "";
    for (const place of placesOf(keys, arithmetic.keys)) {
      const m = keys.first + place;
      const term = {
        a: numerators.operands[place] as number,
        b: v.values[f * v.columns + m] as number,
        visible: keys.sees(m),
      };
      const vBlock = width === null ? 0 : Math.floor(m / width);
      const blocks = width === null ? "all" : `${Math.floor(place / width)} ${vBlock}`;
      if (blocks !== lastBlocks) {
        const scales = width === null ? [1, 1] : [numerators.scale(place), v.scale(f, vBlock)];
        runs.push({ terms: [], scaleA: scales[0] ?? 1, scaleB: scales[1] ?? 1 });
        lastBlocks = blocks;
      }
      runs.at(-1)?.terms.push(term);
    }
    return dot(from, runs);
  };
}
