import { AlongRank, digitOf, type Extent, unneeded, whole } from "./along-rank.js";
import { addBits, type Bits } from "./bits.js";
import type { Cascade } from "./cascade.js";
import type { Edge } from "./dependence.js";
import { type Einsum, type Index, shiftedVariable } from "./einsum.js";
import type { Origins } from "./origins.js";
import { addSizes, oneSize, type Size, soleName } from "./size.js";
import { type IterativeRead, iterativeRead } from "./tensors.js";

/** An Einsum's reads along the asked rank that run over it alike: what a re-read is a re-read of. */
export interface Reader {
  readonly einsum: number;
  /** What one value of the Einsum needs of these reads, one digit a part of the rank. */
  readonly extent: number;
  /** For each part of the rank, the places read and what they derive from. */
  readonly origins: readonly Bits[];
}

export interface Consumption {
  readonly along: AlongRank;
  readonly readers: readonly Reader[];
  /** By Einsum: which of the readers are its. */
  readonly readersOf: readonly (readonly number[])[];
  /** The extent of a value that needed all of a fiber. */
  readonly whole: number;
  /** Readers whose whole fiber every element of the Einsum needs before it can be computed. */
  readonly needed: readonly Uint32Array[];
  /** What an element of the Einsum's tensor has needed of each reader. */
  readonly value: readonly Uint32Array[];
}

/**
 * For every Einsum, what each of its elements needs of every reader of the rank whose parts are given
 * (FuseMax section III). What an iteration carries from the step before counts as its initialization only: the first
 * step needs no more, and over another rank it is another fiber.
 */
export function consumptionOf(cascade: Cascade, parts: readonly string[], origins: Origins): Consumption {
  const { einsums, dependence } = cascade;
  const along = new AlongRank(cascade, parts);
  const readers: Reader[] = [];
  const own = einsums.map((_, i) => makeReaders(i, along, origins).map(reader => readers.push(reader) - 1));
  const none = new Uint32Array(readers.length);
  const needed: Uint32Array[] = einsums.map(() => none);
  const value: Uint32Array[] = einsums.map(() => none);
  for (const i of dependence.groups.flatMap(group => group.einsums)) {
    const einsum = einsums[i] as Einsum;
    const need = new Uint32Array(readers.length);
    const made = new Uint32Array(readers.length);
    for (const edge of dependence.edges[i] ?? []) {
      if (edge.carried) continue;
      const writer = einsums[edge.from] as Einsum;
      const transfer = parts.map((_, part) => transferOf(cascade, along, part, writer, einsum, edge));
      absorb(value[edge.from] ?? none, transfer, need, made);
    }
    for (const r of own[i] ?? []) made[r] = larger(readers[r]?.extent ?? 0, made[r] ?? 0);
    needed[i] = need;
    value[i] = made;
  }
  return { along, readers, readersOf: own, whole: parts.reduce(code => code * 4 + whole, 0), needed, value };
}

function makeReaders(i: number, along: AlongRank, origins: Origins): Reader[] {
  const readers = new Map<number, Bits[]>();
  for (const { read, variables, extent } of along.reads(i)) {
    const reach = variables.map(variable => origins.through(read, variable));
    const own = readers.get(extent);
    if (own === undefined) readers.set(extent, reach);
    else for (const [part, bits] of own.entries()) addBits(bits, reach[part] as Bits);
  }
  return [...readers].map(([extent, reach]) => ({ einsum: i, extent, origins: reach }));
}

/**
 * What a read does to the extent of a value along one part: before the reader's own reduction, and after it. `whole`: all
 * elements are needed at once, or the last one, or the last value of an iteration, which is there when all are.
 */
interface Transfer {
  readonly read: "keep" | "whole" | "drop";
  readonly made: Extent;
}

function transferOf(
  cascade: Cascade,
  along: AlongRank,
  part: number,
  writer: Einsum,
  reader: Einsum,
  { read }: Edge,
): Transfer {
  const position = writer.indices.findIndex(
    (index, at) =>
      !(writer.iteration?.role === "init" && writer.iteration.position === at) &&
      index.terms.some(({ variable }) => along.covered(variable).includes(part)),
  );
  const [written, index] = [writer.indices[position], read.indices[position]];
  if (written === undefined || index === undefined) return dropped;
  const tensor = cascade.tensors.get(read.tensor);
  const kind: IterativeRead | null = tensor?.iterative?.position === position ? iterativeRead(tensor, read) : null;
  if (index.terms.length === 0) {
    const last = kind === "last" || (kind === null && isLastOf(cascade, written, index.offset));
    return { read: last ? "whole" : "drop", made: whole };
  }
  const term = index.terms.find(({ variable }) => along.covered(variable).includes(part));
  // Read along a variable of another rank: whoever goes along this one needs all of it for each of its elements.
  if (term === undefined) return along.rangesPart(reader, part) ? { read: "whole", made: whole } : dropped;
  const extent = along.extentOf(reader, term.variable);
  if (kind !== "current" && !readsInOrder(index)) return { read: "whole", made: whole };
  // One element of the reader, kept along the rank by another variable, needs the whole fiber.
  if (extent === whole && along.readsKept(reader, part)) return { read: "whole", made: whole };
  return { read: "keep", made: extent };
}

const dropped: Transfer = { read: "drop", made: unneeded };

/**
 * Whether an index goes up with its variables and looks ahead by no more than a number: k, k+1, k-J, 2*k, m1*M0+m0; not K-1-k or
 * k+J, whose first coordinates may be the last.
 */
const readsInOrder = ({ terms, offset }: Index): boolean =>
  offset.every(part => part.names.length === 0 || part.coefficient < 0) &&
  terms.every(({ coefficient }) => coefficient.every(c => c.coefficient > 0));

/** Whether an offset is the last coordinate of what an index makes: `S[K-1]` of a tensor that K elements make. */
function isLastOf(cascade: Cascade, made: Index, offset: Size): boolean {
  const variable = shiftedVariable(made);
  const size = soleName(addSizes(offset, oneSize));
  return variable !== undefined && size !== undefined && cascade.ranks.ofVariable(variable).names.includes(size);
}

/**
 * Adds what a read value has needed to what its reader needs (`need`) and to what the reader's value has needed
 * (`made`).
 */
function absorb(source: Uint32Array, transfer: readonly Transfer[], need: Uint32Array, made: Uint32Array): void {
  for (const [r, code] of source.entries()) {
    if (code === unneeded) continue;
    let [before, after] = [0, 0];
    let isDropped = false;
    for (const [part, { read, made: role }] of transfer.entries()) {
      const digit = digitOf(code, part, transfer.length);
      const seen = read === "whole" ? whole : digit;
      // Values that have read a whole fiber hold it up wherever they are read.
      if (read === "drop" && digit !== whole) isDropped = true;
      before = before * 4 + seen;
      after = after * 4 + Math.max(seen, role);
    }
    if (isDropped) continue;
    need[r] = larger(before, need[r] as number);
    made[r] = larger(after, made[r] as number);
  }
}

/**
 * The larger of two extents. Where neither holds the other, along a split rank, either one alone is true and their
 * union is not: all of one row and all of one column are not the whole.
 */
const larger = (a: number, b: number): number => (digitSum(a) > digitSum(b) ? a : b);

const digitSum = (code: number): number => (code < 4 ? code : (code % 4) + digitSum(Math.floor(code / 4)));
