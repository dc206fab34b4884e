/** Workgroups that WebGPU lets a dispatch have along one axis. */
const mostAlongAxis = 65535;

/** Encodes one dispatch of a kernel on its buffers, by binding; more workgroups than an axis takes make several rows. */
export function encodeDispatch(
  device: GPUDevice,
  encoder: GPUCommandEncoder,
  pipeline: GPUComputePipeline,
  buffers: Readonly<Record<number, GPUBuffer>>,
  workgroups: number,
): void {
  const entries = Object.entries(buffers).map(([binding, buffer]) => ({
    binding: Number(binding),
    resource: { buffer },
  }));
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
  const rows = Math.ceil(workgroups / mostAlongAxis);
  pass.dispatchWorkgroups(Math.ceil(workgroups / rows), rows);
  pass.end();
}
