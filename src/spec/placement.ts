import type { Cascade } from "../einsum/cascade.js";
import type { Access, Einsum, Index } from "../einsum/einsum.js";
import { formatIndex, formatRead } from "../einsum/format-einsum.js";
import { iterativeRead } from "../einsum/tensors.js";
import type { Formula } from "./expression.js";
import type { PlacedRanks } from "./placed-ranks.js";

/**
 * An Einsum of a design as its cascade has it and its mapping places it: what the model, the schedule, the counts and the
 * emulator ask of it. Ranks are named as the mapping names them, without those of the batch, which are in `batch`.
 */
export interface PlacedEinsum {
  /** Its name in the mapping and in results: the tensor's, or that of a part of it. */
  readonly name: string;
  /** Its number in the cascade. */
  readonly index: number;
  readonly einsum: Einsum;
  /** True where the mapping places it in several parts and this is one of them. */
  readonly isPart: boolean;
  readonly reads: readonly PlacedRead[];
  /** The tensor that it writes. */
  readonly output: string;
  /** Ranks of the output, and ranks that it reduces: together all over which it ranges. */
  readonly free: readonly string[];
  readonly reduced: readonly string[];
  /** Ranks of the mapping's own, such as batch and heads: one computation of the cascade each. */
  readonly batch: readonly string[];
  /** The rank of the iteration that it is a step of: it writes coordinate i + 1; null for any other. */
  readonly iterates: string | null;
  /** Where it is done and with which operations per point; several where the mapping has variants. */
  readonly variants: readonly PlacedVariant[];
}

export interface PlacedVariant {
  readonly array: string;
  readonly operations: Readonly<Record<string, Formula>>;
}

/** A tensor that an Einsum reads. */
export interface PlacedRead {
  /** What the mapping calls it: the tensor's name; with a 0 behind it (RM0) what the tile before left of it. */
  readonly name: string;
  /** The cascade's tensor. */
  readonly tensor: string;
  /** Whether it is the value that an iteration carries from the tile before. */
  readonly carried: boolean;
  /** Its indices where it is read. */
  readonly indices: readonly Index[];
  /** Its ranks, as the reading Einsum calls them. */
  readonly ranks: readonly string[];
  /** Those along which an element of the output needs only the same element: reader and writer may alternate on them. */
  readonly elementwise: readonly string[];
  /** Those that the reading Einsum reduces: it needs all elements before its own is done. */
  readonly whole: readonly string[];
  /** The Einsum that makes it, by its number in the cascade; null for an input. A re-indexing of an input makes an input. */
  readonly writer: number | null;
}

/** Whether an Einsum only starts an iteration or gives a tensor other indices: it does nothing and needs no place. */
export const needsNoPlace = ({ iteration, right, reductions }: Einsum): boolean =>
  iteration?.role === "init" || (right.kind === "access" && reductions.length === 0);

/** The name of what an iteration carries: the tensor's with a 0 behind it, or more where the cascade has such a tensor. */
export function carriedName(cascade: Cascade, tensor: string): string {
  let name = `${tensor}0`;
  while (cascade.tensors.has(name)) name += "0";
  return name;
}

/** What an Einsum reads, each tensor (and each other coordinate of it) once, in the order of its text. */
export function placedReads(cascade: Cascade, einsum: Einsum, ranks: PlacedRanks): readonly PlacedRead[] {
  const reads = new Map<string, PlacedRead>();
  const first = new Map<string, Access>();
  for (const read of einsum.reads) {
    const tensor = cascade.tensors.get(read.tensor);
    const carried = tensor !== undefined && iterativeRead(tensor, read) === "carried";
    const plain = carried ? carriedName(cascade, read.tensor) : read.tensor;
    const known = first.get(plain);
    const same = known === undefined || variablesOf(known) === variablesOf(read);
    if (known === undefined) first.set(plain, read);
    const name = same ? plain : formatRead(read);
    if (reads.has(name)) continue;
    const filtered = new Set(
      einsum.filters.flatMap(({ left, right }) => [left, right].flatMap(index => index.terms.map(t => t.variable))),
    );
    const elementwise = read.indices.flatMap(({ terms, offset }, position) => {
      const [term] = terms;
      const iterative = tensor?.iterative?.position === position;
      if (terms.length !== 1 || term === undefined || (offset.length > 0 && !iterative)) return [];
      const plainly = einsum.free.includes(term.variable) && !filtered.has(term.variable);
      return plainly ? [ranks.nameOf(einsum, term.variable)] : [];
    });
    const own = ranks.ofIndices(einsum, read.indices);
    const variables = new Set(read.indices.flatMap(({ terms }) => terms.map(({ variable }) => variable)));
    reads.set(name, {
      name,
      tensor: read.tensor,
      carried,
      indices: read.indices,
      ranks: own,
      elementwise,
      whole: einsum.reduced.filter(v => variables.has(v)).map(v => ranks.nameOf(einsum, v)),
      writer: writerOf(cascade, read.tensor),
    });
  }
  return [...reads.values()];
}

/** Which words a read wants: its variables, and how windows go along. */
const variablesOf = ({ indices }: Access): string =>
  indices
    .map(index => (index.window === true ? formatIndex(index) : index.terms.map(({ variable }) => variable).join("+")))
    .join();

/** The Einsum that makes a tensor's values; null for an input and for what only re-indexes one. */
function writerOf(cascade: Cascade, tensor: string): number | null {
  const writer = cascade.tensors.get(tensor)?.writer ?? null;
  const einsum = writer === null ? undefined : cascade.einsums[writer];
  if (einsum === undefined || !needsNoPlace(einsum)) return writer;
  const [read] = einsum.reads;
  return read === undefined ? writer : writerOf(cascade, read.tensor);
}
