import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { readSafetensors } from "../../src/io/safetensors.js";
import type { LayersResult } from "../../src/report/layers-result.js";
import type { RunResult } from "../../src/report/run-result.js";
import { invoke } from "../cli/invoke.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-capture-"));
afterAll(() => rmSync(folder, { recursive: true }));

const example = fileURLToPath(new URL("../../examples/capture", import.meta.url));
const python = (...args: readonly string[]) =>
  spawnSync("python3", args, { encoding: "utf8", env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" } });
const hasNumpy = python("-c", "import numpy").status === 0;
if (!hasNumpy) console.warn("examples/capture is not run: there is no python3 with numpy");

/** What layers_file.py writes by itself. */
const file = join(folder, "made-up.safetensors");
if (hasNumpy) python(join(example, "layers_file.py"), file);

describe.runIf(hasNumpy)("the file that examples/capture writes", () => {
  it("has q, k, v and what is done to scores of each layer", async () => {
    const { names, tensor } = await readSafetensors(file);
    expect([...names].sort()).toEqual([
      ...["layers.0.k", "layers.0.mask", "layers.0.q", "layers.0.v"],
      ...["layers.1.bias", "layers.1.k", "layers.1.q", "layers.1.scale", "layers.1.softcap", "layers.1.v"],
      ...["layers.2.k", "layers.2.mask", "layers.2.q", "layers.2.scale", "layers.2.sink", "layers.2.v"],
    ]);
    expect(["q", "mask", "scale"].map(name => tensor(`layers.2.${name}`).dtype)).toEqual(["F16", "BOOL", "F64"]);
  });

  it("is run layer by layer, with masks, biases, scales, caps and sinks: float64 attention is near", async () => {
    const args = ["run", "--every-layer", "--input", file, "--engine", "cpu", "--format", "fp32", "--check", "full"];
    const { code, stdout, stderr } = await invoke(...args, "--json");
    const { layers, total } = JSON.parse(stdout) as LayersResult;
    expect(layers.map(({ result }) => [result.workload.scale, result.workload.masks])).toEqual([
      [0.25, ["the file's mask"]],
      [0.5, []],
      [0.25, ["the file's mask"]],
    ]);
    expect(total.maxAbs).toBeLessThan(1e-5);
    expect(stderr.split("\n").slice(0, 3)).toEqual([
      "fusemax: the file's mask beside q, k and v is taken",
      "fusemax: the file's bias, scale, softcap beside q, k and v are taken",
      "fusemax: the file's mask, sink, scale beside q, k and v are taken",
    ]);
    expect(code).toBe(0);
  });

  it("law: a mask of the file is the pattern that made it; what options say stands in the place of the file's", async () => {
    const of = async (layer: number, ...more: readonly string[]): Promise<string> => {
      const names = ["q", "k", "v"].map(name => `${name}=layers.${layer}.${name}`).join(",");
      const args = ["run", "--input", file, "--names", names, "--engine", "cpu", "--check", "none", "--json"];
      return (JSON.parse((await invoke(...args, ...more)).stdout) as RunResult).output.sha256;
    };
    expect(await of(0)).toBe(await of(0, "--causal"));
    expect(await of(2)).toBe(await of(2, "--window", "7,0"));
    expect(await of(2, "--scale", "0.5")).not.toBe(await of(2));
    expect(await of(1, "--softcap", "20", "--scale", "0.5")).toBe(await of(1));
    expect(await of(1, "--softcap", "2")).not.toBe(await of(1));
  });
});

it.runIf(hasNumpy)("capture.py is a program that Python reads", () => {
  const code = "import ast, sys; ast.parse(open(sys.argv[1]).read())";
  expect(python("-c", code, join(example, "capture.py"))).toMatchObject({ status: 0, stderr: "" });
});
