/** The two builds of the kernels: with separate multiplications and additions, and with fused ones (relaxed SIMD). */
export type KernelBuild = "attention.wasm" | "attention-fused.wasm";

/** Whether this runtime takes WebAssembly's relaxed SIMD. */
export const takesFused = (bytes: BufferSource): boolean => WebAssembly.validate(bytes);

/**
 * Compiles the kernels: fused where the runtime takes them. Whether a multiply-add is fused changes no bit of ours
 * (assembly/formats.ts, `macInChain`), so the one thing left to check is that the operation is a multiply-add at all.
 */
export async function compileKernels(
  read: (build: KernelBuild) => Promise<BufferSource>,
  fused = true,
): Promise<WebAssembly.Module> {
  const bytes = fused ? await read("attention-fused.wasm") : null;
  if (bytes !== null && takesFused(bytes)) {
    const module = await WebAssembly.compile(bytes);
    const { exports } = await WebAssembly.instantiate(module);
    const { multiplyAdd } = exports as { readonly multiplyAdd?: (a: number, b: number, c: number) => number };
    if (multiplyAdd?.(3, 5, 7) === 22) return module;
  }
  return WebAssembly.compile(await read("attention.wasm"));
}
