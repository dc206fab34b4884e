import { DeviceError } from "../../errors.js";

/** The two builds of the kernels: with separate multiplications and additions, and with fused ones (relaxed SIMD). */
export type KernelBuild = "attention.wasm" | "attention-fused.wasm";

/** Whether this runtime takes WebAssembly's relaxed SIMD. */
export const takesFused = (bytes: BufferSource): boolean => globalThis.WebAssembly?.validate(bytes) === true;

/**
 * Compiles the kernels: fused where the runtime takes them. Whether a multiply-add is fused changes no bit of ours
 * (assembly/formats.ts, `macInChain`), so the one thing left to check is that the operation is a multiply-add at all.
 * @throws DeviceError where WebAssembly, or its SIMD, cannot be had.
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
  const plain = await read("attention.wasm");
  try {
    return await WebAssembly.compile(plain);
  } catch (cause) {
    const got = cause instanceof Error ? cause.message : String(cause);
    const complaint = { where: "engine wasm", got, expected: "a runtime with WebAssembly and its SIMD" };
    throw new DeviceError({ ...complaint, fix: "use --engine cpu" }, { cause });
  }
}
