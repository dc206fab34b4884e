import { addBits, type Bits, emptyBits, setBit } from "./bits.js";
import type { Cascade } from "./cascade.js";
import { isPrefixOf } from "./dependence.js";
import type { Access, Einsum } from "./einsum.js";

/**
 * Where a tensor's elements come from, element by element. A *place* is one index of one tensor; the place of QK's m
 * derives from the place of K's m, since QK[m] is made of K[m]. A reduction or a suffix filter breaks the line, a
 * prefix filter or an iteration does not: their coordinate i needs only the elements before it.
 */
export interface Origins {
  readonly count: number;
  /** The number of a place. */
  place(tensor: string, position: number): number;
  /** The tensor of a place. */
  tensorOf(place: number): string;
  /** The places that the variable `variable` reads in `access`, and everything they derive from. */
  through(access: Access, variable: string): Bits;
}

export function originsOf(cascade: Cascade): Origins {
  const { einsums, tensors, dependence } = cascade;
  const firstPlace = new Map<string, number>();
  const owner: string[] = [];
  for (const tensor of tensors.values()) {
    firstPlace.set(tensor.name, owner.length);
    for (let i = 0; i < tensor.indices.length; i += 1) owner.push(tensor.name);
  }
  const count = owner.length;
  const place = (tensor: string, position: number): number => (firstPlace.get(tensor) ?? 0) + position;
  const derived = owner.map((_, i) => {
    const own = emptyBits(count);
    setBit(own, i);
    return own;
  });
  const through = (access: Access, variable: string): Bits => {
    const bits = emptyBits(count);
    for (const [position, index] of access.indices.entries()) {
      if (!index.terms.some(term => term.variable === variable)) continue;
      const known = derived[place(access.tensor, position)];
      if (known !== undefined) addBits(bits, known);
    }
    return bits;
  };
  const derive = (einsum: Einsum): boolean => {
    let changed = false;
    for (const [position, index] of einsum.indices.entries()) {
      const own = derived[place(einsum.tensor, position)];
      if (own === undefined) continue;
      for (const { variable } of index.terms) {
        if (!einsum.free.includes(variable)) continue;
        for (const source of [variable, ...prefixesOf(cascade, einsum, variable)]) {
          for (const read of einsum.reads) changed = addBits(own, through(read, source)) || changed;
        }
      }
    }
    return changed;
  };
  for (const { einsums: members } of dependence.groups) {
    // An iteration's places derive from each other: until nothing changes.
    let changed = true;
    while (changed) {
      changed = false;
      for (const i of members) changed = derive(einsums[i] as Einsum) || changed;
      if (members.length === 1) break;
    }
  }
  return { count, place, tensorOf: i => owner[i] ?? "", through };
}

/** Reduced variables that run up to `kept`. */
function prefixesOf(cascade: Cascade, einsum: Einsum, kept: string): string[] {
  if (einsum.filters.length === 0) return [];
  const rank = cascade.ranks.ofVariable(kept).name;
  return einsum.reduced.filter(variable => isPrefixOf(einsum, variable, rank, cascade.ranks));
}
