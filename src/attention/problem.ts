import type { Format } from "../numerics/format.js";

/**
 * The sizes of one attention. H query heads share `kvHeads` key/value heads: head h reads floor(h / (heads / kvHeads)).
 */
export interface AttentionShape {
  readonly batch: number;
  readonly heads: number;
  readonly kvHeads: number;
  /** P: query positions. */
  readonly queries: number;
  /** M: key and value positions. */
  readonly keys: number;
  /** E: the width of a query and of a key. */
  readonly headDim: number;
  /** F: the width of a value and of an output row. */
  readonly valueDim: number;
}

/**
 * Which keys a query sees. With P_b queries and M_b keys in batch b, query p stands at i = p + M_b - P_b and sees
 * keys i - left <= m <= i + right; -1 is unbounded. Causal is right = 0. Batch b has `kvLens[b]` keys and
 * `qLens[b]` queries (all of them when null); output rows past `qLens[b]` are +0.
 */
export interface AttentionMask {
  readonly left: number;
  readonly right: number;
  readonly kvLens: readonly number[] | null;
  readonly qLens: readonly number[] | null;
}

/** The mask that hides nothing. */
export const noMask: AttentionMask = { left: -1, right: -1, kvLens: null, qLens: null };

/**
 * The array's tile: m0 keys down the rows, p0 queries across the columns. m0 is part of the result's identity, p0 is
 * not.
 */
export interface Tile {
  readonly m0: number;
  readonly p0: number;
}

/** Everything that fixes the bits of an attention, but for the values of its operands. */
export interface AttentionProblem {
  readonly shape: AttentionShape;
  readonly mask: AttentionMask;
  readonly tile: Tile;
  readonly format: Format;
  /** Multiplies the scores inside the exponential: c = RNE32(scale * log2 e). */
  readonly scale: number;
}

/**
 * Q [B,H,P,E], K [B,Hkv,M,E] and V [B,Hkv,M,F], row-major, already rounded to the operand format by rO and held as
 * fp32 values (every operand value is an fp32 value).
 */
export interface Operands {
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
}

/**
 * Output rows [start, end) of the flat row index (b * H + h) * P + p: the unit in which work is cut, checked and
 * resumed.
 */
export interface RowRange {
  readonly start: number;
  readonly end: number;
}

/** A tile of one head by its coordinates: query tile p1, key tile m1. */
export interface TileCoordinates {
  readonly b: number;
  readonly h: number;
  readonly m1: number;
  readonly p1: number;
}

/**
 * Every intermediate of a tile. Key rows first: bqk, sln, exists are [rows, columns]; lm, rm, prm, sld, spd, rd are
 * [columns]; slnv, spnv, rnv are [F, columns]. RM, RD and RNV stand as they are after the tile. Entries of masked keys
 * are +0 and have exists = 0; so are all entries of a query that has no key in this tile, but for RM, RD, RNV, which
 * keep their values (RM +0 while the query has seen no key at all).
 */
export interface TileDump {
  readonly rows: number;
  readonly columns: number;
  readonly bqk: Float32Array;
  readonly lm: Float32Array;
  readonly rm: Float32Array;
  readonly sln: Float32Array;
  readonly sld: Float32Array;
  readonly slnv: Float32Array;
  readonly prm: Float32Array;
  readonly spd: Float32Array;
  readonly rd: Float32Array;
  readonly spnv: Float32Array;
  readonly rnv: Float32Array;
  readonly exists: Uint8Array;
}
