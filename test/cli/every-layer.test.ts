import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { LayersResult } from "../../src/report/layers-result.js";
import type { RunResult } from "../../src/report/run-result.js";
import { concat, elementBytes, safetensorsBytes } from "../io/tensor-files.js";
import { invoke } from "./invoke.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-layers-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A .safetensors file of F32 tensors whose values differ from one to the next. */
function save(name: string, tensors: readonly (readonly [name: string, shape: readonly number[]])[]): string {
  let end = 0;
  const parts: Uint8Array[] = [];
  const header = tensors.map(([tensor, shape], t) => {
    const count = shape.reduce((a, b) => a * b, 1);
    const values = Array.from({ length: count }, (_, i) => Math.fround(Math.sin(t * 1000 + i)));
    parts.push(elementBytes("<f4", values));
    const begin = end;
    end += 4 * count;
    return [tensor, { dtype: "F32", shape, data_offsets: [begin, end] }] as const;
  });
  const path = join(folder, name);
  writeFileSync(path, safetensorsBytes(Object.fromEntries(header), concat(parts)));
  return path;
}

/** Layers 0, 2 and 10 of different sizes, in the order of their names as texts. */
const layers = [
  ["model.layers.0", 4, 3, 5],
  ["model.layers.10", 2, 4, 4],
  ["model.layers.2", 4, 6, 2],
] as const;
const file = save(
  "layers.safetensors",
  layers.flatMap(([name, heads, queries, keys]) => [
    [`${name}.q`, [1, heads, queries, 8]] as const,
    [`${name}.k`, [1, 2, keys, 8]] as const,
    [`${name}.v`, [1, 2, keys, 8]] as const,
    [`${name}.out`, [3]] as const,
  ]),
);
const args = ["run", "--engine", "cpu", "--input", file];

describe("run --every-layer", () => {
  it("law: each layer gives what it gives alone, and the total is their sum", async () => {
    const { code, stdout, stderr } = await invoke(...args, "--every-layer", "--json");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const found = JSON.parse(stdout) as LayersResult;
    expect(found.layers.map(({ name }) => name)).toEqual(["model.layers.0", "model.layers.2", "model.layers.10"]);
    for (const { name, result } of found.layers) {
      const names = `q=${name}.q,k=${name}.k,v=${name}.v`;
      const alone = JSON.parse((await invoke(...args, "--names", names, "--json")).stdout) as RunResult;
      expect({ ...result, time: alone.time }).toEqual(alone);
    }
    const costs = found.layers.map(({ result }) => result.cost);
    expect(found.total.cycles).toBe(costs.reduce((sum, { cycles }) => sum + cycles, 0));
    expect(found.total.energyPj).toBe(costs.reduce((sum, { energyPj = Number.NaN }) => sum + energyPj, 0));
    expect(found.total.maxAbs).toBe(Math.max(...found.layers.map(({ result }) => result.error?.maxAbs ?? 0)));
  });

  it("prints a row a layer, in the order of their numbers", async () => {
    const { stdout } = await invoke(...args, "--every-layer");
    const rows = stdout.trimEnd().split("\n");
    expect(rows[0]).toMatch(/^layer +scores \[B, H, P, M\] +error, max +rms\/rms +cycles +time +DRAM +energy$/);
    expect(rows[2]).toMatch(
      /^model\.layers\.0 +\[1, 4, 3, 5\] +\d\.\d\de-\d +\d\.\d\de-\d +[\d,]+ +\S+ .?s +\S+ .?B +\S+ .?J$/,
    );
    expect(rows.map(row => row.split(" ")[0]).slice(2)).toEqual([
      "model.layers.0",
      "model.layers.2",
      "model.layers.10",
      expect.stringMatching(/^-+$/),
      "all",
    ]);
    expect(new Set(rows.map(row => row.length)).size).toBe(1);
  });

  it("code 1 where one of them is beyond --max-error", async () => {
    const { code, stderr } = await invoke(...args, "--every-layer", "--max-error", "1e-9");
    expect(stderr).toMatch(/the largest error, .* is above --max-error 1e-9/);
    expect(code).toBe(1);
  });

  const half = save("half.safetensors", [
    ["a.q", [1, 1, 2, 4]],
    ["a.k", [1, 1, 2, 4]],
    ["a.v", [1, 1, 2, 4]],
    ["b.q", [1, 1, 2, 4]],
    ["b.k", [1, 1, 2, 5]],
    ["b.v", [1, 1, 2, 4]],
  ]);
  it.each([
    [["--every-layer"], /--every-layer: needs --input with a file of several layers/],
    [
      ["--every-layer", "--input", file, "--output", "x.npy"],
      /--output: cannot be given with --every-layer; .*--names picks one/,
    ],
    [["--every-layer", "--input", file, "--names", "q=a"], /--names: cannot be given with --every-layer/],
    [
      ["--every-layer", "--input", save("none.safetensors", [["x", [2]]])],
      /none\.safetensors: got the tensors x; expected q/,
    ],
    // Said before the first is computed.
    [["--every-layer", "--input", half], /half\.safetensors tensor b\.k: got E 5 in shape .*; expected 4, as in q/],
  ])("run %j is refused in a line", async (given, message) => {
    const { code, stdout, stderr } = await invoke("run", "--engine", "cpu", ...given);
    expect(stderr).toMatch(/^fusemax: [^\n]+\n$/);
    expect(stderr).toMatch(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });
});
