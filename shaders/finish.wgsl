// AV = z(rA(RNV / RD)) [slot][F]: an invocation makes an element.
// #import host: Job, outside, roundA, stateBad, stateFields, stateRd, workgroupSize
// #import shared/barrier: opaqueZero
// #import shared/divide: divide
// #import shared/exp2: flushTiny

@group(0) @binding(0) var<uniform> job: Job;
@group(0) @binding(6) var<storage, read_write> state: array<f32>;
@group(0) @binding(7) var<storage, read> sums: array<f32>;
@group(0) @binding(8) var<storage, read_write> av: array<f32>;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  let i = id.y * workgroups.x * workgroupSize + id.x;
  let columns = job.valueBlocks * 16u;
  let slot = i / job.valueDim;
  if (slot >= job.partsAt / columns * 8u) {
    return;
  }
  opaqueZero = bitcast<u32>(state[0]);
  let at = 8u + slot / 8u * stateFields * 8u + slot % 8u;
  let rd = state[at + stateRd * 8u];
  var quotient = 0.0;
  if (rd != 0.0) {
    let rnv = sums[(slot / 8u * columns + i % job.valueDim) * 8u + slot % 8u];
    quotient = flushTiny(roundA(divide(rnv, rd)));
    if (outside(quotient)) {
      state[at + stateBad * 8u] = 1.0;
    }
  }
  av[i] = quotient;
}
