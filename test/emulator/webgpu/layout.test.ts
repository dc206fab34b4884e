import { describe, expect, it } from "vitest";
import { WgslReflect } from "wgsl_reflect/wgsl_reflect.module.js";
import { kernelText } from "../../../src/emulator/webgpu/kernel.js";
import { blockLayout, jobLayout, operationBatchLayout, packBatchLayout } from "../../../src/emulator/webgpu/layout.js";
import { formatNames } from "../../../src/numerics/format.js";
import { formatArithmetics } from "../../../src/numerics/format-of.js";
import { readShader } from "../../../src/platform/shaders.js";

const rounding = ["attention-rows", "attention-tiles", "finish", "dump-tile", "operations"] as const;
const kernels = [...rounding, "pack"] as const;
const cases = kernels.flatMap(kernel => formatNames.map(format => [kernel, format] as const));

describe("host and shader layouts", () => {
  it.each(cases)("%s in %s: every member stands where wgsl_reflect finds it", (kernel, format) => {
    const reflection = new WgslReflect(
      kernelText({ name: kernel, arithmetic: formatArithmetics[format], workgroupSize: 64 }, readShader),
    );
    for (const layout of [jobLayout, blockLayout, operationBatchLayout, packBatchLayout]) {
      const struct = reflection.structs.find(({ name }) => name === layout.name);
      expect(struct?.size).toBe(layout.byteSize);
      expect(Object.fromEntries(struct?.members.map(({ name, offset }) => [name, offset]) ?? [])).toEqual(
        layout.offsets,
      );
    }
  });

  it.each(rounding)("%s reads the barrier's zero before anything else can be folded", kernel => {
    expect(readShader(kernel)).toMatch(/opaqueZero = bitcast<u32>\((state|results)\[0\]/);
  });

  it("writes each member at its offset, little-endian", () => {
    const view = new DataView(new ArrayBuffer(32));
    operationBatchLayout.write(view, 16, { op: 1, count: 2, chain: 0x01020304 });
    expect(new Uint32Array(view.buffer)[4]).toBe(1);
    expect(new Uint8Array(view.buffer, 24, 4)).toEqual(new Uint8Array([4, 3, 2, 1]));
  });
});
