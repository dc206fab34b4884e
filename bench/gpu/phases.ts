import { type BenchCase, operandsOf, problemOf } from "../cases.js";
import { openOn } from "./engine.js";
import type { Section, Setting } from "./step.js";

/** Passes whose times a set of queries holds. */
const mostPasses = 2048;

/** Makes a device note when each compute pass begins and ends, and which kernel it ran. */
function timePasses(device: GPUDevice) {
  const queries = device.createQuerySet({ type: "timestamp", count: 2 * mostPasses });
  const labels: string[] = [];
  const createCommandEncoder = device.createCommandEncoder.bind(device);
  device.createCommandEncoder = descriptor => {
    const encoder = createCommandEncoder(descriptor);
    const beginComputePass = encoder.beginComputePass.bind(encoder);
    encoder.beginComputePass = given => {
      const n = labels.length;
      if (n >= mostPasses) return beginComputePass(given);
      labels.push("");
      const timestampWrites = {
        querySet: queries,
        beginningOfPassWriteIndex: 2 * n,
        endOfPassWriteIndex: 2 * n + 1,
      };
      const pass = beginComputePass({ ...given, timestampWrites });
      const setPipeline = pass.setPipeline.bind(pass);
      pass.setPipeline = pipeline => {
        labels[n] = pipeline.label;
        setPipeline(pipeline);
      };
      return pass;
    };
    return encoder;
  };
  /** Nanoseconds by kernel. */
  const read = async (): Promise<ReadonlyMap<string, { readonly passes: number; readonly ns: number }>> => {
    const bytes = 16 * labels.length;
    const usage = GPUBufferUsage;
    const resolved = device.createBuffer({ size: bytes, usage: usage.QUERY_RESOLVE | usage.COPY_SRC });
    const mapped = device.createBuffer({ size: bytes, usage: usage.MAP_READ | usage.COPY_DST });
    const encoder = createCommandEncoder();
    encoder.resolveQuerySet(queries, 0, 2 * labels.length, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, mapped, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await mapped.mapAsync(GPUMapMode.READ);
    const times = new BigUint64Array(mapped.getMappedRange().slice(0));
    const found = new Map<string, { passes: number; ns: number }>();
    labels.forEach((label, n) => {
      const own = found.get(label) ?? { passes: 0, ns: 0 };
      const ns = Number((times[2 * n + 1] ?? 0n) - (times[2 * n] ?? 0n));
      found.set(label, { passes: own.passes + 1, ns: own.ns + ns });
    });
    return found;
  };
  return { read };
}

/** How the device's time divides among the kernels of one attention, by timestamp queries. */
export async function phaseTimes({ adapter, rehearsal }: Setting): Promise<Section> {
  const title = "Time by phase";
  const columns = ["kernel", "passes", "milliseconds", "share"];
  if (!adapter.features.has("timestamp-query")) {
    return { title, says: "Not measured: the adapter has no timestamp queries.", columns, rows: [] };
  }
  const device = await adapter.requestDevice(["timestamp-query"]);
  const timed = timePasses(device);
  const engine = await openOn(adapter, { device });
  const seq = rehearsal ? 512 : 65536;
  const one: BenchCase = { seq, dim: 64, format: "bf16" };
  const session = await engine.open(problemOf(one), operandsOf(one, engine.allocate));
  const startedAt = performance.now();
  for (let row = 0; row < seq; row += session.rowsPerRequest) {
    await session.run({ start: row, end: Math.min(seq, row + session.rowsPerRequest) });
  }
  const wallMs = performance.now() - startedAt;
  const found = await timed.read();
  await session.close();
  await engine.close();
  const totalMs = [...found.values()].reduce((sum, { ns }) => sum + ns / 1e6, 0);
  const row = (name: string, passes: number | string, ms: number) =>
    [name, passes, ms.toPrecision(4), `${((100 * ms) / wallMs).toFixed(1)}%`] as const;
  return {
    title,
    says: `${seq} tokens in bf16, request after request: ${wallMs.toPrecision(4)} ms in all, kernels compiled before; the rest is transfers, submission and waiting.`,
    columns,
    rows: [
      ...[...found].map(([label, { passes, ns }]) => row(label, passes, ns / 1e6)),
      row("outside of kernels", "", Math.max(0, wallMs - totalMs)),
    ],
  };
}
