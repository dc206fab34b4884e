import { keysOfRow, type SequenceClass } from "../attention/sequences.js";
import {
  type Instances,
  type MappedEinsum,
  type NestLoop,
  type NestObservation,
  observeNest,
  type Visible,
} from "../emulator/observe-nest.js";
import { SpecError } from "../errors.js";
import type { Laid } from "../model/action-counts.js";
import type { CompiledDesign } from "../model/compile.js";
import type { MappedDesign } from "../model/evaluate.js";
import type { VisibleRegion } from "../model/region.js";

/**
 * Walks every Einsum of a mapped design point by point, masked or not. For small sizes.
 * @throws SpecError for windows that slide over a tensor, which the observer does not know
 */
export function observeDesign(
  design: CompiledDesign,
  { einsums, values, region }: MappedDesign,
  instances: Instances = "all",
): Readonly<Record<string, NestObservation>> {
  return Object.fromEntries(
    einsums.map(laid => {
      const mapped = mappedEinsum(design, laid, values);
      const visible = region === undefined ? undefined : visibleIn(laid, mapped, region);
      return [laid.einsum.name, observeNest(mapped, visible, instances)];
    }),
  );
}

/** One Einsum as the observer takes it: loops, ranks and levels as the mapping has them, with their numbers. */
function mappedEinsum(design: CompiledDesign, { einsum, kept }: Laid, values: Float64Array): MappedEinsum {
  const { shape, ranks, operations } = einsum;
  const slid = shape.tensors.find(({ windows }) => windows !== undefined);
  if (slid !== undefined) {
    const got = `sliding windows of ${slid.name}`;
    throw new SpecError({
      where: einsum.at(["loops"]),
      got,
      expected: "indices of one variable: the observer counts tuples",
    });
  }
  const loops = shape.loops.map(({ level, bit }): NestLoop & { readonly bit: number } => {
    const rank = shape.ranks.findIndex(({ shift, parts }) => bit >= shift && bit < shift + parts);
    return { level, bit, rank, part: bit - (shape.ranks[rank]?.shift ?? 0) };
  });
  return {
    levels: shape.levels.map(({ name, spatial }) => ({
      name,
      instances: spatial ? (design.levels.get(name)?.fields.get("size")?.(values) ?? 1) : undefined,
    })),
    ranks: ranks.map(({ size, bounds }) => ({
      size: values[size] as number,
      bounds: bounds.length === 0 ? [values[size] as number] : bounds.map(slot => Math.max(1, values[slot] as number)),
    })),
    loops,
    tensors: shape.tensors.map(({ name, output, relevant }, t) => ({
      name,
      output,
      has: loops.map(({ bit }) => (relevant & (1 << bit)) !== 0),
      kept: kept[t] ?? [],
    })),
    ...dealtIn(einsum, loops),
    operations: Object.fromEntries(operations.map(({ name, perPoint }) => [name, perPoint(values)])),
  };
}

/** The iterations that are dealt to the instances of a fan-out; the observer knows one such fan-out. */
function dealtIn({ shape }: Laid["einsum"], loops: readonly { readonly bit: number }[]): Pick<MappedEinsum, "spread"> {
  const [first] = shape.spread ?? [];
  if (first === undefined) return {};
  const dealt = [...loops.keys()].filter(i => (first.loops & (1 << (loops[i]?.bit ?? 31))) !== 0);
  return { spread: { level: first.level, loops: dealt } };
}

/** What a mask leaves of an Einsum's points: where it does not loop over a rank's inner parts, a point has several scores. */
function visibleIn({ einsum }: Laid, { ranks, loops }: MappedEinsum, region: VisibleRegion): Visible | undefined {
  if (einsum.ranks.every(({ role }) => role !== "queries" && role !== "keys")) return undefined;
  const sequences = region.sequences.flatMap(sequence => Array<SequenceClass>(sequence.count).fill(sequence));
  const [batch, rows, keys] = (["batch", "queries", "keys"] as const).map((wanted): Side => {
    const rank = einsum.ranks.findIndex(({ role }) => role === wanted);
    if (rank < 0) return () => [0, Number.POSITIVE_INFINITY];
    const looped = Math.max(...loops.filter(loop => loop.rank === rank).map(({ part }) => part));
    const { size, bounds } = ranks[rank] as MappedEinsum["ranks"][number];
    const grain = bounds.slice(looped + 1).reduce((product, bound) => product * bound, 1);
    return point => [point[rank] as number, Math.min(size, (point[rank] as number) + grain)];
  }) as [Side, Side, Side];
  const some = (
    point: readonly number[],
    holds: (sequence: SequenceClass, rows: number, from: number, to: number) => boolean,
  ): boolean => {
    const [first, last] = batch(point);
    const [from, to] = rows(point);
    return sequences.slice(first, last).some(sequence => {
      const all = sequence.queries * region.group;
      return holds(sequence, all, from, Math.min(all, to));
    });
  };
  return {
    exists: point =>
      some(point, (sequence, _, from, to) => {
        const [firstKey, lastKey] = keys(point);
        for (let row = from; row < to; row += 1) {
          for (const seen of keysOfRow(region, sequence, row, region.group)) {
            if (seen.from < lastKey && seen.to > firstKey) return true;
          }
        }
        return false;
      }),
    isWithin: point => some(point, (sequence, all, from) => from < all && keys(point)[0] < sequence.keys),
  };
}

/** The coordinates that a point stands for on one side of the scores. */
type Side = (point: readonly number[]) => readonly [from: number, to: number];
