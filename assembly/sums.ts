// The sums of products that no number format has (docs/arithmetic.md, "Sums of products"): chains in blocks with scales.
// Positions are walked in parts that end where a block of the lanes' or of the rows' ends.
import { Bf16, Fp32 } from "./formats";
import { products } from "./products";

/** Of each product, over E (0) and over keys (1): positions of a block with scales, 0 for none. */
const widths: usize = memory.data(8);

export function configureWidth(over: i32, width: i32): void {
  store<i32>(widths + ((<usize>over) << 2), width);
}

/** Positions from `at` on to the end of the part that it lies in, of blocks that began `lead` and `rowLead` positions before position 0. */
// @ts-ignore: decorator
@inline
export function partOf(at: i32, length: i32, lead: i32, rowLead: i32, width: i32): i32 {
  return min(length - at, min(width - ((at + lead) % width), width - ((at + rowLead) % width)));
}

export function widthOf(over: i32): i32 {
  return load<i32>(widths + ((<usize>over) << 2));
}

/**
 * sums[r][8] += (chain over the positions of a block from +0) * lane scale * row scale, block by block: exactly scaled (`mx`), or
 * RNE32(u * RNE32(scales)). `lead`: positions of the lanes' first block before position 0; `rowLead` of the rows'. Lane scales lie
 * [block][8], those of the rows `blockApart` bytes apart a block and `panelApart` a panel of four.
 */
export function blocks(
  queries: usize,
  panels: usize,
  panelBytes: usize,
  panelCount: i32,
  length: i32,
  sums: usize,
  goOn: bool,
  over: i32,
  lead: i32,
  rowLead: i32,
  laneScales: usize,
  rowScales: usize,
  blockApart: i32,
  panelApart: i32,
  exact: bool,
): void {
  if (!goOn) memory.fill(sums, 0, (<usize>panelCount) << 7);
  const width = widthOf(over);
  for (let at = 0; at < length; ) {
    const part = partOf(at, length, lead, rowLead, width);
    const laneScale = laneScales + ((<usize>((at + lead) / width)) << 5);
    const rowScale = rowScales + <usize>(((at + rowLead) / width) * blockApart);
    const q = queries + ((<usize>at) << 5);
    const p = panels + ((<usize>at) << 4);
    if (exact) addBlock(q, p, panelBytes, panelCount, part, sums, laneScale, rowScale, panelApart, true);
    else addBlock(q, p, panelBytes, panelCount, part, sums, laneScale, rowScale, panelApart, false);
    at += part;
  }
}

/** The sums of a block, four rows in eight lanes. */
const block: usize = memory.data(128);

// @ts-ignore: decorator
@inline
function addBlock(
  queries: usize,
  panels: usize,
  panelBytes: usize,
  panelCount: i32,
  length: i32,
  sums: usize,
  laneScales: usize,
  rowScales: usize,
  panelApart: i32,
  exact: bool,
): void {
  const la = v128.load(laneScales);
  const lb = v128.load(laneScales, 16);
  for (let panel = 0; panel < panelCount; panel++) {
    products<Bf16, Fp32>(queries, panels, panelBytes, 1, length, block, false);
    for (let r: usize = 0; r < 4; r++) {
      const scale = v128.load_splat<f32>(rowScales + (r << 2));
      const at = sums + (r << 5);
      v128.store(at, scaled(v128.load(at), v128.load(block + (r << 5)), f32x4.mul(la, scale), exact));
      v128.store(at, scaled(v128.load(at, 16), v128.load(block + (r << 5), 16), f32x4.mul(lb, scale), exact), 16);
    }
    sums += 128;
    panels += panelBytes;
    rowScales += panelApart;
  }
}

/** A product with a power of two is exact, so that both ways are one; what is not is rounded before it is added. */
// @ts-ignore: decorator
@inline
function scaled(s: v128, u: v128, scale: v128, exact: bool): v128 {
  // @ts-ignore: FUSED is 1 in the build that may use relaxed SIMD
  if (FUSED && exact) return v128.relaxed_madd<f32>(u, scale, s);
  return f32x4.add(s, f32x4.mul(u, scale));
}
