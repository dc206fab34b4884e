import { chunkOf, type RankCount } from "./partition.js";

/** What a part of a rank is to a memory: a loop in time outside it, in space whose instances are memories or share one, or inside. */
export type PartKind = "time" | "memory" | "shared" | "inside";

/** How the words of a tile are numbered along a rank that a mask couples. */
export interface Inner {
  readonly most: number;
  /** All parts inside tell words apart, or some do. */
  readonly isWhole: boolean;
  readonly isWanted: boolean;
  readonly number: (coordinate: number) => number;
}

/** Of a rank that a nest does not have. */
export const unnumbered: Inner = { most: 1, isWhole: false, isWanted: false, number: () => 0 };

/** @param wanted the parts whose indices tell words apart, bit by bit from the outermost */
export function numberingOf({ bounds, size }: RankCount, kinds: readonly PartKind[], wanted: number): Inner {
  const first = kinds.indexOf("inside");
  const inside = kinds.flatMap((_, part) => (first >= 0 && part >= first ? [part] : []));
  const own = inside.filter(part => (wanted & (1 << part)) !== 0);
  // Numbered by places within the chunk at hand where all parts inside count: neighbours stay neighbours.
  if (own.length > 0 && own.length === inside.length && !kinds.includes("shared")) {
    const chunk = first === 0 ? Number.POSITIVE_INFINITY : chunkOf(bounds, first - 1);
    return { most: size, isWhole: true, isWanted: true, number: x => x % chunk };
  }
  return {
    most: size,
    isWhole: false,
    isWanted: own.length > 0,
    number: x =>
      own.reduce((code, part) => {
        const index = Math.floor(x / chunkOf(bounds, part));
        const bound = bounds[part] as number;
        return code * bound + (part === 0 ? index : index % bound);
      }, 0),
  };
}
