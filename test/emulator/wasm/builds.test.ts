import { afterEach, describe, expect, it, vi } from "vitest";
import { nodeWasmHost } from "../../../src/platform/wasm-host.js";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** (1 + 2^-12)^2 - (1 + 2^-11): 2^-24 when fused, 0 when the product is rounded first. */
async function remainder(module: WebAssembly.Module): Promise<number> {
  const { exports } = await WebAssembly.instantiate(module);
  const multiplyAdd = exports["multiplyAdd"] as (a: number, b: number, c: number) => number;
  return multiplyAdd(1 + 2 ** -12, 1 + 2 ** -12, -1 - 2 ** -11);
}

describe("the builds of the WebAssembly kernels", () => {
  it("never fuse in the plain one", async () => {
    expect(await remainder((await nodeWasmHost({ fused: false })).module)).toBe(0);
  });

  it("are the plain one where the runtime does not take relaxed SIMD", async () => {
    vi.spyOn(WebAssembly, "validate").mockReturnValue(false);
    expect(await remainder((await nodeWasmHost()).module)).toBe(0);
  });

  it("end in a line that says what is missing where there is no WebAssembly", async () => {
    vi.stubGlobal("WebAssembly", undefined);
    await expect(nodeWasmHost()).rejects.toThrow(
      /^engine wasm: got .*; expected a runtime with WebAssembly and its SIMD; use --engine cpu$/,
    );
  });
});
