// Every intermediate of one tile, an invocation a query, from the state before the tile. Plain loops over the same
// operations as the attention kernels; speed does not matter here.
//
// dump, with S slots and R keys: BQK [R][S], SLN [R][S], LM RM SLD PRM SPD RD [S] each, SLNV SPNV RNV [F][S] each.

@group(0) @binding(0) var<uniform> job: Job;
@group(0) @binding(2) var<storage, read> windows: array<vec2u>;
@group(0) @binding(3) var<storage, read> queries: array<Page>;
@group(0) @binding(4) var<storage, read> keys: array<Page>;
@group(0) @binding(5) var<storage, read> values: array<Page>;
@group(0) @binding(6) var<storage, read_write> state: array<Eight>;
@group(0) @binding(7) var<storage, read_write> sums: array<Eight>;
@group(0) @binding(8) var<storage, read_write> dump: array<f32>;

fn score(slot: u32, m: u32) -> f32 {
  var s = 0.0;
  let pages = job.keyPages;
  for (var w = 0u; w < pages * 8u; w += 1u) {
    let query = queries[slot / 8u * pages + w / 8u][w % 8u][slot % 8u / 4u];
    let key = keys[(m - job.chunkKey) / 8u * pages + w / 8u][w % 8u][m % 8u / 4u];
    s = macOne(s, even(query)[slot % 4u], even(key)[m % 4u]);
    if (perWord == 2u) {
      s = macOne(s, odd(query)[slot % 4u], odd(key)[m % 4u]);
    }
  }
  return s;
}

// V of key m, column f.
fn value(m: u32, f: u32) -> f32 {
  let at = ((m - job.chunkKey) / 8u * job.valueBlocks + f / 16u) * 2u / perWord;
  let half = f % 8u / 4u;
  if (perWord == 1u) {
    return even(values[at + f % 16u / 8u][m % 8u][half])[f % 4u];
  }
  let words = values[at][m % 8u][half];
  return select(even(words), odd(words), f % 16u >= 8u)[f % 4u];
}

fn stateOf(slot: u32, field: u32) -> f32 {
  return state[1u + slot / 8u * stateFields + field][slot % 8u / 4u][slot % 4u];
}

fn rnvOf(slot: u32, f: u32) -> f32 {
  return sums[slot / 8u * job.valueBlocks * 16u + f][slot % 8u / 4u][slot % 4u];
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let slot = id.x;
  let columns = job.valueBlocks * 16u;
  let slots = job.partsAt / columns * 8u;
  if (slot >= slots) {
    return;
  }
  opaqueZero = bitcast<u32>(state[0][0].x);
  let rm = stateOf(slot, stateRm);
  let rd = stateOf(slot, stateRd);
  let rows = job.keyEnd - job.keyBegin;
  let rowsAt = 2u * rows * slots + slot;
  let columnsAt = (2u * rows + 6u) * slots + slot;
  let begin = max(windows[slot].x, job.keyBegin);
  let end = min(windows[slot].y, job.keyEnd);

  if (begin >= end) {
    dump[rowsAt + slots] = select(rm, 0.0, rm == none);
    dump[rowsAt + 5u * slots] = rd;
    for (var f = 0u; f < columns; f += 1u) {
      dump[columnsAt + (2u * columns + f) * slots] = rnvOf(slot, f);
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
  var sld = 0.0;
  for (var m = begin; m < end; m += 1u) {
    let bqk = dump[(m - job.keyBegin) * slots + slot];
    let sln = roundP(exponential(roundA(bqk - next), job.factor));
    dump[(rows + m - job.keyBegin) * slots + slot] = sln;
    sld = roundA(sld + sln);
  }
  var prm = 0.0;
  if (rm != none) {
    prm = correction(roundA(rm - next), job.factor);
  }
  let spd = flushTiny(roundA(pin(rd * prm)));
  dump[rowsAt] = lm;
  dump[rowsAt + slots] = next;
  dump[rowsAt + 2u * slots] = sld;
  dump[rowsAt + 3u * slots] = prm;
  dump[rowsAt + 4u * slots] = spd;
  dump[rowsAt + 5u * slots] = roundA(sld + spd);
  for (var f = 0u; f < columns; f += 1u) {
    var slnv = 0.0;
    for (var m = begin; m < end; m += 1u) {
      slnv = macOne(slnv, dump[(rows + m - job.keyBegin) * slots + slot], value(m, f));
    }
    let spnv = flushTiny(roundA(pin(rnvOf(slot, f) * prm)));
    dump[columnsAt + f * slots] = slnv;
    dump[columnsAt + (columns + f) * slots] = spnv;
    dump[columnsAt + (2u * columns + f) * slots] = roundA(slnv + spnv);
  }
}
