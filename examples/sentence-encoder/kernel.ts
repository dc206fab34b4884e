import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "./text.js";

/** The WebAssembly kernel of a matrix product, compiled from assembly/multiply.ts by `npm run build`. */
interface Kernel {
  readonly memory: WebAssembly.Memory;
  /** C = A · B by byte addresses: A [rows, k] with rows a multiple of 4, B in panels of 4 columns, C [rows, 4 · panels]. */
  multiply(a: number, rows: number, k: number, b: number, panels: number, c: number): void;
}

const file = join(projectRoot(), "dist/examples/sentence-encoder/multiply.wasm");
const kernel = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file))).exports as unknown as Kernel;

/** Where the kernel's memory is free, in bytes. */
const free = 1024;
const pageBytes = 65536;

/** So many rows of A go in at a time; they stay in the cache while the panels pass by. A multiple of 4. */
const rowsAtOnce = 32;

/**
 * A · B: `a` [rows, k] row-major, `panels` [panelCount, k, 4]. Gives [rows, 4 · panelCount]; every sum runs in ascending
 * order, so the bits are those of three plain loops.
 */
export function multiplyPanels(a: Float64Array, rows: number, k: number, panels: Float64Array): Float64Array {
  const columns = panels.length / k;
  const aAt = free + panels.byteLength;
  const cAt = aAt + 8 * rowsAtOnce * k;
  const end = cAt + 8 * rowsAtOnce * columns;
  const missing = end - kernel.memory.buffer.byteLength;
  if (missing > 0) kernel.memory.grow(Math.ceil(missing / pageBytes));
  const { buffer } = kernel.memory;
  new Float64Array(buffer, free, panels.length).set(panels);
  const product = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row += rowsAtOnce) {
    const count = Math.min(rowsAtOnce, rows - row);
    new Float64Array(buffer, aAt, count * k).set(a.subarray(row * k, (row + count) * k));
    // Up to three rows past the last hold what an earlier block left: computed and not read.
    kernel.multiply(aAt, Math.ceil(count / 4) * 4, k, free, columns / 4, cAt);
    product.set(new Float64Array(buffer, cAt, count * columns), row * columns);
  }
  return product;
}
