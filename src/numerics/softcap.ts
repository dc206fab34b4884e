/**
 * What the soft-cap of scores computes with (docs/numerics.md, "Softcap"): s' = cap * tanh(scale * s / cap) / scale, and
 * tanh(x) = (1 - e) / (1 + e) with e = 2^(-y), y = |s| * g.
 */
export interface SoftcapFactors {
  /** g = RNE32(2 * scale * log2 e / cap), in float64 from the left. */
  readonly g: number;
  /** w = RNE32(cap / scale). */
  readonly w: number;
}

export const softcapFactors = (cap: number, scale: number): SoftcapFactors => ({
  g: Math.fround((2 * scale * Math.LOG2E) / cap),
  w: Math.fround(cap / scale),
});

/** Caps within these bounds keep g, w and what they multiply normal and finite. */
export const smallestSoftcap = 2 ** -24;
export const largestSoftcap = 2 ** 24;
