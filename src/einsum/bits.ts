/** A fixed set of small integers, 32 to a word. */
export type Bits = Uint32Array;

export function emptyBits(count: number): Bits {
  return new Uint32Array(Math.ceil(count / 32));
}

export function setBit(bits: Bits, i: number): void {
  const word = i >>> 5;
  bits[word] = (bits[word] ?? 0) | (1 << (i & 31));
}

export function hasBit(bits: Bits, i: number): boolean {
  return (((bits[i >>> 5] ?? 0) >>> (i & 31)) & 1) === 1;
}

/** Adds `other` to `bits`; says whether that changed it. */
export function addBits(bits: Bits, other: Bits): boolean {
  let changed = false;
  for (let w = 0; w < bits.length; w += 1) {
    const sum = ((bits[w] ?? 0) | (other[w] ?? 0)) >>> 0;
    if (sum !== bits[w]) changed = true;
    bits[w] = sum;
  }
  return changed;
}

/** Whether two sets have an integer in common. */
export const meet = (a: Bits, b: Bits): boolean => a.some((word, w) => (word & (b[w] ?? 0)) !== 0);

/** The integers in both sets. */
export const shared = (a: Bits, b: Bits): number[] =>
  Array.from({ length: 32 * a.length }, (_, i) => i).filter(i => hasBit(a, i) && hasBit(b, i));
