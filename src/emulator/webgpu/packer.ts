import type { ArithmeticSpec } from "../../numerics/arithmetic.js";
import type { FloatType } from "../../numerics/format.js";
import { formatArithmetics } from "../../numerics/format-of.js";
import type { DeviceGuard } from "./device-guard.js";
import { encodeDispatch } from "./dispatch.js";
import type { KernelCache } from "./kernel.js";
import { packBatchLayout } from "./layout.js";
import { columnsTogether, eight, keyPagesOf, pageWords, valueBlocksOf, valuePagesOf, wordsOf } from "./pack.js";

const workgroupSize = 64;

/** Rows of fp32 values, each exactly an operand or a scale, and where they go. */
export interface PackTask {
  /** A multiple of 8; of scales of values one per row of eight keys. */
  readonly rows: number;
  readonly width: number;
  /** Writes [rows][width] into zeros. */
  readonly fill: (source: Float32Array) => void;
  /** Receives the pages, from its beginning. */
  readonly to: GPUBuffer;
  /** Pages of each eight that are not these: scales after operands, or operands before scales. */
  readonly otherPages: number;
}

/** How rows are laid out on pages (shaders/pack.wgsl). */
const layouts = { rows: 0, values: 1, lines: 2 } as const;
type Layout = keyof typeof layouts;

/** Where the pages of one layout are in each eight. */
interface Pages {
  readonly eights: number;
  readonly pages: number;
  readonly before: number;
}

/** Brings operands and scales to the device as they are and lays them out there, which takes a host far longer. */
export class Packer {
  private constructor(
    private readonly device: GPUDevice,
    private readonly words: FloatType,
    private readonly pipelines: Readonly<Record<Layout | "scales", GPUComputePipeline>>,
  ) {}

  static async open({ device }: DeviceGuard, kernels: KernelCache, arithmetic: ArithmeticSpec): Promise<Packer> {
    const pipeline = (layout: Layout, of: ArithmeticSpec): Promise<GPUComputePipeline> =>
      kernels.pipeline({ name: "pack", arithmetic: of, workgroupSize, constants: { pageLayout: layouts[layout] } });
    const { fp32 } = formatArithmetics;
    const [rows, values, lines, scales] = await Promise.all([
      pipeline("rows", arithmetic),
      pipeline("values", arithmetic),
      pipeline("lines", fp32),
      pipeline("rows", fp32),
    ]);
    return new Packer(device, wordsOf(arithmetic), { rows, values, lines, scales });
  }

  /** Q or K. */
  rows(task: PackTask): void {
    const pages = keyPagesOf(task.width, this.words);
    this.#pack(task, this.pipelines.rows, { eights: task.rows / eight, pages, before: 0 });
  }

  /** V. */
  values(task: PackTask): void {
    const pages = valuePagesOf(task.width, this.words);
    this.#pack(task, this.pipelines.values, { eights: task.rows / eight, pages, before: 0 });
  }

  /** Scales of Q or K. */
  scales(task: PackTask): void {
    const pages = keyPagesOf(task.width, "fp32");
    this.#pack(task, this.pipelines.scales, { eights: task.rows / eight, pages, before: task.otherPages });
  }

  /** Scales of V: a row of all columns for each eight of keys. */
  valueScales(task: PackTask): void {
    const columns = valueBlocksOf(task.width) * columnsTogether;
    const pages = Math.ceil(columns / pageWords);
    this.#pack(task, this.pipelines.lines, { eights: task.rows, pages, before: task.otherPages });
  }

  #pack({ rows, width, fill, to, otherPages }: PackTask, pipeline: GPUComputePipeline, at: Pages): void {
    const { STORAGE, UNIFORM } = GPUBufferUsage;
    const source = this.device.createBuffer({ size: 4 * rows * width, usage: STORAGE, mappedAtCreation: true });
    fill(new Float32Array(source.getMappedRange()));
    source.unmap();
    const batch = this.device.createBuffer({ size: packBatchLayout.byteSize, usage: UNIFORM, mappedAtCreation: true });
    const view = new DataView(batch.getMappedRange());
    packBatchLayout.write(view, 0, { ...at, width, stride: at.pages + otherPages });
    batch.unmap();
    const encoder = this.device.createCommandEncoder();
    const words = at.eights * at.pages * pageWords;
    encodeDispatch(this.device, encoder, pipeline, { 0: batch, 1: source, 2: to }, Math.ceil(words / workgroupSize));
    this.device.queue.submit([encoder.finish()]);
    // WebGPU keeps a destroyed buffer until submitted work that uses it is done.
    source.destroy();
    batch.destroy();
  }
}
