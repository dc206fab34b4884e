// The 1-pass cascade (FuseMax Cascade 5) fused over the whole sequence, without workgroup memory: an invocation
// owns 8 query rows and walks over the tiles of their keys. For adapters that run on a CPU.
//
// Layouts, in words of one fp32 or two 16-bit operands (src/emulator/buffers.ts):
//   query  [slot / 8][E words][8 slots]         key    [group][m / 4][E words][4 keys]
//   value  [group][m][F / 8][8 columns]         sums   [slot / 8][F][8 slots], SLNV of a part after RNV
//   state  [slot / 8][rm, rd, lm, sld, bad][8 slots], after one vector of zeros
//   scratch [slot / 8][m in tile][8 slots]: scores as fp32, then the weights as operands
override workgroupSize = 4u;

@group(0) @binding(0) var<uniform> job: Job;
@group(0) @binding(1) var<storage, read> blocks: array<Block>;
@group(0) @binding(2) var<storage, read> windows: array<vec2u>;
@group(0) @binding(3) var<storage, read> queries: array<vec4u>;
@group(0) @binding(4) var<storage, read> keys: array<vec4u>;
@group(0) @binding(5) var<storage, read> values: array<vec4u>;
@group(0) @binding(6) var<storage, read_write> state: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> sums: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> scratch: array<vec4u>;

// Eight rows at once.
struct Rows {
  low: vec4f,
  high: vec4f,
}

struct Range {
  begin: vec4u,
  end: vec4u,
}

const none = -0x1p120f; // RM of a row that has seen no key: below every score
const fields = 5u;

var<private> slotBlock: u32;

fn loadState(field: u32) -> Rows {
  let at = 1u + (slotBlock * fields + field) * 2u;
  return Rows(state[at], state[at + 1u]);
}

fn storeState(field: u32, rows: Rows) {
  let at = 1u + (slotBlock * fields + field) * 2u;
  state[at] = rows.low;
  state[at + 1u] = rows.high;
}

fn seen(m: u32, range: Range) -> vec4<bool> {
  return (vec4u(m) >= range.begin) & (vec4u(m) < range.end);
}

// BQK of keys [begin, end) into the scratch, and LM.
fn scores(begin: u32, end: u32, tileBase: u32, keyBase: u32, low: Range, high: Range, lm: ptr<function, Rows>, bad: ptr<function, Rows>) {
  let words = job.keyWords;
  let lastGroup = (end + 3u) / 4u;
  for (var group = begin / 4u; group < lastGroup; group += 1u) {
    var s0 = mat4x4f();
    var s1 = mat4x4f();
    var q = slotBlock * words * 2u;
    var k = keyBase + group * words;
    for (var w = 0u; w < words; w += 1u) {
      let key = keys[k];
      let rowsLow = queries[q];
      let rowsHigh = queries[q + 1u];
      k += 1u;
      q += 2u;
      let ke = even(key);
      let le = even(rowsLow);
      let he = even(rowsHigh);
      s0 = mat4x4f(mac(s0[0], ke.x, le), mac(s0[1], ke.y, le), mac(s0[2], ke.z, le), mac(s0[3], ke.w, le));
      s1 = mat4x4f(mac(s1[0], ke.x, he), mac(s1[1], ke.y, he), mac(s1[2], ke.z, he), mac(s1[3], ke.w, he));
      if (perWord == 2u) {
        let ko = odd(key);
        let lo = odd(rowsLow);
        let ho = odd(rowsHigh);
        s0 = mat4x4f(mac(s0[0], ko.x, lo), mac(s0[1], ko.y, lo), mac(s0[2], ko.z, lo), mac(s0[3], ko.w, lo));
        s1 = mat4x4f(mac(s1[0], ko.x, ho), mac(s1[1], ko.y, ho), mac(s1[2], ko.z, ho), mac(s1[3], ko.w, ho));
      }
    }
    for (var i = 0u; i < 4u; i += 1u) {
      let m = group * 4u + i;
      if (m >= begin && m < end) {
        let at = scoreAt(m, tileBase);
        scratch[at] = bitcast<vec4u>(s0[i]);
        scratch[at + 1u] = bitcast<vec4u>(s1[i]);
        let inLow = seen(m, low);
        let inHigh = seen(m, high);
        (*lm).low = select((*lm).low, max((*lm).low, s0[i]), inLow);
        (*lm).high = select((*lm).high, max((*lm).high, s1[i]), inHigh);
        (*bad).low = select((*bad).low, vec4f(1.0), inLow & outside(s0[i]));
        (*bad).high = select((*bad).high, vec4f(1.0), inHigh & outside(s1[i]));
      }
    }
  }
}

fn scoreAt(m: u32, tileBase: u32) -> u32 {
  return (slotBlock * job.tileKeys + m - tileBase) * 2u;
}

fn weightAt(m: u32, tileBase: u32) -> u32 {
  return job.weightsAt + (slotBlock * job.tileKeys + m - tileBase) * (2u / perWord);
}

fn storeWeights(at: u32, rows: Rows) {
  scratch[at] = packed(rows.low, rows.high);
  if (perWord == 1u) {
    scratch[at + 1u] = packed(rows.high, rows.high);
  }
}

fn loadWeights(at: u32) -> Rows {
  let words = scratch[at];
  if (perWord == 2u) {
    return Rows(even(words), odd(words));
  }
  return Rows(even(words), even(scratch[at + 1u]));
}

// SLN of one key.
fn weigh(score: vec4f, rm: vec4f, isSeen: vec4<bool>, bad: ptr<function, vec4f>) -> vec4f {
  let x = select(vec4f(), roundA(score - rm), isSeen);
  *bad = select(*bad, vec4f(1.0), isSeen & outside(x));
  return select(vec4f(), roundOperand(exponential(x, job.factor)), isSeen);
}

// SLN and SLD of keys [begin, end).
fn weights(begin: u32, end: u32, tileBase: u32, low: Range, high: Range, rm: Rows, sld: ptr<function, Rows>, bad: ptr<function, Rows>) {
  for (var m = begin; m < end; m += 1u) {
    let at = scoreAt(m, tileBase);
    var badLow = (*bad).low;
    var badHigh = (*bad).high;
    let slnLow = weigh(bitcast<vec4f>(scratch[at]), rm.low, seen(m, low), &badLow);
    let slnHigh = weigh(bitcast<vec4f>(scratch[at + 1u]), rm.high, seen(m, high), &badHigh);
    *bad = Rows(badLow, badHigh);
    storeWeights(weightAt(m, tileBase), Rows(slnLow, slnHigh));
    *sld = Rows(roundA((*sld).low + slnLow), roundA((*sld).high + slnHigh));
  }
}

fn columns(s: mat4x4f, v: vec4f, rows: vec4f) -> mat4x4f {
  return mat4x4f(mac(s[0], v.x, rows), mac(s[1], v.y, rows), mac(s[2], v.z, rows), mac(s[3], v.w, rows));
}

fn outsideAny(s: mat4x4f) -> vec4<bool> {
  return outside(s[0]) | outside(s[1]) | outside(s[2]) | outside(s[3]);
}

// RNV' of 4 columns x 4 rows at `at`: SPNV = z(rA(RNV * PRM)), RNV' = rA(SLNV + SPNV).
fn update(at: u32, s: mat4x4f, prm: vec4f, hasKey: vec4<bool>) -> vec4<bool> {
  var isBad = outsideAny(s);
  for (var i = 0u; i < 4u; i += 1u) {
    let old = sums[at + i * 2u];
    let spnv = flushTiny(roundA(pin(old * prm)));
    let next = roundA(s[i] + spnv);
    isBad |= outside(spnv) | outside(next);
    sums[at + i * 2u] = select(old, next, hasKey);
  }
  return isBad & hasKey;
}

// SLNV of keys [begin, end), eight columns at a time, and RNV at the end of the tile.
fn weighted(begin: u32, end: u32, tileBase: u32, valueBase: u32, starts: bool, ends: bool, prm: Rows, hasLow: vec4<bool>, hasHigh: vec4<bool>, bad: ptr<function, Rows>) {
  let perBlock = 2u / perWord;
  let valueBlocks = job.valueBlocks;
  let stride = valueBlocks * perBlock;
  for (var column = 0u; column < valueBlocks; column += 1u) {
    let at = (slotBlock * valueBlocks + column) * 16u;
    let part = at + job.partsAt;
    var s00 = mat4x4f();
    var s01 = mat4x4f();
    var s10 = mat4x4f();
    var s11 = mat4x4f();
    if (!starts) {
      s00 = mat4x4f(sums[part], sums[part + 2u], sums[part + 4u], sums[part + 6u]);
      s01 = mat4x4f(sums[part + 1u], sums[part + 3u], sums[part + 5u], sums[part + 7u]);
      s10 = mat4x4f(sums[part + 8u], sums[part + 10u], sums[part + 12u], sums[part + 14u]);
      s11 = mat4x4f(sums[part + 9u], sums[part + 11u], sums[part + 13u], sums[part + 15u]);
    }
    var v = valueBase + begin * stride + column * perBlock;
    for (var m = begin; m < end; m += 1u) {
      let rows = loadWeights(weightAt(m, tileBase));
      let value = values[v];
      let first = even(value);
      var second = odd(value);
      if (perWord == 1u) {
        second = even(values[v + 1u]);
      }
      v += stride;
      s00 = columns(s00, first, rows.low);
      s01 = columns(s01, first, rows.high);
      s10 = columns(s10, second, rows.low);
      s11 = columns(s11, second, rows.high);
    }
    if (ends) {
      let isBadLow = update(at, s00, prm.low, hasLow) | update(at + 8u, s10, prm.low, hasLow);
      let isBadHigh = update(at + 1u, s01, prm.high, hasHigh) | update(at + 9u, s11, prm.high, hasHigh);
      (*bad).low = select((*bad).low, vec4f(1.0), isBadLow);
      (*bad).high = select((*bad).high, vec4f(1.0), isBadHigh);
    } else {
      for (var i = 0u; i < 4u; i += 1u) {
        sums[part + i * 2u] = s00[i];
        sums[part + i * 2u + 1u] = s01[i];
        sums[part + 8u + i * 2u] = s10[i];
        sums[part + 9u + i * 2u] = s11[i];
      }
    }
  }
}

// PRM = rP(E2(RM - RM')), +0 in the first tile that has a key.
fn correct(rm: vec4f, next: vec4f, hasKey: vec4<bool>, bad: ptr<function, vec4f>) -> vec4f {
  let isFirst = rm == vec4f(none);
  let x = roundA(select(rm - next, vec4f(), isFirst));
  *bad = select(*bad, vec4f(1.0), hasKey & outside(x));
  return select(correction(x, job.factor), vec4f(), isFirst);
}

// RD' = rA(SLD + SPD), SPD = z(rA(RD * PRM)).
fn denominator(rd: vec4f, sld: vec4f, prm: vec4f, hasKey: vec4<bool>, bad: ptr<function, vec4f>) -> vec4f {
  let spd = flushTiny(roundA(pin(rd * prm)));
  let next = roundA(sld + spd);
  *bad = select(*bad, vec4f(1.0), hasKey & (outside(sld) | outside(spd) | outside(next)));
  return select(rd, next, hasKey);
}

fn window(slot: u32) -> Range {
  let a = windows[slot];
  let b = windows[slot + 1u];
  let c = windows[slot + 2u];
  let d = windows[slot + 3u];
  return Range(vec4u(a.x, b.x, c.x, d.x), vec4u(a.y, b.y, c.y, d.y));
}

fn within(range: Range, begin: u32, end: u32) -> Range {
  return Range(max(range.begin, vec4u(begin)), min(range.end, vec4u(end)));
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) place: vec3u, @builtin(local_invocation_index) lane: u32) {
  let owned = blocks[job.blockBegin + place.x];
  slotBlock = (job.blockBegin + place.x) * workgroupSize + lane;
  opaqueZero = bitcast<u32>(state[0].x);
  let allLow = window(slotBlock * 8u);
  let allHigh = window(slotBlock * 8u + 4u);
  let keyBase = (owned.group - job.chunkGroup) * job.keyStride - job.chunkKey / 4u * job.keyWords;
  let valueBase = (owned.group - job.chunkGroup) * job.valueStride - job.chunkKey * job.valueBlocks * (2u / perWord);
  var rm = loadState(0u);
  var rd = loadState(1u);
  var bad = loadState(4u);
  let firstTile = max(owned.tileBegin, job.keyBegin / job.m0);
  let lastTile = min(owned.tileEnd, (job.keyEnd + job.m0 - 1u) / job.m0);
  for (var tile = firstTile; tile < lastTile; tile += 1u) {
    let tileBegin = tile * job.m0;
    let tileEnd = min(tileBegin + job.m0, job.keyCount);
    let tileBase = tileBegin / 4u * 4u;
    let begin = max(tileBegin, job.keyBegin);
    let end = min(tileEnd, job.keyEnd);
    let starts = begin == tileBegin;
    let ends = end == tileEnd;
    let low = within(allLow, tileBegin, tileEnd);
    let high = within(allHigh, tileBegin, tileEnd);
    let hasLow = low.begin < low.end;
    let hasHigh = high.begin < high.end;

    var lm = Rows(vec4f(none), vec4f(none));
    if (!(starts && (job.phases & 1u) != 0u)) {
      lm = loadState(2u);
    }
    if ((job.phases & 1u) != 0u) {
      scores(begin, end, tileBase, keyBase, low, high, &lm, &bad);
      storeState(2u, lm);
    }
    if ((job.phases & 2u) != 0u) {
      let next = Rows(max(rm.low, lm.low), max(rm.high, lm.high));
      var sld = Rows();
      if (!starts) {
        sld = loadState(3u);
      }
      weights(begin, end, tileBase, low, high, next, &sld, &bad);
      var badLow = bad.low;
      var badHigh = bad.high;
      let prm = Rows(correct(rm.low, next.low, hasLow, &badLow), correct(rm.high, next.high, hasHigh, &badHigh));
      if (ends) {
        rd = Rows(
          denominator(rd.low, sld.low, prm.low, hasLow, &badLow),
          denominator(rd.high, sld.high, prm.high, hasHigh, &badHigh),
        );
        rm = Rows(select(rm.low, next.low, hasLow), select(rm.high, next.high, hasHigh));
      } else {
        storeState(3u, sld);
      }
      bad = Rows(badLow, badHigh);
      weighted(begin, end, tileBase, valueBase, starts, ends, prm, hasLow, hasHigh, &bad);
    }
  }
  storeState(0u, rm);
  storeState(1u, rd);
  storeState(4u, bad);
}
