// The steps of a tensor core (docs/arithmetic.md, "Sums of products"; src/numerics/block-sum.ts), in eight lanes against four rows: the
// products of a step and the sum so far are cut toward zero at `align` bits below the largest exponent among them, added
// exactly in float64, and the sum is cut toward zero. A value has the binade 2^e, e its exponent, that of a subnormal the type's
// least one; those of factors multiply to that of their product.
import { keyEnds, keyStarts, lanes } from "./memory";

/** Of each product, over E (0) and over keys (1). */
const widths: usize = memory.data(8);
const stepLengths: usize = memory.data(8);
const aligns: usize = memory.data(8);
const fractionBits: usize = memory.data(8);
const laneLeasts: usize = memory.data(8);
const rowLeasts: usize = memory.data(8);
/** Where panels in fp32 begin, the same values in float64, and their binades. */
const panelsAt: usize = memory.data(8);
const widePanelsAt: usize = memory.data(8);
const panelBinadesAt: usize = memory.data(8);
/** The lanes of a product in float64, [positions][8], and their binades. */
let wideLanes: usize = 0;
let laneBinades: usize = 0;
/** For each key of a tile and lane all ones or none; 0 where lanes see intervals. */
let seenLanes: usize = 0;

export function configureSteps(
  over: i32,
  width: i32,
  step: i32,
  align: i32,
  fraction: i32,
  laneLeast: f32,
  rowLeast: f32,
): void {
  store<i32>(widths + ((<usize>over) << 2), width);
  store<i32>(stepLengths + ((<usize>over) << 2), step);
  store<i32>(aligns + ((<usize>over) << 2), align);
  store<i32>(fractionBits + ((<usize>over) << 2), fraction);
  store<f32>(laneLeasts + ((<usize>over) << 2), laneLeast);
  store<f32>(rowLeasts + ((<usize>over) << 2), rowLeast);
}

export function placeSteps(over: i32, panels: usize, widePanels: usize, panelBinades: usize): void {
  store<usize>(panelsAt + ((<usize>over) << 2), panels);
  store<usize>(widePanelsAt + ((<usize>over) << 2), widePanels);
  store<usize>(panelBinadesAt + ((<usize>over) << 2), panelBinades);
}

export function placeLanes(wide: usize, binades: usize, seen: usize): void {
  wideLanes = wide;
  laneBinades = binades;
  seenLanes = seen;
}

// @ts-ignore: decorator
@inline
function binadeOf(x: v128, least: v128): v128 {
  const binade = f32x4.pmax(least, v128.and(x, i32x4.splat(0x7f800000)));
  return v128.andnot(binade, f32x4.eq(x, f32x4.splat(0)));
}

/** `count` fp32 values, a multiple of four, in float64 and as binades. */
// @ts-ignore: decorator
@inline
function widen(from: usize, count: i32, wide: usize, binades: usize, least: f32): void {
  const floor = f32x4.splat(least);
  for (let i = 0; i < count; i += 4) {
    const x = v128.load(from);
    v128.store(wide, f64x2.promote_low_f32x4(x));
    v128.store(wide, f64x2.promote_low_f32x4(v128.shuffle<i64>(x, x, 1, 1)), 16);
    v128.store(binades, binadeOf(x, floor));
    from += 16;
    wide += 32;
    binades += 16;
  }
}

/** The packed panels of a product, `count` values. */
export function widenPanels(over: i32, count: i32): void {
  widen(load<usize>(panelsAt + ((<usize>over) << 2)), count, load<usize>(widePanelsAt + ((<usize>over) << 2)), load<usize>(panelBinadesAt + ((<usize>over) << 2)), load<f32>(rowLeasts + ((<usize>over) << 2)));
}

/**
 * The steps over `length` positions of queries[i][8] * panel[i][r] for the four rows r of each panel, on top of what is in
 * `sums` if `goOn`, else of +0. Parts end where a block with scales of the lanes' or rows' does (`lead` and `rowLead` positions of
 * the first before position 0), or without those at each whole step from `lead` positions before; `state`: the lane group whose lanes see
 * keys, position 0 being key `lead`, or 0 where all see all. Scales as in sums.ts.
 */
export function products(
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
  state: usize,
): void {
  if (!goOn) memory.fill(sums, 0, (<usize>panelCount) << 7);
  widen(queries, length * lanes, wideLanes, laneBinades, load<f32>(laneLeasts + ((<usize>over) << 2)));
  const width = load<i32>(widths + ((<usize>over) << 2));
  const step = load<i32>(stepLengths + ((<usize>over) << 2));
  const wide = load<usize>(widePanelsAt + ((<usize>over) << 2)) + ((panels - load<usize>(panelsAt + ((<usize>over) << 2))) << 1);
  const binades = load<usize>(panelBinadesAt + ((<usize>over) << 2)) + (panels - load<usize>(panelsAt + ((<usize>over) << 2)));
  for (let at = 0; at < length; ) {
    let part = min(length - at, step - ((at + lead) % step));
    if (width > 0) part = min(length - at, min(width - ((at + lead) % width), width - ((at + rowLead) % width)));
    const blockOfLanes = width > 0 ? laneScales + ((<usize>((at + lead) / width)) << 5) : 0;
    const blockOfRows = width > 0 ? rowScales + <usize>(((at + rowLead) / width) * blockApart) : 0;
    addStep(over, at, part, wide, binades, panelBytes, panelCount, sums, blockOfLanes, blockOfRows, panelApart, state, lead);
    at += part;
  }
}

function addStep(
  over: i32,
  at: i32,
  length: i32,
  wide: usize,
  binades: usize,
  panelBytes: usize,
  panelCount: i32,
  sums: usize,
  laneScales: usize,
  rowScales: usize,
  panelApart: i32,
  state: usize,
  lead: i32,
): void {
  const seenA = seesAny(state, 0, at + lead, length);
  const seenB = seesAny(state, 16, at + lead, length);
  const align = load<i32>(aligns + ((<usize>over) << 2));
  const fraction = load<i32>(fractionBits + ((<usize>over) << 2));
  const kept = i64x2.splat((<i64>-1) << <i64>(52 - fraction));
  const q = wideLanes + ((<usize>at) << 6);
  const qb = laneBinades + ((<usize>at) << 5);
  const scaledA = laneScales != 0 ? v128.load(laneScales) : f32x4.splat(1);
  const scaledB = laneScales != 0 ? v128.load(laneScales, 16) : f32x4.splat(1);
  for (let panel = 0; panel < panelCount; panel++) {
    for (let r: usize = 0; r < 4; r++) {
      const sum = sums + (r << 5);
      const row = wide + ((<usize>at) << 5) + (r << 3);
      const rowBinades = binades + ((<usize>at) << 4) + (r << 2);
      const before0 = v128.load(sum);
      const before1 = v128.load(sum, 16);
      // The largest exponents.
      let m0 = f32x4.splat(0);
      let m1 = m0;
      let from = qb;
      let b = rowBinades;
      const end = qb + ((<usize>length) << 5);
      do {
        const binade = v128.load_splat<f32>(b);
        m0 = f32x4.pmax(m0, f32x4.mul(v128.load(from), binade));
        m1 = f32x4.pmax(m1, f32x4.mul(v128.load(from, 16), binade));
        from += 32;
        b += 16;
      } while (from < end);
      const rowScale = laneScales != 0 ? v128.load_splat<f32>(rowScales + (r << 2)) : f32x4.splat(1);
      const scale0 = f32x4.mul(scaledA, rowScale);
      const scale1 = f32x4.mul(scaledB, rowScale);
      const least = f32x4.splat(reinterpret<f32>(0x00800000));
      m0 = f32x4.pmax(f32x4.mul(m0, scale0), binadeOf(before0, least));
      m1 = f32x4.pmax(f32x4.mul(m1, scale1), binadeOf(before1, least));
      // What products and the sum so far are multiplied by: 2^align over the largest binade.
      const ma = f64x2.promote_low_f32x4(m0);
      const mb = f64x2.promote_low_f32x4(high(m0));
      const mc = f64x2.promote_low_f32x4(m1);
      const md = f64x2.promote_low_f32x4(high(m1));
      const fa = factorOf(ma, align);
      const fb = factorOf(mb, align);
      const fc = factorOf(mc, align);
      const fd = factorOf(md, align);
      let sa = f64x2.trunc(f64x2.mul(f64x2.promote_low_f32x4(before0), fa));
      let sb = f64x2.trunc(f64x2.mul(f64x2.promote_low_f32x4(high(before0)), fb));
      let sc = f64x2.trunc(f64x2.mul(f64x2.promote_low_f32x4(before1), fc));
      let sd = f64x2.trunc(f64x2.mul(f64x2.promote_low_f32x4(high(before1)), fd));
      const ga = f64x2.mul(fa, f64x2.promote_low_f32x4(scale0));
      const gb = f64x2.mul(fb, f64x2.promote_low_f32x4(high(scale0)));
      const gc = f64x2.mul(fc, f64x2.promote_low_f32x4(scale1));
      const gd = f64x2.mul(fd, f64x2.promote_low_f32x4(high(scale1)));
      from = q;
      b = row;
      const last = q + ((<usize>length) << 6);
      do {
        const x = v128.load_splat<f64>(b);
        sa = f64x2.add(sa, f64x2.trunc(f64x2.mul(f64x2.mul(v128.load(from), x), ga)));
        sb = f64x2.add(sb, f64x2.trunc(f64x2.mul(f64x2.mul(v128.load(from, 16), x), gb)));
        sc = f64x2.add(sc, f64x2.trunc(f64x2.mul(f64x2.mul(v128.load(from, 32), x), gc)));
        sd = f64x2.add(sd, f64x2.trunc(f64x2.mul(f64x2.mul(v128.load(from, 48), x), gd)));
        from += 64;
        b += 32;
      } while (from < last);
      const after0 = both(cut(sa, ma, align, kept, fraction), cut(sb, mb, align, kept, fraction));
      const after1 = both(cut(sc, mc, align, kept, fraction), cut(sd, md, align, kept, fraction));
      v128.store(sum, v128.bitselect(after0, before0, seenA));
      v128.store(sum, v128.bitselect(after1, before1, seenB), 16);
    }
    sums += 128;
    wide += panelBytes << 1;
    binades += panelBytes;
    rowScales += panelApart;
  }
}

// @ts-ignore: decorator
@inline
function high(x: v128): v128 {
  return v128.shuffle<i64>(x, x, 1, 1);
}

/** 2^align / m for powers of two m, 0 for 0. */
// @ts-ignore: decorator
@inline
function factorOf(m: v128, align: i32): v128 {
  const inverse = i64x2.sub(i64x2.splat((<i64>(2046 + align)) << 52), m);
  return v128.andnot(inverse, f64x2.eq(m, f64x2.splat(0)));
}

/** sum * m * 2^-align, cut toward zero to fp32 with so many fraction bits, in the low half; never -0. */
// @ts-ignore: decorator
@inline
function cut(sum: v128, m: v128, align: i32, kept: v128, fraction: i32): v128 {
  const unit = reinterpret<f64>((<i64>(1023 - align)) << 52);
  const x = f64x2.add(f64x2.mul(sum, f64x2.mul(m, f64x2.splat(unit))), f64x2.splat(0));
  // Below the least normal value steps stay the same.
  const up = reinterpret<f64>((<i64>(1023 + 126 + fraction)) << 52);
  const down = reinterpret<f64>((<i64>(1023 - 126 - fraction)) << 52);
  const tiny = f64x2.add(f64x2.mul(f64x2.trunc(f64x2.mul(x, f64x2.splat(up))), f64x2.splat(down)), f64x2.splat(0));
  const normal = f64x2.ge(f64x2.abs(x), f64x2.splat(reinterpret<f64>((<i64>(1023 - 126)) << 52)));
  return f32x4.demote_f64x2_zero(v128.bitselect(v128.and(x, kept), tiny, normal));
}

// @ts-ignore: decorator
@inline
function both(low: v128, top: v128): v128 {
  return v128.shuffle<i64>(low, top, 0, 2);
}

/** All ones in the lanes of a half that see one of the keys [first, first + length) of the tile. */
function seesAny(state: usize, half: usize, first: i32, length: i32): v128 {
  if (state == 0) return i32x4.splat(-1);
  if (seenLanes == 0) {
    const from = i32x4.max_s(v128.load(state + half, keyStarts), i32x4.splat(first));
    const to = i32x4.min_s(v128.load(state + half, keyEnds), i32x4.splat(first + length));
    return i32x4.lt_s(from, to);
  }
  let any = i32x4.splat(0);
  let at = seenLanes + ((<usize>first) << 5) + half;
  for (let i = 0; i < length; i++) {
    any = v128.or(any, v128.load(at));
    at += 32;
  }
  return any;
}
