import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipSync } from "fflate";
import { afterAll, describe, expect, it } from "vitest";
import { readNpy } from "../../../src/io/npy.js";
import type { RunResult } from "../../../src/report/run-result.js";
import { type ModelParts, modelProto, tensorProto } from "../../io/onnx-files.js";
import { npyBytes } from "../../io/tensor-files.js";
import { invoke } from "../invoke.js";
import { make } from "./cases.js";
import { type NamedTensor, saveModel, type WriteTensor } from "./files.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-onnx-"));
afterAll(() => rmSync(folder, { recursive: true }));

const save = (
  model: ModelParts,
  inputs: readonly NamedTensor[],
  outputs: readonly NamedTensor[],
  write?: WriteTensor,
): string => saveModel(folder, model, inputs, outputs, write);

const plain = make({ name: "plain", outputs: ["present"] });
const model = (nodes = [plain.node], opset = 23): ModelParts => ({ opset, nodes });

describe("the report", () => {
  it.each(["cpu", "wasm"])("compares each output, and with float64, on %s", async engine => {
    const { node, inputs, outputs } = make({ name: "all", past: 2, bias: [4, 8], outputs: ["present", "qk"] });
    const path = save(model([node]), inputs, outputs);
    const { code, stdout, stderr } = await invoke(
      "run",
      "--onnx",
      path,
      "--engine",
      engine,
      "--json",
      "--check",
      "full",
    );
    const { onnx, format, error, workload } = JSON.parse(stdout) as RunResult;
    expect(onnx).toMatchObject({
      model: path,
      opset: 23,
      outputs: outputs.map(({ name, shape }) => ({
        name,
        shape,
        beyond: 0,
        tolerance: { absolute: 1e-5, relative: 1e-5 },
      })),
      notCompared: [],
    });
    expect(workload).toMatchObject({ queries: 4, keys: 8, pastKeys: 2, seed: null });
    expect(format).toBe("fp32");
    expect(error?.maxAbs).toBeLessThan(1e-5);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  it("says what softmax_precision is taken for", async () => {
    const { node, inputs, outputs } = make({ name: "precision", precision: 11 });
    const { code, stderr } = await invoke("run", "--onnx", save(model([node]), inputs, outputs), "--engine", "cpu");
    expect(stderr).toBe("fusemax: softmax_precision double: the softmax is that of the arithmetic\n");
    expect(code).toBe(0);
  });

  it("of another arithmetic has its scores too", async () => {
    const { node, inputs, outputs } = make({ name: "other", outputs: ["qk"] });
    const path = save(model([node]), inputs, outputs);
    const { code, stdout } = await invoke(
      "run",
      "--onnx",
      path,
      "--engine",
      "cpu",
      "--arithmetic",
      "fa3-fp8",
      "--json",
    );
    const { onnx, arithmetic } = JSON.parse(stdout) as RunResult;
    expect(onnx).toMatchObject({ outputs: [{ name: "Y" }, { name: "qk_matmul_output" }], notCompared: [] });
    for (const { maxAbs } of onnx?.outputs ?? []) expect(maxAbs).toBeLessThan(0.3);
    expect(arithmetic.name).toBe("fa3-fp8");
    expect(code).toBe(1);
  });
});

describe("test data", () => {
  const writers: Readonly<Record<string, WriteTensor>> = {
    "lists in place of raw bytes": (path, tensor) => writeFileSync(`${path}.pb`, tensorProto(tensor, "", true)),
    ".npy by number": (path, { shape, values }) => writeFileSync(`${path}.npy`, npyBytes(values, { shape })),
    ".npy by name": (path, { name, shape, values }) =>
      writeFileSync(join(path, "..", `${name}.npy`), npyBytes(values, { shape })),
    "an archive each": (path, { name, shape, values }) =>
      writeFileSync(`${path}.npz`, zipSync({ [`${name}.npy`]: npyBytes(values, { shape }) })),
  };
  it.each(Object.entries(writers))("%s", async (_name, write) => {
    const path = save(model(), plain.inputs, plain.outputs, write);
    const { code, stdout } = await invoke("run", "--onnx", path, "--engine", "cpu");
    expect(stdout).toMatch(/^Outputs of .*model\.onnx \(opset 23\) against .*test_data_set_0$/m);
    expect(stdout).toMatch(/^ {2}Y +\[2, 2, 4, 8\] +\S+ +0\.00001 \+ 0\.00001 x \|expected\| +0 of 128$/m);
    expect(code).toBe(0);
  });

  it.each(["float16", "bool", "float64", "bfloat16"] as const)("lists of %s", async type => {
    const of = { name: type, ...(type === "bool" ? { mask: [4, 6] } : { type }) };
    const { node, inputs, outputs } = make(of);
    const path = save(model([node]), inputs, outputs, (at, one) =>
      writeFileSync(`${at}.pb`, tensorProto(one, "", true)),
    );
    expect((await invoke("run", "--onnx", path, "--engine", "cpu")).code).toBe(0);
  });

  it("tensors that the model holds", async () => {
    const { node, inputs, outputs } = make({ name: "held", bias: [4, 6] });
    const held = inputs.filter(({ name }) => name === "attn_mask");
    const rest = inputs.filter(({ name }) => name !== "attn_mask");
    const path = save({ ...model([node]), held }, rest, outputs);
    expect((await invoke("run", "--onnx", path, "--engine", "cpu")).code).toBe(0);
  });

  it("a folder elsewhere, and outputs that are not there", async () => {
    const path = save(model(), plain.inputs, plain.outputs.slice(0, 1));
    const data = join(path, "..", "test_data_set_0");
    const moved = save(model(), [], []);
    const { code, stdout } = await invoke("run", "--onnx", moved, "--onnx-data", data, "--engine", "cpu");
    expect(stdout).toContain("  not in the test data: present_key, present_value\n");
    expect(code).toBe(0);
  });

  it("Y is written as the model has it", async () => {
    const { node, inputs, outputs } = make({ name: "flat", flat: true, past: 2 });
    const path = save(model([node]), inputs, outputs);
    const [y, k] = [join(folder, "y.npy"), join(folder, "k.npy")];
    const args = ["run", "--onnx", path, "--engine", "cpu", "--output", y, "--present-k", k];
    expect((await invoke(...args)).code).toBe(0);
    const written = await readNpy(y);
    expect(written.shape).toEqual(outputs[0]?.shape);
    for (const [i, x] of (await written.load()).entries()) expect(x).toBeCloseTo(outputs[0]?.values[i] ?? NaN, 5);
  });
});

describe("an output that is not as expected", () => {
  it("is a line, and code 1", async () => {
    const [y, ...rest] = plain.outputs;
    const values = y?.values.map((x, i) => (i === 77 ? x + 1e-3 : x)) ?? [];
    const path = save(model(), plain.inputs, [{ name: "Y", type: "float32", shape: y?.shape ?? [], values }, ...rest]);
    const { code, stdout } = await invoke("run", "--onnx", path, "--engine", "cpu");
    expect(stdout).toMatch(/^ {2}Y .*1\.00e-3 .* 1 of 128$/m);
    expect(stdout).toMatch(/^ {2}Y\[1, 0, 1, 5\] is \S+, expected \S+$/m);
    expect(code).toBe(1);
  });

  it("an infinity and a number are never near", async () => {
    const values = plain.outputs[0]?.values.map((x, i) => (i === 3 ? Number.NEGATIVE_INFINITY : x)) ?? [];
    const path = save(model(), plain.inputs, [{ name: "Y", type: "float32", shape: [2, 2, 4, 8], values }]);
    const { code, stdout } = await invoke("run", "--onnx", path, "--engine", "cpu", "--json");
    expect((JSON.parse(stdout) as RunResult).onnx?.outputs[0]).toMatchObject({
      beyond: 1,
      worst: { at: [0, 0, 0, 3], expected: "-Infinity" },
    });
    expect(code).toBe(1);
  });
});

describe("what is no such model, or does not fit it, is refused in a line", () => {
  const of = (name: string, change: Partial<ModelParts["nodes"][number]>, opset = 23) => ({
    name,
    path: save(model([{ ...plain.node, ...change }], opset), plain.inputs, plain.outputs),
  });
  const made = (given: Parameters<typeof make>[0], change: (one: NamedTensor) => NamedTensor = one => one): string => {
    const { node, inputs, outputs } = make(given);
    return save({ opset: given.opset ?? 23, nodes: [node] }, inputs.map(change), outputs);
  };
  const shaped = (name: string, shape: readonly number[]) => (one: NamedTensor) =>
    one.name === name ? { ...one, shape, values: Array(shape.reduce((a, b) => a * b, 1)).fill(1) } : one;
  const bad = join(folder, "bad.onnx");
  writeFileSync(bad, "this is no model");
  const empty = join(folder, "empty.onnx");
  writeFileSync(empty, "");
  const op = (name: string, domain = "") => ({ op: name, domain, inputs: ["a"], outputs: ["b"] });
  const cut = save(model(), plain.inputs, plain.outputs, (at, one) =>
    writeFileSync(`${at}.pb`, tensorProto(one).subarray(0, 40)),
  );
  const missing = save(model(), plain.inputs.slice(0, 2), plain.outputs);
  const alone = join(folder, "alone");
  mkdirSync(alone);
  writeFileSync(join(alone, "m.onnx"), modelProto(model()));
  const two = save(model(), plain.inputs, plain.outputs);
  mkdirSync(join(two, "..", "test_data_set_1"));

  it.each([
    [[bad], /bad\.onnx: is not a ModelProto of ONNX \(/],
    [[empty], /empty\.onnx: no node; expected a model of one Attention node/],
    [[join(folder, "none.onnx")], /none\.onnx: no such file or folder/],
    [
      [save(model([plain.node, { ...op("Softmax"), name: "post" }, op("MatMul")]), [], [])],
      /got a node Softmax \(post\); expected a model of one Attention node/,
    ],
    [
      [save(model([op("Attention", "com.microsoft")]), [], [])],
      /got a node com\.microsoft\.Attention; expected .*; operators of com\.microsoft are not read/,
    ],
    [[save(model([plain.node, plain.node]), [], [])], /got 2 Attention nodes; expected a model of one/],
    [[of("22", {}, 22).path], /got opset 22; expected opset 23 or later/],
    [[of("window", { attributes: { left_window_size: 2 } }, 24).path], /got attribute left_window_size; expected .*24/],
    [
      [of("unknown", { attributes: { alibi: 1 } }).path],
      /got attribute alibi; expected those of opset 23: is_causal, /,
    ],
    [
      [of("mode", { attributes: { qk_matmul_output_mode: 4 } }).path],
      /attribute qk_matmul_output_mode: got 4; expected 0 to 3/,
    ],
    [[of("type", { attributes: { scale: 1 } }).path], /attribute scale: got an integer; expected a float/],
    [
      [of("cap", { attributes: { softcap: { float: -1 } } }).path],
      /attribute softcap: got -1; expected a number above/,
    ],
    [
      [of("window", { attributes: { left_window_size: -2 } }, 25).path],
      /left_window_size: got -2; expected at least -1/,
    ],
    [[of("heads", { attributes: { q_num_heads: 2, kv_num_heads: 2 } }, 25).path], /got q_num_heads .* 4-D inputs/],
    [[of("inputs", { inputs: ["Q", "K"] }).path], /no input V; expected Q, K, V/],
    [[of("outputs", { outputs: ["Y", "", "", "", "z"] }).path], /got 5 outputs of Attention; expected at most 4/],
    [[cut], /input_0\.pb: is not a TensorProto of ONNX/],
    [
      [missing],
      /test_data_set_0: got the files input_0\.pb, .*; expected a tensor for each of V: input_2\.pb or \.npy/,
    ],
    [[join(alone, "m.onnx")], /alone: no folder test_data_set_0 beside the model; .*--onnx-data FOLDER says/],
    [[two], /got test_data_set_0, test_data_set_1; expected one folder of test data; --onnx-data/],
    [
      [made({ name: "k", flat: true }, shaped("Q", [2, 4, 15]))],
      /Q: got|input_0\.pb: got shape \[2, 4, 15\]; expected .*2 heads/,
    ],
    [[made({ name: "m", mask: [4, 6] }, shaped("attn_mask", [3, 6]))], /shape \[3, 6\]; expected .*\[2, 2, 4, 6\]/],
    [[made({ name: "l", opset: 24, lengths: [2, 3] }, shaped("nonpad_kv_seqlen", [3]))], /shape \[3\]; expected \[2\]/],
    [[made({ name: "l", opset: 24, lengths: [2, 7] })], /got 7 in batch 1; expected a whole number of at most 6/],
    [[made({ name: "l", opset: 24, lengths: [2, 3], past: 2 })], /cannot be given with past_key/],
    [[made({ name: "p", past: 2 }, shaped("past_key", [2, 2, 2, 9]))], /got E 9 in shape \[2, 2, 2, 9\]; expected 8/],
    [[made({ name: "y" }), "--causal"], /--causal: cannot be given with --onnx; the model and its test data say it/],
    [[made({ name: "y" }), "--kv-len", "8"], /--kv-len: cannot be given with --onnx/],
    [[made({ name: "y" }), "--no-causal"], /--(no-)?causal: cannot be given with --onnx/],
  ])("--onnx %j", async ([path = "", ...args], message) => {
    const before = readdirSync(folder);
    const { code, stdout, stderr } = await invoke("run", "--onnx", path, "--engine", "cpu", ...args);
    expect(stderr).toMatch(/^fusemax: [^\n]+\n$/);
    expect(stderr).toMatch(message);
    expect({ code, stdout, files: readdirSync(folder) }).toEqual({ code: 2, stdout: "", files: before });
  });
});
