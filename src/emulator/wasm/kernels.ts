import type { Format, FormatName } from "../../numerics/format.js";

/**
 * The WebAssembly kernels of one format (assembly/, where each is documented). All take byte addresses in `memory`.
 * A lane group is eight queries side by side; a panel is four keys, or four features of the values.
 */
export interface Kernels {
  readonly memory: WebAssembly.Memory;
  /** [8, width] rows to [width, 8] lanes, times `factor`; rows from `count` on are +0. */
  rowsToLanes(rows: number, count: number, width: number, lanes: number, factor: number): void;
  /** The first `count` of [width, 8] lanes to rows [count, width]. */
  lanesToRows(lanes: number, count: number, width: number, rows: number): void;
  /** Rows [count, width] to panels [ceil(count / 4), width, 4]. */
  rowsToPanels(rows: number, count: number, width: number, panels: number): void;
  /** Rows [count, width] to panels [ceil(width / 4), count, 4]. */
  columnsToPanels(rows: number, count: number, width: number, panels: number): void;
  /** Steps 1 and 5: `panelCount` times four sums of `length` products for each lane; on top of `sums` if `goOn`. */
  products(
    lanes: number,
    panels: number,
    panelBytes: number,
    panelCount: number,
    length: number,
    sums: number,
    goOn: boolean,
  ): void;
  /** Steps 2 to 4 over keys begin <= m0 < end of the tile; `partial` if a lane does not see them all. */
  softmax(scores: number, begin: number, end: number, partial: boolean, state: number, factor: number): void;
  /** Steps 6 and 7. */
  update(state: number, outputs: number, sums: number, features: number): void;
  /** AV in place of RNV. */
  divide(state: number, outputs: number, features: number): void;
}

const variant: Readonly<Record<FormatName, string>> = {
  bf16: "Bf16",
  "bf16-strict": "Bf16Strict",
  fp16: "Fp16",
  "fp16-strict": "Fp16Strict",
  fp32: "Fp32",
};
const accumulator = { fp32: "Fp32", bf16: "Bf16", fp16: "Fp16" } as const;

/** What Q is multiplied by before its products with K, and what the kernels divide out again (assembly/formats.ts, `chainScale`). */
export const queryScale = { fp32: 1, bf16: 2 ** -4, fp16: 2 ** 99 } as const;

/** The kernels of a format, in a memory of their own. */
export async function instantiate(module: WebAssembly.Module, format: Format): Promise<Kernels> {
  const { exports } = await WebAssembly.instantiate(module, {});
  const pick = <T>(name: string): T => {
    const found = exports[name];
    if (found === undefined) throw new Error(`the WebAssembly module has no ${name}`);
    return found as T;
  };
  const a = accumulator[format.accumulator];
  return {
    memory: pick("memory"),
    rowsToLanes: pick("rowsToLanes"),
    lanesToRows: pick("lanesToRows"),
    rowsToPanels: pick("rowsToPanels"),
    columnsToPanels: pick("columnsToPanels"),
    products: pick(`products${a}`),
    softmax: pick(`softmax${variant[format.name]}`),
    update: pick(`update${a}`),
    divide: pick(`divide${a}`),
  };
}
