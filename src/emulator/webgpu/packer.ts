import type { ArithmeticSpec } from "../../numerics/arithmetic.js";
import type { FloatType } from "../../numerics/format.js";
import type { DeviceGuard } from "./device-guard.js";
import { encodeDispatch } from "./dispatch.js";
import type { KernelCache } from "./kernel.js";
import { packBatchLayout } from "./layout.js";
import { eight, keyPagesOf, pageWords, valuePagesOf, wordsOf } from "./pack.js";

const workgroupSize = 64;

/** Rows of fp32 values, each exactly an operand, and where they go. */
export interface PackTask {
  /** A multiple of 8. */
  readonly rows: number;
  readonly width: number;
  /** Writes [rows][width] into zeros. */
  readonly fill: (source: Float32Array) => void;
  /** Receives the pages, from its beginning. */
  readonly to: GPUBuffer;
}

/** Brings operands to the device as they are and lays them out there, which takes a host far longer. */
export class Packer {
  private constructor(
    private readonly device: GPUDevice,
    private readonly words: FloatType,
    private readonly rowsPipeline: GPUComputePipeline,
    private readonly valuesPipeline: GPUComputePipeline,
  ) {}

  static async open({ device }: DeviceGuard, kernels: KernelCache, arithmetic: ArithmeticSpec): Promise<Packer> {
    const pipeline = (ofValues: number): Promise<GPUComputePipeline> =>
      kernels.pipeline({ name: "pack", arithmetic, workgroupSize, constants: { ofValues } });
    const [rows, values] = await Promise.all([pipeline(0), pipeline(1)]);
    return new Packer(device, wordsOf(arithmetic), rows, values);
  }

  /** Q or K. */
  rows(task: PackTask): void {
    this.#pack(task, this.rowsPipeline, keyPagesOf(task.width, this.words));
  }

  /** V. */
  values(task: PackTask): void {
    this.#pack(task, this.valuesPipeline, valuePagesOf(task.width, this.words));
  }

  #pack({ rows, width, fill, to }: PackTask, pipeline: GPUComputePipeline, pages: number): void {
    const { STORAGE, UNIFORM } = GPUBufferUsage;
    const source = this.device.createBuffer({ size: 4 * rows * width, usage: STORAGE, mappedAtCreation: true });
    fill(new Float32Array(source.getMappedRange()));
    source.unmap();
    const batch = this.device.createBuffer({ size: packBatchLayout.byteSize, usage: UNIFORM, mappedAtCreation: true });
    packBatchLayout.write(new DataView(batch.getMappedRange()), 0, { eights: rows / eight, width, pages });
    batch.unmap();
    const encoder = this.device.createCommandEncoder();
    const words = (rows / eight) * pages * pageWords;
    encodeDispatch(this.device, encoder, pipeline, { 0: batch, 1: source, 2: to }, Math.ceil(words / workgroupSize));
    this.device.queue.submit([encoder.finish()]);
    // WebGPU keeps a destroyed buffer until submitted work that uses it is done.
    source.destroy();
    batch.destroy();
  }
}
