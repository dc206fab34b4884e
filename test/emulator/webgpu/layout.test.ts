import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { WgslReflect } from "wgsl_reflect/wgsl_reflect.module.js";
import { assembledKernel, assembledNames } from "../../../src/emulator/webgpu/assembled.js";
import { kernelText, printedText } from "../../../src/emulator/webgpu/kernel.js";
import { blockLayout, jobLayout, operationBatchLayout, packBatchLayout } from "../../../src/emulator/webgpu/layout.js";
import { formatNames } from "../../../src/numerics/format.js";
import { formatArithmetics } from "../../../src/numerics/format-of.js";
import { readShader } from "../../../src/platform/shaders.js";

const rounding = ["attention-rows", "attention-tiles", "finish", "operations"] as const;
const kernels = [...rounding, "pack"] as const;
const bf16 = { arithmetic: formatArithmetics.bf16, workgroupSize: 64, constants: { blocksAtOnce: 1 } };
const cases = kernels.flatMap(kernel => formatNames.map(format => [kernel, format] as const));

/** A printed program whose steps need barriers. */
const program = printedText(
  {
    ...{ arithmetic: formatArithmetics.bf16, workgroupSize: 4, quads: false, bits: false },
    constants: { blocksAtOnce: 1 },
  },
  "fn tileSteps() {\n  held[0][0].x = pin(1.0);\n}\nfn endSteps() {\n  tileSteps();\n}",
  readShader,
);
const withBarriers = [
  ...rounding.map(name => [name, kernelText({ ...bf16, name }, readShader)] as const),
  ["program", program] as const,
];

/** The bodies of a shader's functions by their names. */
const functionsOf = (text: string): ReadonlyMap<string, string> =>
  new Map([...text.matchAll(/^fn (\w+)\([\s\S]*?^}/gm)].map(([body, name]) => [name as string, body]));

const calledIn = (body: string): ReadonlySet<string> =>
  new Set([...body.matchAll(/\b(\w+)\(/g)].map(([, name]) => name as string));

/** The functions that read the barrier's zero, or call one that does. */
function reachingZero(bodies: ReadonlyMap<string, string>): ReadonlySet<string> {
  const reaching = new Set<string>();
  for (let before = -1; before < reaching.size; ) {
    before = reaching.size;
    for (const [name, body] of bodies) {
      if (name === "main") continue;
      if (/\bopaqueZero\b/.test(body) || [...calledIn(body)].some(called => reaching.has(called))) reaching.add(name);
    }
  }
  return reaching;
}

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

  it.each(withBarriers)("%s reads the barrier's zero before anything in it needs a barrier", (kernel, text) => {
    const bodies = functionsOf(text);
    const reaching = reachingZero(bodies);
    const main = (bodies.get("main") ?? "").split("\n");
    const read = main.findIndex(line => /^ {2}opaqueZero = bitcast<u32>\((state|results)\[0\]/.test(line));
    const needed = main.findIndex(line => [...calledIn(line)].some(name => reaching.has(name)));
    expect(read).toBeGreaterThan(0);
    // finish divides in integers, where no compiler has a liberty.
    if (kernel === "finish") expect(needed).toBe(-1);
    else expect(needed).toBeGreaterThan(read);
  });

  it("writes each member at its offset, little-endian", () => {
    const view = new DataView(new ArrayBuffer(32));
    operationBatchLayout.write(view, 16, { op: 1, count: 2, chain: 0x01020304 });
    expect(new Uint32Array(view.buffer)[4]).toBe(1);
    expect(new Uint8Array(view.buffer, 24, 4)).toEqual(new Uint8Array([4, 3, 2, 1]));
  });
});

describe("shaders for people", () => {
  it("law: the head of every shader says which names come from where (scripts/shader-imports.mjs)", () => {
    const root = resolve(import.meta.dirname, "../../..");
    const { stdout, status } = spawnSync(process.execPath, ["scripts/shader-imports.mjs"], {
      cwd: root,
      encoding: "utf8",
    });
    expect(stdout).toBe("");
    expect(status).toBe(0);
  });

  it.each(assembledNames)("--print-kernel %s: a module with an entry point", name => {
    const text = assembledKernel(name, formatArithmetics["fp16-strict"], readShader);
    // The printed program has a module for each pass; FuseMax's has one.
    expect(new WgslReflect(text).entry.compute.map(({ name }) => name)).toEqual(["main"]);
  });

  it("--print-kernel refuses a kernel that is not there in an arithmetic, and names the one that is", () => {
    const other = { ...formatArithmetics.bf16, name: "mine", keys: "descending" } as const;
    expect(() => assembledKernel("attention-rows", other, readShader)).toThrow('"--print-kernel program mine"');
    expect(assembledKernel("program", other, readShader)).toContain("fn tileSteps()");
  });
});
