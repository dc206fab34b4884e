import type { Cascade } from "../../einsum/cascade.js";
import type { Rank } from "../../einsum/ranks.js";
import { attentionRoles } from "../../einsum/roles.js";
import { splitOf } from "../../einsum/split.js";
import { SpecError } from "../../errors.js";
import type { Design } from "../../spec/design.js";
import type { AttentionPoint } from "../attention-point.js";
import { workloadSymbols } from "../sizes.js";

/**
 * A rank as the mapper cuts it: over blocks (a loop at DRAM), over the tiles of a block (a loop at the buffer), and within a
 * tile (loops at the buffer, or in space).
 */
export interface MapRank {
  readonly name: string;
  /** What the partition is called: the rank, or the one that the cascade cuts. */
  readonly whole: string;
  readonly outer: string;
  readonly middle: string;
  /** The parts of a tile, outermost first; none for ranks of the batch. Two where fan-outs are of several sizes. */
  readonly tile: readonly string[];
  readonly size: number;
  /** The cascade's rank; undefined for the batch. */
  readonly rank: Rank | undefined;
  /** Of the batch, where cores are within a shared level: as many as are worked on at once, their loop is at that level. */
  readonly atOnce?: true;
}

/** The cascade's ranks as the mapper cuts them. @param tileParts parts of a tile */
export function ranksOf(
  cascade: Cascade,
  { spec }: Design,
  point: AttentionPoint,
  tileParts: 1 | 2,
): readonly MapRank[] {
  const roles = attentionRoles(cascade);
  const taken = new Set(cascade.ranks.ranks.flatMap(({ names, parts }) => [...names, ...parts]));
  const fresh = (name: string): string => {
    let free = name;
    while (taken.has(free)) free += "_";
    taken.add(free);
    return free;
  };
  const symbol = (name: string): string =>
    roles === null
      ? name === "P"
        ? "queries"
        : name
      : ({ [roles.queries]: "queries", [roles.keys]: "M", [roles.e]: "E", [roles.f]: "F" }[name] ?? name);
  const packed = packedQueries(point) ? point.group : 1;
  const tileOf = (name: string, innermost = fresh(`${name}0`)): readonly string[] =>
    tileParts === 1 ? [innermost] : [fresh(`${name}t`), innermost];
  const parts = new Set(cascade.ranks.ranks.flatMap(rank => (rank.parts.length > 1 ? rank.parts : [])));
  return cascade.ranks.ranks
    .filter(rank => !parts.has(rank.name))
    .map((rank): MapRank => {
      const source = symbol(rank.name);
      if (!workloadSymbols.includes(source)) {
        const expected = `ranks that a workload has sizes for: ${workloadSymbols.join(", ")}`;
        throw new SpecError({ where: spec.at(["cascade"]), got: `the rank ${rank.name} of ${cascade.name}`, expected });
      }
      const size = (point.sizes as unknown as Readonly<Record<string, number>>)[source] ?? 1;
      const at = {
        name: rank.name,
        whole: rank.name,
        size: source === "queries" ? size * packed : size,
        rank,
      };
      const [first, second] = rank.parts.length === 1 ? [] : splitOf(cascade, rank);
      if (rank.parts.length === 1) {
        return { ...at, outer: fresh(`${rank.name}2`), middle: fresh(`${rank.name}1`), tile: tileOf(rank.name) };
      }
      if (rank.parts.length !== 2 || first === undefined || second === undefined) {
        const got = `the rank ${rank.name}, which ${cascade.name} cuts into ${rank.parts.join(", ")}`;
        throw new SpecError({ where: spec.at(["cascade"]), got, expected: "two parts" });
      }
      return { ...at, outer: fresh(`${rank.name}2`), middle: first, tile: tileOf(rank.name, second) };
    });
}

/** Heads that share keys are side by side where the queries of one are few. */
const packedQueries = ({ group, queries }: AttentionPoint): boolean => group > 1 && queries < 128;

/**
 * What the batch is called, and its ranks that are cut: heads that share keys, and where cores are within a shared level all others.
 * @param isShared whether they are
 */
export function batchOf(cascade: Cascade, point: AttentionPoint, ranks: readonly MapRank[], isShared: boolean) {
  const roles = attentionRoles(cascade);
  const packed = packedQueries(point);
  const grouped = point.group > 1 && !packed;
  const nameOf = (size: string): string | undefined => (roles === null ? undefined : roles[size as "queries"]);
  const queries = nameOf("queries") ?? "P";
  const symbols: Record<string, string> = {};
  for (const { name } of ranks) {
    if (name === queries) symbols[name] = packed ? "queries * group" : "queries";
    else if (!workloadSymbols.includes(name))
      symbols[name] = name === nameOf("keys") ? "M" : name === nameOf("e") ? "E" : "F";
  }
  if (grouped) symbols["G"] = "group";
  const own = grouped ? ["B", "H", "G"] : ["B", "H"];
  const batch: Record<string, readonly string[]> =
    roles === null ? {} : { [roles.q]: own, [roles.k]: ["B", "H"], [roles.v]: ["B", "H"] };
  const cut = (name: string, size: number): MapRank => ({
    name,
    whole: name,
    outer: `${name}2`,
    middle: `${name}1`,
    tile: [],
    size,
    rank: undefined,
  });
  const atOnce = (name: string, size: number): MapRank => ({ ...cut(name, size), atOnce: true });
  const units = isShared && roles !== null ? [atOnce("B", point.sizes.B), atOnce("H", point.sizes.H)] : [];
  return { symbols, batch, batchRanks: [...units, ...(grouped ? [cut("G", point.group)] : [])] };
}
