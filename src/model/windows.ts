import { type Side, wordsOfWindow } from "./footprint.js";
import type { NestShape, NestTensor, NestWindow } from "./nest.js";
import { chunkOf, type RankCount } from "./partition.js";
import type { RankCounts } from "./rank-counts.js";
import { type TensorPlace, wordsOfWindows } from "./window-visits.js";

// Where ranks slide over a place of a tensor, `I[p*2+r]`, several points want one word: counts of indices are too many.

/** The loops of a rank, as a mask of the shape's bits. */
const loopsOf = ({ ranks }: NestShape, rank: number): number => {
  const { shift, parts } = ranks[rank] as NestShape["ranks"][number];
  return ((1 << parts) - 1) << shift;
};

const strideOf = ({ strides }: { readonly strides?: Float64Array | undefined }, stride: number): number =>
  strides?.[stride] as number;

/** Loops without those of the ranks that slide, and the words that these arrive at in a tile. */
export function tileOfWindows(
  shape: NestShape,
  counts: RankCounts,
  windows: readonly NestWindow[],
  loops: number,
): { readonly loops: number; readonly words: number } {
  let [rest, words] = [loops, 1];
  for (const window of windows) {
    words *= wordsOfWindow(
      window.map(({ rank, stride }): Side => {
        const { shift, parts } = shape.ranks[rank] as NestShape["ranks"][number];
        rest &= ~loopsOf(shape, rank);
        const extent = (counts[rank] as Float64Array)[(loops >>> shift) & ((1 << parts) - 1)] as number;
        return { stride: strideOf(counts, stride), extent };
      }),
    );
  }
  return { loops: rest, words };
}

/** One fan-out's loops over ranks that slide over each other: its instances begin at `places` places only. */
export interface Crossing {
  readonly loops: number;
  readonly ranks: readonly number[];
  readonly places: number;
}

/** The fan-outs over which two ranks of a window go, of some loops in space. */
export function crossings(
  shape: NestShape,
  { alone = [], strides }: RankCounts,
  window: NestWindow,
  loops: number,
): readonly Crossing[] {
  return shape.masks.at.flatMap(here => {
    const sides = window.flatMap(({ rank, stride }) => {
      const { shift, parts } = shape.ranks[rank] as NestShape["ranks"][number];
      const { bounds } = alone[rank] as RankCount;
      return Array.from({ length: parts }, (_, part) => part)
        .filter(part => (loops & here & (1 << (shift + part))) !== 0 && (bounds[part] as number) > 1)
        .map(part => ({
          rank,
          bit: shift + part,
          stride: strideOf({ strides }, stride) * chunkOf(bounds, part),
          extent: bounds[part] as number,
        }));
    });
    const ranks = [...new Set(sides.map(({ rank }) => rank))];
    if (ranks.length < 2) return [];
    return [{ loops: sides.reduce((mask, { bit }) => mask | (1 << bit), 0), ranks, places: wordsOfWindow(sides) }];
  });
}

/**
 * At how many places the instances of loops in space begin. Those over one rank each begin at their own; those of one
 * fan-out over two ranks that slide over each other often at the same (p + r), and then they ask as one, as in Timeloop.
 * Returns the loops that tell instances apart, and the places of all others.
 */
export function apartInSpace(
  shape: NestShape,
  counts: RankCounts,
  windows: readonly NestWindow[],
  loops: number,
): { readonly loops: number; readonly places: number } {
  const crossed = windows.flatMap(window => crossings(shape, counts, window, loops));
  return {
    loops: crossed.reduce((rest, { loops: own }) => rest & ~own, loops),
    places: crossed.reduce((product, { places }) => product * places, 1),
  };
}

/** Words fetched into a level, as `wordsOfWindows` counts them. */
export function fetchedByWindows(
  shape: NestShape,
  counts: RankCounts,
  { relevant, windows = [] }: Pick<NestTensor, "relevant" | "windows">,
  dealt: number,
  level: number,
  words: number,
): number {
  const sliding = new Set(windows.flatMap(window => window.map(({ rank }) => rank)));
  const alone = shape.ranks.flatMap((_, rank): readonly TensorPlace[] =>
    sliding.has(rank) || (relevant & loopsOf(shape, rank)) === 0 ? [] : [[{ rank, stride: 1 }]],
  );
  const places = windows.map(
    (window): TensorPlace => window.map(({ rank, stride }) => ({ rank, stride: strideOf(counts, stride) })),
  );
  return wordsOfWindows(shape, counts.alone ?? [], [...places, ...alone], dealt, level, words);
}
