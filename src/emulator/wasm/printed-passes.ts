import type { Pass, TileProgram } from "../../program/program.js";
import { endFunction, printWasm, productName, tileFunction } from "../../program/wasm.js";
import type { WasmLayout } from "../../program/wasm-layout.js";
import { kernelOf, type SumKernels } from "./product-sums.js";

/** How a thread compiles what was printed. */
export type CompileWasm = (bytes: Uint8Array<ArrayBuffer>) => WebAssembly.Module;

/** What a thread has compiled, by program and layout: problems of one size come again. */
const modules = new WeakMap<TileProgram, Map<string, WebAssembly.Module>>();

/** What of the kernels written by hand a printed program uses: their memory and their products. */
interface Kernels extends SumKernels {
  readonly memory: WebAssembly.Memory;
  multiplyAdd(a: number, b: number, c: number): number;
}

/** Whether the machine's multiply-add rounds once: (1 + 2^-12)^2 is half a step above what fp32 has. */
export const isFused = ({ multiplyAdd }: Pick<Kernels, "multiplyAdd">): boolean =>
  multiplyAdd(1 + 2 ** -12, 1 + 2 ** -12, -1 - 2 ** -11) !== 0;

/** A pass of a program, compiled. Addresses and counts are those of `printWasm`. */
export interface PrintedPass {
  readonly pass: Pass;
  readonly tile: (laneGroup: number, firstKey: number, m1: number, count: number) => void;
  readonly end: (laneGroup: number) => void;
}

/** Prints a program, or finds it printed; `places` are those of its variables, in their order. */
export function printedPasses(
  program: TileProgram,
  layout: WasmLayout,
  places: readonly number[],
  blocks: Kernels,
  compile: CompileWasm,
): readonly PrintedPass[] {
  const key = JSON.stringify([layout, places]);
  const known = modules.get(program) ?? new Map<string, WebAssembly.Module>();
  modules.set(program, known);
  const module = known.get(key) ?? compile(printWasm(program, layout));
  known.set(key, module);
  const env = {
    memory: blocks.memory,
    [productName.E]: kernelOf(program, "E", blocks),
    [productName.key]: kernelOf(program, "key", blocks),
  };
  const { exports } = new WebAssembly.Instance(module, { env });
  return program.passes.map((pass, n) => ({
    pass,
    tile: exports[tileFunction(n)] as PrintedPass["tile"],
    end: exports[endFunction(n)] as PrintedPass["end"],
  }));
}
