// AV = z(rA(RNV / RD)), in place of RNV: one invocation an element.
override workgroupSize = 64u;

@group(0) @binding(0) var<uniform> job: Job;
@group(0) @binding(6) var<storage, read_write> state: array<f32>;
@group(0) @binding(7) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  let i = id.y * workgroups.x * workgroupSize + id.x;
  if (i >= job.partsAt * 8u) {
    return;
  }
  opaqueZero = bitcast<u32>(state[0]);
  let slotBlock = i / (job.valueBlocks * 128u);
  let at = 8u + slotBlock * stateFields * 8u + i % 8u;
  let rd = state[at + stateRd * 8u];
  var av = 0.0;
  if (rd != 0.0) {
    av = flushTiny(roundA(divide(sums[i], rd)));
    if (outside(av)) {
      state[at + stateBad * 8u] = 1.0;
    }
  }
  sums[i] = av;
}
