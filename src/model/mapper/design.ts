import { SpecError } from "../../errors.js";
import { bindingSchema } from "../../spec/binding.js";
import { completeMapping } from "../../spec/complete-mapping.js";
import type { Design } from "../../spec/design.js";
import { type Document, type Path, withSchema } from "../../spec/document.js";
import { checkFusion } from "../../spec/fusion.js";
import { type EinsumMapping, writtenMappingSchema } from "../../spec/mapping.js";
import type { MappedBlock } from "./block.js";
import { idleFanouts } from "./idle-fanouts.js";
import { nestOf, operationsOn } from "./place.js";
import type { MapperProblem } from "./problem.js";
import type { RankCut } from "./tiling.js";

/** What a file of a mapping and one of a binding say. */
export interface MappingFiles {
  readonly mapping: Readonly<Record<string, unknown>>;
  readonly binding: Readonly<Record<string, unknown>>;
}

/** The parts of a rank as a mapping's file has them in one block: those that iterate, by the mapper's names for them. */
interface Cut {
  readonly parts: Readonly<Record<string, number | string>>;
  readonly names: ReadonlyMap<string, string | undefined>;
}

/**
 * The blocks of a search as files: a mapping in which parts of one iteration are left out, and a binding in which blocks follow one another
 * and, within one, arrays work side by side.
 * @param madeFor the workload in words
 */
export function mappingFiles(
  problem: MapperProblem,
  blocks: readonly MappedBlock[],
  name: string,
  source: string,
  madeFor?: string,
): MappingFiles {
  const { ranks, cascade } = problem;
  const cuts = blocks.map(block => ranks.map((_, r) => cutOf(problem, blocks, block, r)));
  const has = (block: MappedBlock, r: number): boolean =>
    block.einsums.some(({ option }) => option.einsum.ranks.some(({ rank }) => rank === r));
  const isShared = (r: number): boolean => {
    const texts = blocks.flatMap((block, b) => (has(block, r) ? [JSON.stringify(cuts[b]?.[r]?.parts)] : []));
    return ranks[r]?.rank?.parts.length === 2 || new Set(texts).size <= 1;
  };
  const firstWith = (r: number): Cut | undefined => cuts[blocks.findIndex(block => has(block, r))]?.[r];
  const partitions = Object.fromEntries(
    ranks.flatMap(({ whole }, r) => {
      const parts = firstWith(r)?.parts ?? {};
      return isShared(r) && Object.keys(parts).length > 0 ? [[whole, parts]] : [];
    }),
  );
  const einsums = Object.fromEntries(
    blocks.flatMap((block, b) =>
      block.einsums.map(({ option, kept }) => {
        const cut = cuts[b] as readonly Cut[];
        const own = Object.fromEntries(
          option.einsum.ranks.flatMap(({ rank }) => {
            const { whole } = ranks[rank] as (typeof ranks)[number];
            const parts = cut[rank]?.parts ?? {};
            const same = JSON.stringify(parts) === JSON.stringify(partitions[whole] ?? {});
            return same || Object.keys(parts).length === 0 ? [] : [[whole, parts]];
          }),
        );
        return [option.einsum.name, entryOf(problem, block, option, kept, cut, own)];
      }),
    ),
  );
  const idle = idleFanouts(problem, Object.values(einsums));
  const mapping = {
    name,
    source,
    ...(madeFor === undefined ? {} : { madeFor }),
    ...problem.written,
    ...(Object.keys(problem.inPlace).length === 0 ? {} : { inPlace: problem.inPlace }),
    ...(idle.length === 0 ? {} : { idle }),
    ...(Object.keys(partitions).length === 0 ? {} : { partitions }),
    einsums,
  };
  const phases = blocks.map((block, b) => ({
    name: blocks.length === 1 ? cascade.name : `block ${b + 1}`,
    latency: latencyOf(problem, block),
  }));
  return { mapping, binding: { name, source, phases } };
}

type Chosen = MappedBlock["einsums"][number];

/** What a rank's parts are called in a file: the outermost that iterates covers the rest; a rank in one piece is not cut. */
function cutOf({ ranks }: MapperProblem, blocks: readonly MappedBlock[], block: MappedBlock, r: number): Cut {
  const { tiling } = block;
  const { name, outer, middle, tile, rank } = ranks[r] as MapperProblem["ranks"][number];
  const own = tiling.cut[r] as RankCut;
  const isCascades = rank?.parts.length === 2;
  const parts = [outer, middle, ...tile];
  const innermost = parts.at(-1) as string;
  const named = (of: (part: string) => string | undefined): Cut["names"] =>
    new Map(parts.map(part => [part, of(part)]));
  // All blocks have the parts of a rank that the cascade cuts, so that its tensors have the same ranks everywhere.
  const all =
    isCascades && blocks.some(({ tiling: other }) => (other.cut[r]?.outer ?? 1) > 1 && (other.cut[r]?.middle ?? 1) > 1);
  const sizes: Readonly<Record<string, number>> = {
    [middle]: own.middle,
    ...Object.fromEntries(tile.map((part, k) => [part, own.tile[k] ?? 1])),
  };
  const within = tile.filter(
    (part, k) => (own.tile[k] ?? 1) > 1 || (part === innermost && isCascades) || liesOver(block, r, k),
  );
  if (isCascades && !all) {
    // One loop over the cascade's tiles, at whichever level it iterates.
    const around = own.outer > 1 ? outer : middle;
    // One tile is said to be one: its loop is then between no two others, as the search has it.
    const isOne = own.outer <= 1 && own.middle <= 1;
    return {
      parts: { [middle]: isOne ? 1 : "rest", ...Object.fromEntries(within.map(part => [part, sizes[part] ?? 1])) },
      names: named(part => (part === around ? middle : within.includes(part) ? part : undefined)),
    };
  }
  const kept = [...(own.outer > 1 || all ? [outer] : []), ...(own.middle > 1 || all ? [middle] : []), ...within];
  // Its loop does not iterate, and says so: it is between no two others.
  if (kept.length === 0) {
    return { parts: { [innermost]: 1 }, names: named(part => (part === innermost ? part : undefined)) };
  }
  if (kept.length === 1) return { parts: {}, names: named(part => (part === kept[0] ? name : undefined)) };
  return {
    parts: Object.fromEntries(kept.map((part, i) => [part, i === 0 ? "rest" : (sizes[part] ?? 1)])),
    names: named(part => (kept.includes(part) ? part : undefined)),
  };
}

/**
 * Whether a part of a rank's tile lies over several instances in some Einsum of a block, by itself or as the innermost. Such a loop
 * stays in the file even where it does not iterate.
 */
const liesOver = ({ einsums }: MappedBlock, r: number, part: number): boolean =>
  einsums.some(({ option: { place } }) =>
    place.over.some(
      (own, i) => own?.rank === r && own.parts.at(-1) === part && (place.array.fanouts[i]?.size ?? 1) > 1,
    ),
  );

/** An Einsum's place as a file says it. */
type EntryOfFile = Pick<EinsumMapping, "array" | "loops" | "keep"> & {
  readonly spread?: Readonly<Record<string, readonly string[]>>;
};

function entryOf(
  problem: MapperProblem,
  block: MappedBlock,
  option: Chosen["option"],
  kept: Chosen["kept"],
  cuts: readonly Cut[],
  partitions: Readonly<Record<string, unknown>>,
): EntryOfFile {
  const nest = nestOf(problem, option.einsum, option.place, block.tiling.order, {});
  const renamed = new Map(cuts.flatMap(({ names }) => [...names]));
  const loopsOf = (loops: readonly string[]): readonly string[] =>
    loops.flatMap(loop => (renamed.has(loop) ? (renamed.get(loop) ?? []) : [loop]));
  const loops = Object.fromEntries(
    Object.entries(nest.loops).flatMap(([level, own]) => {
      const iterating = loopsOf(own);
      return iterating.length === 0 ? [] : [[level, iterating] as const];
    }),
  );
  const keep = Object.fromEntries(
    option.levelNames.flatMap((level, index) => {
      const tensors = option.tensors.filter((_, t) => kept[t]?.includes(index) === true);
      return tensors.length === 0 ? [] : [[level, tensors]];
    }),
  );
  const dealt = Object.entries(nest.spread ?? {}).flatMap(([level, own]) => {
    const iterating = loopsOf(own);
    return iterating.length === 0 ? [] : [[level, iterating] as const];
  });
  const { einsum } = option;
  const { array } = option.place;
  const taken = operationsOn(problem, einsum, array);
  const isPart = einsum.entry.part !== undefined;
  return {
    ...(isPart ? { of: einsum.placed.output } : {}),
    array: nest.array,
    ...(isPart || taken?.source !== undefined ? { operations: taken?.operations } : {}),
    ...(taken?.source === undefined ? {} : { source: taken.source }),
    ...(Object.keys(partitions).length === 0 ? {} : { partitions }),
    loops,
    ...(dealt.length === 0 ? {} : { spread: Object.fromEntries(dealt) }),
    keep,
  };
}

/**
 * Arrays side by side, each with its Einsums one after the other: tiles of a block are worked on in turn. What is carried from step to
 * step through several arrays takes at least its own time.
 */
function latencyOf({ recurrences, einsums: all }: MapperProblem, { einsums, from }: MappedBlock): string {
  const byArray = new Map<string, string[]>();
  for (const { option } of einsums) {
    const { name } = option.place.array;
    byArray.set(name, [...(byArray.get(name) ?? []), option.einsum.name]);
  }
  const arrayOf = (e: number): string | undefined => einsums[e - from]?.option.place.array.name;
  const carried = recurrences
    .filter(set => set.every(e => arrayOf(e) !== undefined) && new Set(set.map(arrayOf)).size > 1)
    .map(set => set.map(e => all[e]?.name ?? ""));
  const sums = [...byArray.values(), ...carried].map(names => names.join(" + "));
  return sums.length === 1 ? (sums[0] as string) : `max(${sums.join(", ")})`;
}

/** The blocks as a design, checked as any design's files are. Throws SpecError for a mapping that contradicts the cascade. */
export function designOf(problem: MapperProblem, { mapping, binding }: MappingFiles): Design {
  const { design, cascade } = problem;
  const at = (path: Path): string => `mapping ${path.join(".")}`;
  const empty: Document<unknown> = {
    file: "mapper",
    data: undefined,
    at,
    shipped: false,
    raw: undefined,
    read: () => undefined,
  };
  const written = withSchema(empty, mapping, writtenMappingSchema);
  const complete = completeMapping(written, cascade, design.architecture);
  checkFusion(complete.mapping.data, design.architecture.data, complete.facts, at);
  if (complete.placement === undefined) {
    throw new SpecError({ where: "mapper", got: "a mapping without places", expected: "one for each Einsum" });
  }
  // What the published sum leaves out is of the published mapping.
  const { unchargedWhenPublished: _, ...spec } = design.spec.data;
  return {
    ...design,
    spec: { ...design.spec, data: spec },
    mapping: complete.mapping,
    placement: complete.placement,
    binding: withSchema(empty, binding, bindingSchema),
    schedule: undefined,
  };
}
