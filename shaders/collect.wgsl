// AV [slot][F] of a vector of a printed program, [slot / 8][F][8 slots]: an invocation makes an element.
// #import host: ProgramJob, workgroupSize

@group(0) @binding(0) var<uniform> job: ProgramJob;
@group(0) @binding(7) var<storage, read_write> sums: array<f32>;
@group(0) @binding(8) var<storage, read_write> av: array<f32>;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  let i = id.y * workgroups.x * workgroupSize + id.x;
  let slot = i / job.valueDim;
  if (slot >= job.slotBlocks * 8u) {
    return;
  }
  let at = (job.outputVector * job.slotBlocks + slot / 8u) * job.valueBlocks * 16u + i % job.valueDim;
  av[i] = sums[at * 8u + slot % 8u];
}
