/** A nest's structure, which does not change with the sizes. Levels and loops are outermost first. */
export interface NestShape {
  readonly levels: readonly { readonly name: string; readonly spatial: boolean }[];
  /** `bit` is the loop's place in masks: a rank's parts have neighbouring bits, outermost lowest. */
  readonly loops: readonly { readonly level: number; readonly bit: number }[];
  readonly ranks: readonly { readonly shift: number; readonly parts: number }[];
  readonly tensors: readonly NestTensor[];
}

export interface NestTensor {
  readonly name: string;
  readonly output: boolean;
  /** The loops over the tensor's own ranks. */
  readonly relevant: number;
}
