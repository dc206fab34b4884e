import type { OpCase } from "../self-test-ops.js";
import type { DeviceGuard } from "./device-guard.js";
import { encodeDispatch } from "./dispatch.js";
import type { KernelCache } from "./kernel.js";
import { operationBatchLayout } from "./layout.js";
import { opCodes } from "./op-codes.js";

const workgroupSize = 64;

/** Runs the cases of one operation of the self-test on the device; gives the bits of the results. */
export async function runOperations(guard: DeviceGuard, kernels: KernelCache, test: OpCase): Promise<Uint32Array> {
  const { device } = guard;
  const count = test.expected.length;
  const pipeline = await guard.wait(
    kernels.pipeline({ name: "operations", arithmetic: test.arithmetic, workgroupSize }),
  );
  const batch = new DataView(new ArrayBuffer(16));
  operationBatchLayout.write(batch, 0, { op: opCodes[test.op], count, chain: test.chain });
  const { STORAGE, COPY_DST, COPY_SRC, UNIFORM, MAP_READ } = GPUBufferUsage;
  const made: GPUBuffer[] = [];
  const buffer = (size: number, usage: number): GPUBuffer => {
    const it = device.createBuffer({ size: Math.max(16, size), usage });
    made.push(it);
    return it;
  };
  const upload = (data: ArrayBuffer, usage: number): GPUBuffer => {
    const it = buffer(data.byteLength, usage | COPY_DST);
    device.queue.writeBuffer(it, 0, data);
    return it;
  };
  const bytes = 4 * (count + 1);
  const results = buffer(bytes, STORAGE | COPY_SRC);
  const readback = buffer(bytes, MAP_READ | COPY_DST);
  const inputs = [test.a, test.b, test.c].map(bits => upload(new Uint32Array(bits).buffer, STORAGE));
  const buffers = [upload(batch.buffer, UNIFORM), ...inputs, results];
  const encoder = device.createCommandEncoder();
  encodeDispatch(device, encoder, pipeline, buffers, Math.ceil(count / workgroupSize));
  encoder.copyBufferToBuffer(results, 0, readback, 0, bytes);
  device.queue.submit([encoder.finish()]);
  try {
    await guard.wait(readback.mapAsync(GPUMapMode.READ));
    return new Uint32Array(readback.getMappedRange().slice(4, bytes));
  } finally {
    for (const it of made) it.destroy();
  }
}
