import type { Cascade } from "./cascade.js";
import { isPrefixOf } from "./dependence.js";
import { type Access, type Einsum, plainVariable } from "./einsum.js";

/**
 * How much of a fiber a value needs: nothing, one element, those up to one, all. Along a split rank each part has a
 * digit of its own, base 4, so that a maximum over m0 followed by one over m1 has needed all of M.
 */
export const unneeded = 0;
export const element = 1;
export const prefix = 2;
export const whole = 3;
export type Extent = typeof unneeded | typeof element | typeof prefix | typeof whole;

/** What an extent says of part `part` of a rank of so many parts. */
export const digitOf = (extent: number, part: number, parts: number): number =>
  Math.floor(extent / 4 ** (parts - 1 - part)) % 4;

/** A read along all parts of the rank. */
export interface AlongRead {
  readonly read: Access;
  /** By part: the variable that runs over it. */
  readonly variables: readonly string[];
  /** What one value of the Einsum needs of the read tensor, a digit a part. */
  readonly extent: number;
}

/** What of a cascade runs along one rank, given by its parts. */
export class AlongRank {
  readonly parts: readonly string[];
  private readonly cascade: Cascade;
  private readonly partsOf = new Map<string, readonly number[]>();
  private readonly readsOf: (readonly AlongRead[] | undefined)[] = [];

  constructor(cascade: Cascade, parts: readonly string[]) {
    this.cascade = cascade;
    this.parts = parts;
  }

  /** The parts of the rank, by number, that a variable runs over. */
  covered(variable: string): readonly number[] {
    const known = this.partsOf.get(variable);
    if (known !== undefined) return known;
    const own = this.cascade.ranks.ofVariable(variable).parts;
    const covered = this.parts.flatMap((part, i) => (own.includes(part) ? [i] : []));
    this.partsOf.set(variable, covered);
    return covered;
  }

  /** Whether an Einsum ranges over the whole rank. */
  ranges({ free, reduced }: Einsum): boolean {
    let seen = 0;
    for (const variable of free) for (const part of this.covered(variable)) seen |= 1 << part;
    for (const variable of reduced) for (const part of this.covered(variable)) seen |= 1 << part;
    return seen === 2 ** this.parts.length - 1;
  }

  /** Whether an Einsum ranges over one part of the rank. */
  rangesPart({ free, reduced }: Einsum, part: number): boolean {
    return [...free, ...reduced].some(variable => this.covered(variable).includes(part));
  }

  /** Whether an Einsum reads something along one part of the rank by a variable that it keeps. */
  readsKept({ free, reads }: Einsum, part: number): boolean {
    return reads.some(({ indices }) =>
      indices.some(({ terms }) =>
        terms.some(({ variable }) => free.includes(variable) && this.covered(variable).includes(part)),
      ),
    );
  }

  /** The reads of an Einsum along the rank. */
  reads(einsum: number): readonly AlongRead[] {
    const known = this.readsOf[einsum];
    if (known !== undefined) return known;
    const found: AlongRead[] = [];
    const own = this.cascade.einsums[einsum];
    for (const read of own?.reads ?? []) {
      const variables = this.parts.flatMap((_, part) => this.inAccess(read, part) ?? []);
      if (own === undefined || variables.length < this.parts.length) continue;
      const extent = variables.reduce((code, variable) => code * 4 + this.extentOf(own, variable), 0);
      found.push({ read, variables, extent });
    }
    this.readsOf[einsum] = found;
    return found;
  }

  /** What one value of the Einsum needs along a variable. */
  extentOf(einsum: Einsum, variable: string): Extent {
    if (einsum.free.includes(variable)) {
      return einsum.iteration?.role === "step" && einsum.iteration.variable === variable ? prefix : element;
    }
    if (einsum.filters.length === 0) return whole;
    if (isSameAsKept(einsum, variable)) return element;
    const rank = this.cascade.ranks.ofVariable(variable).name;
    return isPrefixOf(einsum, variable, rank, this.cascade.ranks) ? prefix : whole;
  }

  private inAccess(access: Access, part: number): string | undefined {
    for (const index of access.indices) {
      for (const { variable } of index.terms) if (this.covered(variable).includes(part)) return variable;
    }
    return undefined;
  }
}

/** `k == i` for a kept i: one element. */
function isSameAsKept(einsum: Einsum, variable: string): boolean {
  return einsum.filters.some(({ left, relation, right }) => {
    const [a, b] = [plainVariable(left), plainVariable(right)];
    if (relation !== "==" || a === undefined || b === undefined) return false;
    return (a === variable && einsum.free.includes(b)) || (b === variable && einsum.free.includes(a));
  });
}
