// Every intermediate of one tile, an invocation a query, from the state before the tile. Plain loops over the same
// operations as the attention kernels; speed does not matter here.
//
// dump, with S slots and R keys: BQK [R][S], SLN [R][S], LM RM SLD PRM SPD RD [S] each, SLNV SPNV RNV [F][S] each.
override workgroupSize = 4u;

@group(0) @binding(0) var<uniform> job: Job;
@group(0) @binding(2) var<storage, read> windows: array<vec2u>;
@group(0) @binding(3) var<storage, read> queries: array<vec4u>;
@group(0) @binding(4) var<storage, read> keys: array<vec4u>;
@group(0) @binding(5) var<storage, read> values: array<vec4u>;
@group(0) @binding(6) var<storage, read_write> state: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> sums: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> dump: array<f32>;

const none = -0x1p120f;
const fields = 5u;

fn score(slot: u32, m: u32) -> f32 {
  var s = vec4f();
  let words = job.keyWords;
  for (var w = 0u; w < words; w += 1u) {
    let query = queries[(slot / 8u * words + w) * 2u + slot % 8u / 4u];
    let key = keys[(m - job.chunkKey) / 4u * words + w];
    s = mac(s, even(query)[slot % 4u], vec4f(even(key)[m % 4u]));
    if (perWord == 2u) {
      s = mac(s, odd(query)[slot % 4u], vec4f(odd(key)[m % 4u]));
    }
  }
  return s.x;
}

// V of key m, column f: a word of a 16-bit format holds columns j and j + 4 of eight.
fn value(m: u32, f: u32) -> f32 {
  let row = (m - job.chunkKey) * job.valueBlocks * (2u / perWord);
  if (perWord == 1u) {
    return even(values[row + f / 4u])[f % 4u];
  }
  let words = values[row + f / 8u];
  return select(even(words), odd(words), f % 8u >= 4u)[f % 4u];
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let slot = id.x;
  let slots = job.partsAt / (job.valueBlocks * 2u);
  if (slot >= slots) {
    return;
  }
  opaqueZero = bitcast<u32>(state[0].x);
  let stateAt = 1u + slot / 8u * fields * 2u + slot % 8u / 4u;
  let sumsAt = slot / 8u * job.valueBlocks * 16u + slot % 8u / 4u;
  let rm = state[stateAt][slot % 4u];
  let rd = state[stateAt + 2u][slot % 4u];
  let rows = job.keyEnd - job.keyBegin;
  let columns = job.valueBlocks * 8u;
  let rowsAt = 2u * rows * slots + slot;
  let columnsAt = (2u * rows + 6u) * slots + slot;
  let begin = max(windows[slot].x, job.keyBegin);
  let end = min(windows[slot].y, job.keyEnd);

  if (begin >= end) {
    dump[rowsAt + slots] = select(rm, 0.0, rm == none);
    dump[rowsAt + 5u * slots] = rd;
    for (var f = 0u; f < columns; f += 1u) {
      dump[columnsAt + (2u * columns + f) * slots] = sums[sumsAt + f * 2u][slot % 4u];
    }
    return;
  }

  var lm = none;
  for (var m = begin; m < end; m += 1u) {
    let bqk = score(slot, m);
    dump[(m - job.keyBegin) * slots + slot] = bqk;
    lm = max(lm, bqk);
  }
  let next = max(rm, lm);
  var sld = vec4f();
  for (var m = begin; m < end; m += 1u) {
    let bqk = dump[(m - job.keyBegin) * slots + slot];
    let sln = roundOperand(exponential(roundA(vec4f(bqk - next)), job.factor));
    dump[(rows + m - job.keyBegin) * slots + slot] = sln.x;
    sld = roundA(sld + sln);
  }
  var prm = vec4f();
  if (rm != none) {
    prm = correction(roundA(vec4f(rm - next)), job.factor);
  }
  let spd = flushTiny(roundA(pin(vec4f(rd) * prm)));
  dump[rowsAt] = lm;
  dump[rowsAt + slots] = next;
  dump[rowsAt + 2u * slots] = sld.x;
  dump[rowsAt + 3u * slots] = prm.x;
  dump[rowsAt + 4u * slots] = spd.x;
  dump[rowsAt + 5u * slots] = roundA(sld + spd).x;
  for (var f = 0u; f < columns; f += 1u) {
    var slnv = vec4f();
    for (var m = begin; m < end; m += 1u) {
      slnv = mac(slnv, dump[(rows + m - job.keyBegin) * slots + slot], vec4f(value(m, f)));
    }
    let spnv = flushTiny(roundA(pin(vec4f(sums[sumsAt + f * 2u][slot % 4u]) * prm)));
    dump[columnsAt + f * slots] = slnv.x;
    dump[columnsAt + (columns + f) * slots] = spnv.x;
    dump[columnsAt + (2u * columns + f) * slots] = roundA(slnv + spnv).x;
  }
}
