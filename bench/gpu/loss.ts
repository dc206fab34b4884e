import { openOn } from "./engine.js";
import type { Section, Setting } from "./step.js";

/** A loop that the compiler cannot count; a card's watchdog ends it after some seconds, where there is one. */
const endless = `
@group(0) @binding(0) var<storage, read_write> out: array<u32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  var x = out[id.x % 4u] | 1u;
  for (var i = 0u; i < 4000000000u; i++) { x = x * 1664525u + 1013904223u; if (x == 0u) { break; } }
  out[id.x % 4u] = x;
}`;

/** How long a dispatch that does not end is waited for. */
const patienceSeconds = 30;

/** A device lost by a dispatch that takes too long: what the engine says of it, and whether a new device works. */
export async function loseDevice({ adapter }: Setting): Promise<Section> {
  const title = "A lost device";
  const columns = ["what", "outcome"];
  if (!adapter.hardware) {
    return { title, says: "Not tried: software adapters have no watchdog that ends a dispatch.", columns, rows: [] };
  }
  const device = await adapter.requestDevice();
  const lost = device.lost.then(({ reason, message }) => `lost (${reason}): ${message.slice(0, 200)}`);
  const module = device.createShaderModule({ code: endless });
  const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module } });
  const buffer = device.createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE });
  const entries = [{ binding: 0, resource: { buffer } }];
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
  pass.dispatchWorkgroups(65535);
  pass.end();
  const startedAt = performance.now();
  device.queue.submit([encoder.finish()]);
  const outcome = await Promise.race([
    lost,
    device.queue.onSubmittedWorkDone().then(() => "the dispatch ended by itself"),
    new Promise<string>(resolve => setTimeout(resolve, 1000 * patienceSeconds, "no watchdog within 30 s")),
  ]);
  const seconds = (performance.now() - startedAt) / 1000;
  const rows: (readonly [string, string])[] = [[`a dispatch without end, ${seconds.toFixed(1)} s`, outcome]];
  if (outcome.startsWith("lost")) {
    const engine = await openOn(adapter);
    await engine.close();
    rows.push(["a new device of the same adapter", "opens"]);
  }
  return {
    title,
    says: "What a card's watchdog does to a dispatch without end, and what is left then.",
    columns,
    rows,
  };
}
