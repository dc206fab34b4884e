import { AlongRank, type Extent, unneeded, whole } from "./along-rank.js";
import { addBits, type Bits } from "./bits.js";
import type { Cascade } from "./cascade.js";
import type { Edge } from "./dependence.js";
import { type Access, type Einsum, type Index, shiftedVariable } from "./einsum.js";
import type { Origins } from "./origins.js";
import { constantOf } from "./size.js";
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
  if (readers.length > 0) {
    for (const i of dependence.groups.flatMap(group => group.einsums)) {
      const einsum = einsums[i] as Einsum;
      const need = new Uint32Array(readers.length);
      const made = new Uint32Array(readers.length);
      for (const edge of dependence.edges[i] ?? []) {
        if (edge.carried) continue;
        const writer = einsums[edge.from] as Einsum;
        const transfer = parts.map((_, part) => transferOf(cascade, along, part, writer, einsum, edge));
        const [only] = transfer;
        if (only !== undefined && parts.length === 1) absorbUnsplit(value[edge.from] ?? none, only, need, made);
        else absorb(value[edge.from] ?? none, transfer, need, made);
      }
      for (const r of own[i] ?? []) made[r] = larger(made[r] ?? 0, readers[r]?.extent ?? 0);
      needed[i] = need;
      value[i] = made;
    }
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
 * What a read does to the extent of a value along one part: before the reader's own reduction, and after it. `finish`: the
 * last value of an iteration, or the last element, which is there when all are; `whole`: all elements are needed at once.
 */
interface Transfer {
  readonly read: "keep" | "finish" | "whole" | "drop";
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
  const index = read.indices[position];
  if (index === undefined) return dropped;
  const tensor = cascade.tensors.get(read.tensor);
  const iterates = tensor?.iterative?.position === position;
  const kind: IterativeRead | null = iterates && tensor !== undefined ? iterativeRead(tensor, read) : null;
  if (index.terms.length === 0) {
    const last = kind === "last" || (kind === null && isLastOf(cascade, writer, position, read));
    return { read: last ? "finish" : "drop", made: whole };
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
 * Whether an index goes up with its variables and looks ahead by no more than a number: k, k+1, 2*k, m1*M0+m0; not K-1-k or
 * k+J, whose first coordinates may be the last.
 */
const readsInOrder = ({ terms, offset }: Index): boolean =>
  constantOf(offset) !== undefined && terms.every(({ coefficient }) => coefficient.every(c => c.coefficient > 0));

/** `S[K-1]` of a tensor that K elements make. */
function isLastOf(cascade: Cascade, writer: Einsum, position: number, read: Access): boolean {
  const variable = shiftedVariable(writer.indices[position] ?? { terms: [], offset: [], span: read.span });
  const index = read.indices[position];
  if (variable === undefined || index === undefined) return false;
  const rank = cascade.ranks.ofVariable(variable);
  const [name, one] = [...index.offset].sort((a, b) => b.names.length - a.names.length);
  return (
    index.offset.length === 2 &&
    name?.coefficient === 1 &&
    name.names.length === 1 &&
    rank.names.includes(name.names[0] ?? "") &&
    one?.names.length === 0 &&
    one.coefficient === -1
  );
}

/**
 * Adds what a read value has needed to what its reader needs (`need`) and to what the reader's value has needed
 * (`made`).
 */
function absorb(source: Uint32Array, transfer: readonly Transfer[], need: Uint32Array, made: Uint32Array): void {
  for (let r = 0; r < source.length; r += 1) {
    const code = source[r] as number;
    if (code === unneeded) continue;
    let [before, after, scale] = [0, 0, 1];
    for (let part = transfer.length - 1; part >= 0; part -= 1) {
      const { read, made: role } = transfer[part] as Transfer;
      const digit = Math.floor(code / scale) % 4;
      let seen = digit;
      if (digit !== whole) {
        if (read === "drop") {
          scale = 0;
          break;
        }
        if (read === "finish" || read === "whole") seen = whole;
      }
      before += seen * scale;
      after += (seen === whole ? whole : Math.max(seen, role)) * scale;
      scale *= 4;
    }
    if (scale === 0) continue;
    need[r] = larger(need[r] as number, before);
    made[r] = larger(made[r] as number, after);
  }
}

/** The same for a rank that is not split, where extents are single digits and ordered. */
function absorbUnsplit(
  source: Uint32Array,
  { read, made: role }: Transfer,
  need: Uint32Array,
  made: Uint32Array,
): void {
  for (let r = 0; r < source.length; r += 1) {
    let extent = source[r] as number;
    if (extent === unneeded) continue;
    if (extent !== whole) {
      if (read === "drop") continue;
      if (read === "finish" || read === "whole") extent = whole;
    }
    if (extent > (need[r] as number)) need[r] = extent;
    if (extent < role) extent = role;
    if (extent > (made[r] as number)) made[r] = extent;
  }
}

/**
 * The larger of two extents. Where neither holds the other, along a split rank, either one alone is true and their
 * union is not: all of one row and all of one column are not the whole.
 */
function larger(a: number, b: number): number {
  if (a === 0 || a === b) return b;
  if (b === 0) return a;
  let [sumA, sumB] = [0, 0];
  for (let [x, y] = [a, b]; x > 0 || y > 0; [x, y] = [Math.floor(x / 4), Math.floor(y / 4)]) {
    sumA += x % 4;
    sumB += y % 4;
  }
  return sumA >= sumB ? a : b;
}
