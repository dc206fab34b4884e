import type { MappedBlock } from "./block.js";
import type { MapperProblem } from "./problem.js";
import type { MapRank } from "./ranks.js";

type Option = MappedBlock["einsums"][number]["option"];

/** The parts of a rank as a mapping's file has them in one block: those that iterate, by the mapper's names for them. */
export interface Cut {
  readonly parts: Readonly<Record<string, number | string>>;
  readonly names: ReadonlyMap<string, string | undefined>;
  /** A part of one element, and whether it is around the rank's last part that iterates. */
  readonly idle?: { readonly part: string; readonly isAround: boolean };
}

/** A loop of one step over a fan-out, by an Einsum of a block: it says that the fan-out's instances are meant to idle. */
interface IdleLoop {
  readonly einsum: string;
  readonly level: string;
  readonly rank: number;
  /** The last part of the rank's tile lies further in. */
  readonly isAround: boolean;
}

/** A block with the loops over fan-outs that nothing lies over. */
export interface IdleBlock extends MappedBlock {
  readonly idle: readonly IdleLoop[];
}

/**
 * Where no Einsum lies over a fan-out of an array that some are done on, one gets a loop of one step over it: instances that no loop
 * names are a mistake of whoever wrote a mapping (`checkInstances`).
 */
export function withIdleLoops({ arrays }: MapperProblem, blocks: readonly MappedBlock[]): readonly IdleBlock[] {
  const found = blocks.map((): IdleLoop[] => []);
  for (const array of arrays) {
    const on = blocks.flatMap(({ einsums }, b) =>
      einsums.flatMap(({ option }) => (option.place.array === array ? [{ own: found[b] as IdleLoop[], option }] : [])),
    );
    for (const [i, { level, size }] of array.fanouts.entries()) {
      if (size === 1 || on.some(({ option }) => option.place.over[i] !== undefined)) continue;
      for (const { own, option } of on) {
        // A block shares its parts of a rank: one of them says that something idles.
        const free = option.einsum.ranks.find(({ rank, inner }) => inner && !own.some(loop => loop.rank === rank));
        if (free === undefined) continue;
        const last = option.place.over.findLastIndex(laid => laid?.rank === free.rank);
        own.push({ einsum: option.einsum.name, level, rank: free.rank, isAround: last > i });
        break;
      }
    }
  }
  return blocks.map((block, b) => ({ ...block, idle: found[b] as IdleLoop[] }));
}

/** A cut with a part of one element more, where one is asked for. The last part keeps its name: the cascade may have given it. */
export function withIdlePart(cut: Cut, { name, tile, idle }: MapRank, r: number, block: IdleBlock): Cut {
  const loop = block.idle.find(({ rank }) => rank === r);
  const last = tile.at(-1);
  if (loop === undefined || last === undefined || idle === undefined) return cut;
  const { isAround } = loop;
  // A rank in one piece is named by itself: its only part becomes the rest.
  const [whole] = [...cut.names].find(([, written]) => written === name && Object.keys(cut.parts).length === 0) ?? [];
  const parts = whole === undefined ? cut.parts : { [whole]: "rest" };
  const names = new Map([...cut.names].map(([part, written]) => [part, part === whole ? part : written]));
  if (names.get(last) === undefined)
    return { parts: { ...parts, [last]: 1 }, names, idle: { part: last, isAround: false } };
  const { [last]: size = "rest", ...others } = parts;
  if (isAround) {
    const rest =
      size === "rest" ? { [idle]: "rest", [last]: block.tiling.cut[r]?.tile.at(-1) ?? 1 } : { [idle]: 1, [last]: size };
    return { parts: { ...others, ...rest }, names, idle: { part: idle, isAround } };
  }
  return {
    parts: { ...others, [idle]: size, [last]: 1 },
    names: names.set(last, idle),
    idle: { part: last, isAround },
  };
}

/** The loops of an Einsum with those of one step: over the fan-out that idles, or beside the rank's last part. Levels without loops are left out. */
export function withIdleSteps(
  loops: Readonly<Record<string, readonly string[]>>,
  { einsum, place }: Option,
  { idle }: IdleBlock,
  cuts: readonly Cut[],
): Readonly<Record<string, readonly string[]>> {
  const all = new Map(Object.entries(loops).map(([level, own]) => [level, [...own]]));
  for (const { rank, inner } of einsum.ranks) {
    const { idle: step, names } = cuts[rank] ?? {};
    if (!inner || step === undefined || names === undefined) continue;
    const own = idle.find(loop => loop.rank === rank && loop.einsum === einsum.name);
    const written = [...names.values()];
    const around =
      [...all].findLast(([, list]) => list.some(loop => written.includes(loop)))?.[0] ?? place.array.buffer;
    const level = own?.level ?? around;
    const list = all.get(level) ?? [];
    const at = list.findLastIndex(loop => written.includes(loop));
    list.splice(at < 0 ? list.length : step.isAround ? at : at + 1, 0, step.part);
    all.set(level, list);
  }
  return Object.fromEntries([...all].filter(([, list]) => list.length > 0));
}
