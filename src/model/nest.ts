/** A nest's structure, which does not change with the sizes. Levels and loops are outermost first. */
export interface NestShape {
  readonly masks: NestMasks;
  readonly levels: readonly { readonly name: string; readonly spatial: boolean }[];
  /** `bit` is the loop's place in masks: a rank's parts have neighbouring bits, outermost lowest. */
  readonly loops: readonly { readonly level: number; readonly bit: number }[];
  readonly ranks: readonly { readonly shift: number; readonly parts: number }[];
  readonly tensors: readonly NestTensor[];
  /** Fan-outs over whose instances iterations of loops in time are dealt; none in most nests. */
  readonly spread?: readonly SpreadLoops[];
}

/** Iterations of the loops of a mask, each a unit of work of its own, dealt to the instances of the fan-out at `level`. */
export interface SpreadLoops {
  readonly level: number;
  readonly loops: number;
}

export interface NestTensor {
  readonly name: string;
  readonly output: boolean;
  /** The loops over the tensor's own ranks. */
  readonly relevant: number;
  /** Its places over which several ranks slide; undefined where there is none. */
  readonly windows?: readonly NestWindow[] | undefined;
}

/**
 * Ranks (by their places in the shape) that slide over one place of a tensor, `p*2+r`. A stride is a place among the counts'
 * strides, since it may change with the sizes.
 */
export type NestWindow = readonly { readonly rank: number; readonly stride: number }[];

/** Sets of loops, as masks of their bits. */
export interface NestMasks {
  readonly temporal: number;
  readonly spatial: number;
  /** Per level: its own loops, those there and below, the spatial ones above. */
  readonly at: readonly number[];
  readonly from: readonly number[];
  readonly spatialAbove: readonly number[];
}

/** A nest with its masks. */
export function nestShape(nest: Omit<NestShape, "masks">): NestShape {
  const maskOf = (keep: (level: number, spatial: boolean) => boolean): number =>
    nest.loops.reduce(
      (mask, { level, bit }) => (keep(level, nest.levels[level]?.spatial === true) ? mask | (1 << bit) : mask),
      0,
    );
  const masks = {
    temporal: maskOf((_, spatial) => !spatial),
    spatial: maskOf((_, spatial) => spatial),
    at: nest.levels.map((_, i) => maskOf(level => level === i)),
    from: nest.levels.map((_, i) => maskOf(level => level >= i)),
    spatialAbove: nest.levels.map((_, i) => maskOf((level, spatial) => spatial && level < i)),
  };
  return { ...nest, masks };
}
