import type { ScoreSizes } from "./broadcast.js";

/**
 * Which scores exist, one bit each: of a mask that is no interval of keys for every query. Sizes are those of a tensor
 * that broadcasts to [B, H, P, M] (broadcast.ts), in blocks of `queries` by `keys` scores that have one bit together.
 */
export interface BitPlane {
  readonly sizes: ScoreSizes;
  readonly queriesPerBit: number;
  readonly keysPerBit: number;
  /** Rows of whole words: key (block) m is bit m % 32 of word floor(m / 32). */
  readonly words: Uint32Array;
}

/** The plane of truth values: bytes or numbers that are 0 where a score does not exist. */
export function bitPlane(
  sizes: ScoreSizes,
  values: ArrayLike<number>,
  { queries = 1, keys = 1 }: { readonly queries?: number; readonly keys?: number } = {},
): BitPlane {
  const width = sizes[3];
  const rows = sizes[0] * sizes[1] * sizes[2];
  const perRow = Math.ceil(width / 32);
  const words = new Uint32Array(rows * perRow);
  for (let row = 0; row < rows; row += 1) {
    for (let m = 0; m < width; m += 1) {
      if (values[row * width + m] !== 0) (words[row * perRow + (m >>> 5)] as number) |= 1 << (m & 31);
    }
  }
  return { sizes, queriesPerBit: queries, keysPerBit: keys, words };
}

/** The 32 bits of keys 32 w … 32 w + 31 in row (b, h, p), the lowest the first. */
export function wordOf(plane: BitPlane, b: number, h: number, p: number, w: number): number {
  const { sizes, queriesPerBit, keysPerBit, words } = plane;
  const [batch, heads, queries, keys] = sizes;
  const query = queries === 1 ? 0 : Math.floor(p / queriesPerBit);
  const perRow = Math.ceil(keys / 32);
  const row = (((batch === 1 ? 0 : b) * heads + (heads === 1 ? 0 : h)) * queries + query) * perRow;
  if (keys === 1) return ((words[row] as number) & 1) !== 0 ? 0xffffffff : 0;
  if (keysPerBit === 1) return w < perRow ? (words[row + w] as number) : 0;
  let bits = 0;
  for (let i = 0; i < 32; ) {
    const block = Math.floor((32 * w + i) / keysPerBit);
    const end = Math.min(32, (block + 1) * keysPerBit - 32 * w);
    if (block < keys && (((words[row + (block >>> 5)] as number) >>> (block & 31)) & 1) !== 0) bits |= ones(i, end);
    i = end;
  }
  return bits >>> 0;
}

/** Bits from <= i < to of a word; none where from >= to. */
export function ones(from: number, to: number): number {
  if (from >= to) return 0;
  const below = to >= 32 ? 0xffffffff : (1 << to) - 1;
  return (below & ~((1 << from) - 1)) >>> 0;
}

/** How many bits are set. */
export function countOnes(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  return (((x + (x >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}
