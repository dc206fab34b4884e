import { InputError } from "../errors.js";
import type { Cascade } from "./cascade.js";
import { type Access, type Index, plainVariable, rankNameOf } from "./einsum.js";
import { formatAccess } from "./format-einsum.js";
import { sizeValue } from "./size.js";

/** A window over a rank of a tensor: coordinates from 0 to the last that its variables reach. */
export interface Window {
  /** Undefined where no name says which rank of the tensor it is. */
  readonly rank: string | undefined;
  readonly index: Index;
  readonly read: Access;
  /** Which of the tensor's places it is. */
  readonly place: number;
}

/** Lengths of tensors that are given, by their names. */
export type GivenLengths = ReadonlyMap<string, readonly number[]>;

/** All windows; their ranks are what the tensor's place is called where it is written, declared or read. */
export function windowsOf(cascade: Cascade): readonly Window[] {
  return cascade.einsums.flatMap(({ reads }) =>
    reads.flatMap(read =>
      read.indices.flatMap((index, place): readonly Window[] => {
        if (index.window !== true) return [];
        const own = cascade.tensors.get(read.tensor)?.indices[place];
        const variable = own === undefined ? undefined : plainVariable(own);
        const name = variable === undefined ? (index.rank ?? own?.rank) : rankNameOf(variable);
        const rank = name === undefined ? undefined : cascade.ranks.byName(name);
        return [{ rank: rank?.name, index, read, place }];
      }),
    ),
  );
}

/** How many coordinates a window covers; undefined where a size is not known. */
export function reachOf(
  cascade: Cascade,
  { index }: Pick<Window, "index">,
  sizes: ReadonlyMap<string, number>,
): number | undefined {
  const sizeOf = (name: string): number | undefined => sizes.get(cascade.ranks.byName(name)?.name ?? name);
  return index.terms.reduce<number | undefined>(
    (sum, { variable, coefficient }) => {
      const [size, factor] = [sizeOf(variable), sizeValue(coefficient, sizeOf)];
      return sum === undefined || size === undefined || factor === undefined ? undefined : sum + (size - 1) * factor;
    },
    1 + (sizeValue(index.offset, sizeOf) ?? Number.NaN),
  );
}

/** The variable's size at which a window fills its tensor, where that is the window's only size that is not known. */
export function fillingSize(
  cascade: Cascade,
  { rank, index, read, place }: Window,
  sizes: ReadonlyMap<string, number>,
  given: GivenLengths,
): { readonly rank: string; readonly size: number } | undefined {
  const length = rank === undefined ? given.get(read.tensor)?.[place] : sizes.get(rank);
  const open = index.terms.filter(({ variable }) => !sizes.has(cascade.ranks.ofVariable(variable).name));
  const [term] = open;
  if (length === undefined || open.length !== 1 || term === undefined) return undefined;
  const own = cascade.ranks.ofVariable(term.variable).name;
  const rest = reachOf(cascade, { index }, new Map([...sizes, [own, 1]]));
  const factor = sizeValue(term.coefficient, name => sizes.get(cascade.ranks.byName(name)?.name ?? name));
  if (rest === undefined || factor === undefined || rest > length) return undefined;
  return { rank: own, size: Math.floor((length - rest) / factor) + 1 };
}

/** @throws InputError where a window reaches beyond its tensor */
export function checkWindows(cascade: Cascade, windows: readonly Window[], sizes: ReadonlyMap<string, number>): void {
  const sizeOf = (name: string): number | undefined => sizes.get(cascade.ranks.byName(name)?.name ?? name);
  for (const window of windows) {
    const { rank, read, index } = window;
    const [length, reach] = [rank === undefined ? undefined : sizes.get(rank), reachOf(cascade, window, sizes)];
    const first = sizeValue(index.offset, sizeOf) ?? 0;
    if (first >= 0 && (length === undefined || reach === undefined || reach <= length)) continue;
    const text = formatAccess(read.tensor, read.indices);
    throw new InputError({
      where: `the shape of ${cascade.name}`,
      got:
        first < 0
          ? `${text}, which begins at coordinate ${first}`
          : `${rank} = ${length}, of which ${text} reads ${reach} coordinates`,
      expected: "windows within the tensor: nothing is padded",
    });
  }
}
