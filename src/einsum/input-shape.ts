import { InputError, UsageError } from "../errors.js";
import type { Cascade } from "./cascade.js";
import type { Index } from "./einsum.js";
import { formatTensor } from "./format-einsum.js";
import { indexedRank, type Shape, type SizeOf } from "./shape.js";
import { constantOf, renameSize, sizeValue, zeroSize } from "./size.js";

/** The rank whose coordinates an index runs over, a shift left aside: M of `m`, of `m+1` and of `m1*M0+m0`. */
export const rankOfIndex = (cascade: Cascade, index: Index): string | undefined =>
  indexedRank(cascade, { ...index, offset: zeroSize });

/** Every way in which a tensor is indexed where it is read or declared. */
function tuplesOf(cascade: Cascade, name: string): (readonly Index[])[] {
  const reads = cascade.einsums.flatMap(einsum => einsum.reads.filter(read => read.tensor === name));
  return [cascade.tensors.get(name)?.indices ?? [], ...reads.map(read => read.indices)];
}

/**
 * Sizes of the ranks that index the inputs; a border, A[k+1], makes an input longer than its rank.
 * @throws InputError for a wrong number of ranks and for sizes that contradict each other or `given`.
 */
export function sizesOfInputs(
  cascade: Cascade,
  inputs: ReadonlyMap<string, readonly number[]>,
  given: Shape,
): Record<string, number> {
  const sizes = new Map(Object.entries(given).map(([name, size]) => [cascade.ranks.byName(name)?.name ?? name, size]));
  const sources = new Map([...sizes.keys()].map(rank => [rank, "the shape"]));
  for (const [name, shape] of inputs) {
    const ranks = cascade.tensors.get(name)?.indices.length ?? 0;
    const where = `the input ${name} of ${cascade.name}`;
    if (shape.length !== ranks) {
      const expected = `${ranks} rank${ranks === 1 ? "" : "s"}: ${formatTensor(cascade, name)}`;
      throw new InputError({ where, got: `shape [${shape.join(",")}]`, expected });
    }
    const tuples = tuplesOf(cascade, name);
    for (const [place, length] of shape.entries()) {
      const shift = (index: Index | undefined): number =>
        index === undefined || index.terms.length === 0 ? 0 : (constantOf(index.offset) ?? 0);
      const border = Math.max(0, ...tuples.map(indices => shift(indices[place])));
      for (const indices of tuples) {
        const index = indices[place];
        const rank = index === undefined ? undefined : rankOfIndex(cascade, index);
        if (rank === undefined) continue;
        const known = sizes.get(rank) ?? length - border;
        if (known !== length - border) {
          throw new InputError({
            where,
            got: `${length} coordinates along ${rank}`,
            expected: `${known + border}, as ${sources.get(rank)} has it`,
            fix: `the text has ${formatTensor(cascade, name)}: name the axes of a file that has them in another order`,
          });
        }
        sizes.set(rank, known);
        if (!sources.has(rank)) sources.set(rank, name);
      }
    }
  }
  return Object.fromEntries(sizes);
}

/** The lengths of an input as far as sizes are known. */
export function partialShape(
  cascade: Cascade,
  input: string,
  sizes: ReadonlyMap<string, number>,
): (number | undefined)[] {
  const sizeOf = (rank: string): number | undefined => sizes.get(cascade.ranks.byName(rank)?.name ?? rank);
  const tensor = cascade.tensors.get(input);
  if (tensor === undefined || tensor.writer !== null) return [];
  const tuples = tuplesOf(cascade, input);
  return tensor.indices.map((_, place) =>
    // A border, A[k+1], makes the input longer than its rank: the longest of its reads counts.
    tuples.reduce<number | undefined>((most, indices) => {
      const index = indices[place];
      const last = index?.terms.reduce<number | undefined>(
        (sum, { variable, coefficient }) => {
          const [size, factor] = [sizeOf(cascade.ranks.ofVariable(variable).name), sizeValue(coefficient, sizeOf)];
          return sum === undefined || size === undefined || factor === undefined
            ? undefined
            : // Of A[K-1-k] the first point reads the last coordinate.
              sum + Math.max(0, (size - 1) * factor);
        },
        offsetFromStart(cascade, index, sizeOf),
      );
      // A window may end before its tensor does.
      const whole =
        index?.rank === undefined ? undefined : sizeOf(cascade.ranks.byName(index.rank)?.name ?? index.rank);
      return last === undefined ? (whole ?? most) : Math.max(most ?? 0, last + 1, whole ?? 0);
    }, undefined),
  );
}

/** An index's offset; 0 where it begins before its tensor, A[k-1]: the tensor is as long as its rank all the same. */
function offsetFromStart(cascade: Cascade, index: Index, sizeOf: SizeOf): number | undefined {
  const offset = sizeValue(
    renameSize(index.offset, name => cascade.ranks.byName(name)?.name ?? name),
    sizeOf,
  );
  return offset === undefined ? undefined : Math.max(0, offset);
}

/** The shape of an input. @throws UsageError where a size is not known */
export function inputShape(cascade: Cascade, input: string, sizes: ReadonlyMap<string, number>): number[] {
  return partialShape(cascade, input, sizes).map(length => {
    if (length !== undefined) return length;
    throw new UsageError({
      where: `the input ${input} of ${cascade.name}`,
      got: "a size that nothing says",
      expected: "sizes for all ranks, with --shape",
    });
  });
}
