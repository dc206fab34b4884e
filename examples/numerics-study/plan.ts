/** How much the study computes. */
export interface Plan {
  /** Random inputs, full attention: keys and how many rows are sampled. */
  readonly random: readonly Length[];
  readonly spreads: readonly number[];
  readonly causal: readonly Length[];
  readonly causalSpreads: readonly number[];
  /** The encoder's layer 0, which needs no attention before it, and layer 1, which needs all of layer 0's. */
  readonly encoder: readonly (readonly [layer: number, lengths: readonly Length[]])[];
  readonly tile: { readonly lengths: readonly Length[]; readonly m0: readonly number[] };
  readonly steps: { readonly lengths: readonly Length[]; readonly spreads: readonly number[] };
  readonly denominator: { readonly keys: number; readonly rows: number; readonly m0: readonly number[] };
  /** Up to how many keys equal scores are tried. */
  readonly rangeKeys: number;
}

export interface Length {
  readonly keys: number;
  readonly rows: number;
}

const K = 1024;
const lengths = (rows: number, ...keys: readonly number[]): readonly Length[] => keys.map(n => ({ keys: n * K, rows }));

export const fullPlan: Plan = {
  random: [...lengths(64, 1, 4, 16), ...lengths(32, 64), ...lengths(16, 256)],
  spreads: [0.25, 1, 4, 16],
  causal: lengths(64, 1, 4, 16, 64),
  causalSpreads: [1, 4],
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
  random: lengths(16, 1, 4, 16),
  spreads: [0.25, 1, 16],
  causal: lengths(16, 1, 4),
  causalSpreads: [1],
  encoder: [[0, lengths(16, 1, 4)]],
  tile: { lengths: lengths(16, 4), m0: [16, 64, 256, 1024] },
  steps: { lengths: lengths(4, 1, 4), spreads: [1] },
  denominator: { keys: 128 * K, rows: 1, m0: [16, 256, 1024] },
  rangeKeys: 128 * K,
};
