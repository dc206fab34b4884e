import type { MappedEinsum, NestLoop } from "../../src/emulator/observe-nest.js";
import type { MaskRole } from "../../src/model/mask-ranks.js";

// Small nests of ranks that are cut by hand.

export type Rank = "b" | "r" | "k" | "e" | "f";
export const roleOf: Readonly<Record<Rank, MaskRole>> = {
  b: "batch",
  r: "queries",
  k: "keys",
  e: undefined,
  f: undefined,
};

/** Ranks by their size and bounds; each level's loops, `r0 k0`, of a memory or, with a star in front, of a fan-out. */
export type Cut = Partial<Record<Rank, readonly [size: number, ...bounds: number[]]>>;

/** A nest with every tensor of its ranks, each kept in all memories or in the first and the last. */
export function nestOf(cut: Cut, levels: readonly string[]): MappedEinsum {
  const names = Object.keys(cut) as Rank[];
  const ranks = names.map(name => {
    const [size = 1, ...bounds] = cut[name] ?? [];
    return { size, bounds };
  });
  const loops = levels.flatMap((text, level) =>
    [...text.matchAll(/([brkef])(\d)/g)].map(([, rank, part]): NestLoop => {
      return { level, rank: names.indexOf(rank as Rank), part: Number(part) };
    }),
  );
  const instances = levels.map((text, at) =>
    text.startsWith("*")
      ? loops.filter(({ level }) => level === at).reduce((n, l) => n * (ranks[l.rank]?.bounds[l.part] ?? 1), 1)
      : undefined,
  );
  const memories = levels.flatMap((_, level) => (instances[level] === undefined ? [level] : []));
  const last = memories.at(-1) as number;
  const tensors = Array.from({ length: 2 ** names.length - 1 }, (_, subset) => ({
    name: `T${subset}`,
    output: subset % 3 === 0,
    has: loops.map(({ rank }) => (((subset + 1) >>> rank) & 1) === 1),
    kept: subset % 2 === 0 ? memories : [0, last],
  }));
  return {
    levels: instances.map((own, level) => ({ name: `L${level}`, instances: own })),
    ...{ ranks, loops, tensors, operations: { mac: 1 } },
  };
}
