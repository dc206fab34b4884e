import { InputError } from "../errors.js";
import { type ByteSource, truncated } from "./byte-source.js";
import { bytesOf, decodeElements, type ElementType, needsFloat64 } from "./element-types.js";

/** A tensor that lies in a file; its values are read when asked for, and again when asked again. */
export interface StoredTensor {
  /** File and tensor, for errors. */
  readonly where: string;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  /**
   * All values, exactly as stored, in row-major order: as Float64Array where fp32 does not hold them, else Float32Array.
   * @throws InputError when the file is shorter than its header promises.
   */
  load(): Promise<Float32Array | Float64Array>;
  /** The same values in pieces of some megabytes; a tensor in Fortran order comes in one. */
  pieces(): AsyncIterable<Float32Array | Float64Array>;
}

/** Where and how a tensor's values lie in a byte source. */
export interface TensorLayout {
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  /** The first rank varies fastest (Fortran order); else the last. */
  readonly fortranOrder: boolean;
  /** Whether the bytes of each value lie in the order of big-endian machines. */
  readonly bigEndian?: boolean;
  /** The byte at which the values start. */
  readonly offset: number;
}

export function storedTensor(source: ByteSource, layout: TensorLayout): StoredTensor {
  const { dtype, shape } = layout;
  const scattered = layout.fortranOrder && shape.length > 1;
  const load = () => loadValues(source, layout, scattered);
  return {
    where: source.where,
    dtype,
    shape,
    load,
    pieces: async function* () {
      if (scattered) yield await load();
      else yield* readValues(source, layout);
    },
  };
}

export const elementsOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** More elements than a typed array of this size can have: said before anything is allocated. */
const mostElements = 2 ** 32 - 1;

async function loadValues(
  source: ByteSource,
  layout: TensorLayout,
  scattered: boolean,
): Promise<Float32Array | Float64Array> {
  const { dtype, shape } = layout;
  const count = elementsOf(shape);
  if (count > mostElements) {
    throw new InputError({ where: source.where, got: `${count} values`, expected: `at most ${mostElements}` });
  }
  const values = needsFloat64(dtype) ? new Float64Array(count) : new Float32Array(count);
  const place = scattered ? fortranPlacer(values, shape) : inOrderPlacer(values);
  for await (const piece of readValues(source, layout)) place(piece);
  return values;
}

/** The values in the order in which they lie in the file. */
async function* readValues(
  source: ByteSource,
  { dtype, shape, offset, bigEndian = false }: TensorLayout,
): AsyncGenerator<Float32Array | Float64Array> {
  const end = offset + elementsOf(shape) * bytesOf[dtype];
  if (end > source.length) throw truncated(source.where, source.length, end);
  const carry = new Uint8Array(8);
  let carried = 0;
  for await (const piece of source.read(offset, end)) {
    // A piece may end inside a value (inflated members come in pieces of any size): its head waits for the next piece.
    let bytes = piece;
    if (carried > 0) {
      bytes = new Uint8Array(carried + piece.length);
      bytes.set(carry.subarray(0, carried));
      bytes.set(piece, carried);
    }
    carried = bytes.length % bytesOf[dtype];
    carry.set(bytes.subarray(bytes.length - carried));
    yield decodeElements(dtype, bytes.subarray(0, bytes.length - carried), bigEndian);
  }
}

type Placer = (piece: Float32Array | Float64Array) => void;

function inOrderPlacer(values: Float32Array | Float64Array): Placer {
  let at = 0;
  return piece => {
    values.set(piece, at);
    at += piece.length;
  };
}

/** Values arrive with the first rank fastest and go to their row-major places. */
function fortranPlacer(values: Float32Array | Float64Array, shape: readonly number[]): Placer {
  const strides = shape.map((_, rank) => elementsOf(shape.slice(rank + 1)));
  const coordinate = shape.map(() => 0);
  let at = 0;
  return piece => {
    for (let i = 0; i < piece.length; i++) {
      values[at] = piece[i] as number;
      for (let rank = 0; rank < shape.length; rank++) {
        const next = (coordinate[rank] as number) + 1;
        const stride = strides[rank] as number;
        if (next < (shape[rank] as number)) {
          coordinate[rank] = next;
          at += stride;
          break;
        }
        coordinate[rank] = 0;
        at -= (next - 1) * stride;
      }
    }
  };
}
