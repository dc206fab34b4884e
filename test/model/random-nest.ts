import fc from "fast-check";
import type { MappedEinsum, NestLoop } from "../../src/emulator/observe-nest.js";
import { type NestShape, nestShape } from "../../src/model/nest.js";
import { countRank, type RankCount, rankCount } from "../../src/model/partition.js";

/** Random small nests: ranks cut into parts in time and space in any order, over levels in any order. */
export interface NestLimits {
  readonly ranks: number;
  /** Points of a rank, at most. */
  readonly size: number;
  readonly levels: number;
}

const subset = (length: number) => fc.array(fc.boolean(), { minLength: length, maxLength: length });

export function randomNests({ ranks, size, levels }: NestLimits): fc.Arbitrary<MappedEinsum> {
  const level = fc.constantFrom(undefined, 1);
  const rank = fc.record({
    size: fc.integer({ min: 1, max: size }),
    inner: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }),
    // Where each part's loop goes, and which of the ranks' loops comes first there.
    places: fc.array(fc.tuple(fc.nat(99), fc.nat(99)), { minLength: 4, maxLength: 4 }),
  });
  return fc
    .record({
      inner: fc.array(level, { minLength: 1, maxLength: levels - 1 }),
      ranks: fc.array(rank, { minLength: 1, maxLength: ranks }),
      tensors: fc.array(
        fc.record({ output: fc.boolean(), whole: subset(ranks), parts: fc.option(subset(16), { freq: 6 }) }),
        { minLength: 1, maxLength: 3 },
      ),
      kept: fc.array(subset(levels), { minLength: 3, maxLength: 3 }),
    })
    .map(({ inner, ranks: drawn, tensors, kept }) => {
      const kinds = [undefined, ...inner];
      const cut = drawn.map(({ size: coordinates, inner }) => ({
        size: coordinates,
        bounds: [Math.ceil(coordinates / inner.reduce((a, b) => a * b, 1)), ...inner],
      }));
      const loops = drawn
        .flatMap(({ places }, r): (NestLoop & { readonly order: number })[] => {
          const parts = (cut[r]?.bounds ?? []).map((_, part) => places[part] as [number, number]);
          const at = parts.map(([place]) => place % kinds.length).sort((a, b) => a - b);
          return parts.map(([, order], part) => ({ level: at[part] as number, rank: r, part, order }));
        })
        .sort(
          (a, b) => a.level - b.level || (a.rank === b.rank ? a.part - b.part : a.order - b.order || a.rank - b.rank),
        );
      const ordered = inOrder(loops);
      const levelsOf = kinds.map((fanout, at) => ({
        name: `L${at}`,
        instances:
          fanout === undefined
            ? undefined
            : ordered.filter(loop => loop.level === at).reduce((n, l) => n * (cut[l.rank]?.bounds[l.part] ?? 1), 1),
      }));
      const memories = kinds.flatMap((fanout, at) => (fanout === undefined ? [at] : []));
      return {
        levels: levelsOf,
        ranks: cut,
        loops: ordered,
        tensors: tensors.map(({ output, whole, parts }, t) => {
          const chosen = memories.filter(at => kept[t]?.[at] === true);
          return {
            name: `T${t}`,
            output,
            has: ordered.map(({ rank, part }) =>
              parts === null ? whole[rank] === true : parts[rank * 4 + part] === true,
            ),
            kept: chosen.length > 0 ? chosen : [0],
          };
        }),
        operations: { mac: 1 },
      };
    });
}

/** The same nest with the iterations of some loops of a memory dealt to the instances of a fan-out below it that has none. */
export const dealtNests = fc
  .tuple(randomNests({ ranks: 3, size: 7, levels: 6 }), fc.integer({ min: 1, max: 5 }), fc.nat(99), fc.nat(99))
  .map(([einsum, instances, which, how]): MappedEinsum | undefined => {
    const { levels, loops } = einsum;
    const hasLoops = (level: number): boolean => loops.some(loop => loop.level === level);
    const places = levels.flatMap((own, level) => {
      const memory = levels.slice(0, level).findLastIndex(outer => outer.instances === undefined);
      return own.instances !== undefined && !hasLoops(level) && hasLoops(memory) ? [{ level, memory }] : [];
    });
    const place = places[which % Math.max(1, places.length)];
    if (place === undefined) return undefined;
    const own = [...loops.keys()].filter(i => loops[i]?.level === place.memory);
    const chosen = own.filter((_, i) => ((how >>> i) & 1) === 1);
    const dealt = chosen.length > 0 ? chosen : own;
    return {
      ...einsum,
      levels: levels.map((l, i) => (i === place.level ? { ...l, instances } : l)),
      spread: { level: place.level, loops: dealt },
    };
  })
  .filter(einsum => einsum !== undefined);

/** Comparing by rank or by order is no total order: parts of a rank are put back in theirs, place by place. */
function inOrder(loops: readonly NestLoop[]): readonly NestLoop[] {
  const next = new Map<number, number>();
  return loops.map(({ level, rank }) => {
    const part = next.get(rank) ?? 0;
    next.set(rank, part + 1);
    return { level, rank, part };
  });
}

/** The same nest as the model has it. */
export function modelNest({ levels, ranks, loops, tensors, spread }: MappedEinsum): {
  readonly shape: NestShape;
  readonly ranks: readonly RankCount[];
  readonly kept: readonly (readonly number[])[];
} {
  let shift = 0;
  const cut = ranks.map(({ bounds }) => {
    const first = shift;
    shift += bounds.length;
    return { shift: first, parts: bounds.length };
  });
  const bitOf = ({ rank, part }: NestLoop): number => (cut[rank]?.shift ?? 0) + part;
  const shape = nestShape({
    ...(spread === undefined
      ? {}
      : {
          spread: [
            {
              level: spread.level,
              loops: spread.loops.reduce((mask, i) => mask | (1 << bitOf(loops[i] as NestLoop)), 0),
            },
          ],
        }),
    levels: levels.map(({ name, instances }) => ({ name, spatial: instances !== undefined })),
    loops: loops.map(loop => ({ level: loop.level, bit: bitOf(loop) })),
    ranks: cut,
    tensors: tensors.map(({ name, output, has }) => ({
      name,
      output,
      relevant: loops.reduce((mask, loop, i) => (has[i] === true ? mask | (1 << bitOf(loop)) : mask), 0),
    })),
  });
  const counted = ranks.map(({ size, bounds }, r) => {
    const { shift, parts } = cut[r] as (typeof cut)[number];
    const rank = rankCount(parts, (shape.masks.spatial >>> shift) & ((1 << parts) - 1));
    rank.bounds.set(bounds);
    countRank(rank, size);
    return rank;
  });
  return { shape, ranks: counted, kept: tensors.map(tensor => tensor.kept) };
}
