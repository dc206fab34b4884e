/** What values of their own length can be written as. */
export type FloatValues = Float32Array | Float64Array;
export type StoredFloat = "F32" | "F64";

/** Values that come piece by piece, so that nobody holds them all. */
export interface FloatPieces {
  readonly type: StoredFloat;
  readonly pieces: Iterable<FloatValues>;
}

export const floatTypeOf = (values: FloatValues): StoredFloat => (values instanceof Float64Array ? "F64" : "F32");

export const piecesOf = (values: FloatValues | FloatPieces): FloatPieces =>
  "pieces" in values ? values : { type: floatTypeOf(values), pieces: [values] };

/** A file's header and then its values. */
export function* headed(header: Uint8Array, pieces: Iterable<ArrayBufferView>): Generator<ArrayBufferView> {
  yield header;
  yield* pieces;
}
