import type { MaskName } from "./subjects.js";

/** How much the study computes. */
export interface Plan {
  readonly random: readonly RandomCases[];
  /** The encoder's layer 0, which needs no attention before it, and layer 1, which needs all of layer 0's. */
  readonly encoder: readonly (readonly [layer: number, lengths: readonly Length[]])[];
  readonly tile: { readonly lengths: readonly Length[]; readonly m0: readonly number[] };
  readonly steps: { readonly lengths: readonly Length[]; readonly spreads: readonly number[] };
  readonly denominator: { readonly keys: number; readonly rows: number; readonly m0: readonly number[] };
  /** Up to how many keys equal scores are tried. */
  readonly rangeKeys: number;
}

/** A number of keys, and of how many rows the error is taken. */
export interface Length {
  readonly keys: number;
  readonly rows: number;
}

/** Random inputs: every spread at every length. */
export interface RandomCases {
  readonly mask: MaskName;
  readonly spreads: readonly number[];
  readonly lengths: readonly Length[];
}

const K = 1024;
const lengths = (rows: number, ...keys: readonly number[]): readonly Length[] => keys.map(n => ({ keys: n * K, rows }));

export const fullPlan: Plan = {
  random: [
    {
      mask: "full",
      spreads: [0.25, 1, 4, 16],
      lengths: [...lengths(64, 1, 4, 16), ...lengths(32, 64), ...lengths(16, 256)],
    },
    { mask: "full", spreads: [1], lengths: lengths(8, 1024) },
    { mask: "causal", spreads: [1, 4], lengths: lengths(64, 1, 4, 16, 64) },
  ],
  encoder: [
    [0, lengths(64, 1, 4, 16, 64)],
    [1, lengths(64, 1, 4)],
  ],
  tile: { lengths: lengths(32, 4, 64), m0: [16, 32, 64, 128, 256, 512, 1024] },
  steps: { lengths: lengths(16, 1, 4, 16, 64), spreads: [1, 16] },
  denominator: { keys: K * K, rows: 4, m0: [16, 64, 256, 1024] },
  rangeKeys: 128 * K,
};

/** Under a minute: shorter, fewer rows; the long-range effects do not show. */
export const quickPlan: Plan = {
  random: [
    { mask: "full", spreads: [0.25, 1, 16], lengths: lengths(16, 1, 4, 16) },
    { mask: "causal", spreads: [1], lengths: lengths(16, 1, 4) },
  ],
  encoder: [[0, lengths(16, 1, 4)]],
  tile: { lengths: lengths(16, 4), m0: [16, 64, 256, 1024] },
  steps: { lengths: lengths(4, 1, 4), spreads: [1] },
  denominator: { keys: 128 * K, rows: 1, m0: [16, 256, 1024] },
  rangeKeys: 128 * K,
};
