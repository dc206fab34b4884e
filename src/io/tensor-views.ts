import { swapMiddle } from "../attention/layout.js";
import type { TensorShape } from "../attention/shape.js";
import { elementsOf, type StoredTensor } from "./stored-tensor.js";

// Stored tensors seen otherwise: their values are still read only when asked for, piece by piece.

type Values = Float32Array | Float64Array;

/** A stored tensor's values under other sizes of the same number. */
export const withShape = (tensor: StoredTensor, shape: readonly number[]): StoredTensor => ({ ...tensor, shape });

/** A stored [B, X, Y, D] as [B, Y, X, D]; holds the values of one batch at a time. */
export function withMiddleSwapped(tensor: StoredTensor, sizes: TensorShape): StoredTensor {
  const [batches, x, y, width] = sizes;
  const ofBatch = x * y * width;
  return assembled(tensor, [batches, y, x, width], async function* () {
    const reader = new PieceReader(tensor.pieces());
    try {
      for (let b = 0; b < batches; b += 1) yield swapMiddle(await reader.take(ofBatch), [1, x, y, width]);
    } finally {
      await reader.close();
    }
  });
}

/** [B, H, Mp, D] and after it, in each head, [B, H, M, D]: a cache and what is added to it. */
export function appended(past: StoredTensor, now: StoredTensor): StoredTensor {
  const [batches = 0, heads = 0, before = 0, width = 0] = past.shape;
  const after = now.shape[2] ?? 0;
  const dtype = past.dtype === now.dtype ? now.dtype : "F64";
  return assembled({ ...now, dtype }, [batches, heads, before + after, width], async function* () {
    const [first, second] = [new PieceReader(past.pieces()), new PieceReader(now.pieces())];
    try {
      for (let head = 0; head < batches * heads; head += 1) {
        for (const [reader, rows] of [[first, before] as const, [second, after] as const]) {
          for await (const piece of reader.upTo(rows * width)) yield dtype === "F64" ? Float64Array.from(piece) : piece;
        }
      }
    } finally {
      await first.close();
      await second.close();
    }
  });
}

/** A tensor of the given pieces; what does not change is taken from another. */
function assembled(
  like: StoredTensor,
  shape: readonly number[],
  pieces: () => AsyncGenerator<Values, void>,
): StoredTensor {
  return {
    ...like,
    shape,
    pieces,
    load: () => gathered(pieces(), elementsOf(shape)),
  };
}

/** Pieces of `count` values together in one array of the first one's type. */
export async function gathered(pieces: AsyncIterable<Values>, count: number): Promise<Values> {
  let values: Values | null = null;
  let at = 0;
  for await (const piece of pieces) {
    values ??= piece instanceof Float64Array ? new Float64Array(count) : new Float32Array(count);
    values.set(piece, at);
    at += piece.length;
  }
  return values ?? new Float32Array(0);
}

/** Takes values from pieces of any size. */
class PieceReader {
  private readonly source: AsyncIterator<Values>;
  private rest: Values = new Float32Array(0);

  constructor(pieces: AsyncIterable<Values>) {
    this.source = pieces[Symbol.asyncIterator]();
  }

  /** Lets go of the file. */
  async close(): Promise<void> {
    await this.source.return?.();
  }

  /** The next `count` values, as they come. */
  async *upTo(count: number): AsyncGenerator<Values, void> {
    for (let left = count; left > 0; ) {
      if (this.rest.length === 0) {
        const { value, done } = await this.source.next();
        if (done === true) throw new Error("a tensor has fewer values than its shape says");
        this.rest = value;
      }
      const taken = this.rest.subarray(0, left);
      this.rest = this.rest.subarray(taken.length);
      left -= taken.length;
      if (taken.length > 0) yield taken;
    }
  }

  /** The next `count` values in one array. */
  take(count: number): Promise<Values> {
    return gathered(this.upTo(count), count);
  }
}

/** Values that are in memory already. */
export const heldTensor = (
  where: string,
  dtype: StoredTensor["dtype"],
  shape: readonly number[],
  values: Values,
): StoredTensor => ({
  where,
  dtype,
  shape,
  load: async () => values.slice() as Values,
  pieces: async function* () {
    yield values;
  },
});
