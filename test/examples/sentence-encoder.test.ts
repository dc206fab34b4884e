import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { cpuEngine, formatNames } from "fusemax";
import { beforeAll, describe, expect, it } from "vitest";
import { emulateLayer } from "../../examples/sentence-encoder/emulated.js";
import { type EncoderModel, loadModel } from "../../examples/sentence-encoder/model.js";
import { type Emulate, type Run, run } from "../../examples/sentence-encoder/run.js";
import { readText } from "../../examples/sentence-encoder/text.js";

let model: EncoderModel;
let ids: number[];
let exact: Run;
const silent = (): void => {};
const onTwin: Emulate = (format, inputs) =>
  emulateLayer({ engine: cpuEngine(), reason: "the golden engine", notes: [] }, format, inputs);
beforeAll(async () => {
  model = await loadModel();
  ids = model.tokenizer.encode(await readText()).slice(0, 96);
  exact = await run(model, ids, "float64", onTwin, silent);
});

/**
 * The array's error against plain attention in the same format, which steps through the same scores and weights with
 * roundings of the same size: at most twice it. Measured on this text: 0.4 to 1.0 times.
 */
const overBaseline = 2;

/**
 * How far the embedding may turn (in radians) over the larger of its layers' relative errors: each layer's attention is one of
 * several terms of the stream, so of the order of 1. Measured: 0.6 to 0.9.
 */
const turnOverError = 4;

describe("the encoder with its attention on the array", () => {
  it.each(formatNames)("%s: reports both layers, each as true as plain attention in that format", async format => {
    const emulated = await run(model, ids, format, onTwin, silent);
    expect(emulated.layers.map(({ engine, heads, tokens, headDim }) => [engine, heads, tokens, headDim])).toEqual([
      ["cpu", 4, 96, 64],
      ["cpu", 4, 96, 128],
    ]);
    for (const { check } of emulated.layers) {
      expect(check.checkedRows).toBe(64);
      expect(check.rmsRelative).toBeGreaterThan(0);
      expect(check.rmsRelative).toBeLessThan(overBaseline * (check.baseline?.rmsRelative ?? 0));
    }
    const turn = Math.hypot(...emulated.embedding.map((x, i) => x - (exact.embedding[i] ?? Number.NaN)));
    const error = Math.max(...emulated.layers.map(({ check }) => check.withInputRounding.rmsRelative));
    expect(turn).toBeGreaterThan(0);
    expect(turn).toBeLessThan(turnOverError * error);
  });
});

describe("npm start", () => {
  const main = join(import.meta.dirname, "../../dist/examples/sentence-encoder/main.js");
  const start = (...args: string[]) => promisify(execFile)(process.execPath, [main, ...args]);

  it("is built", () => expect(existsSync(main), "run npm run build first").toBe(true));

  it("reports every format on stdout, progress on stderr", async () => {
    const { stdout, stderr } = await start("--tokens", "12", "--threads", "2");
    expect(stdout).toMatch(/^12 tokens .*: Alice was beginning/m);
    for (const format of formatNames) {
      expect(stdout).toMatch(new RegExp(`^${format} +0 +4 of 64( +\\d\\.\\d\\de[-+]\\d+){4}$`, "m"));
      expect(stdout).toMatch(new RegExp(`^${format} +1 +4 of 128( +\\d\\.\\d\\de[-+]\\d+){4}$`, "m"));
      expect(stdout).toMatch(new RegExp(`^${format} +(0\\.99\\d{7}|1\\.0{9})( +\\d\\.\\d\\de[-+]\\d+){2}$`, "m"));
      expect(stderr).toMatch(new RegExp(`^${format}: attention of layer 1 emulated`, "m"));
    }
    // One tile: 4 heads · (max(E + 1, 1 + F + F) + 1 + 8 + F) cycles.
    expect(stdout).toMatch(/^0 +808 /m);
    expect(stdout).toMatch(/^1 +1576 /m);
  });

  it("gives the same report from another engine", async () => {
    const args = ["--tokens", "30", "--threads", "2", "--engine"];
    const [cpu, wasm] = await Promise.all([start(...args, "cpu"), start(...args, "wasm")]);
    expect(cpu.stdout).toMatch(/^engine: cpu$/m);
    expect(wasm.stdout).toMatch(/^engine: wasm$/m);
    const tables = ({ stdout }: { readonly stdout: string }) =>
      stdout.slice(stdout.indexOf("Attention error")).replace(/[\d.]+ s\n$/, "");
    expect(tables(wasm)).toBe(tables(cpu));
  });

  it.each([
    ["an unknown option", ["--tokns", "3"], /Unknown option '--tokns'/],
    ["a number that is none", ["--tokens", "1e1"], /--tokens: got 1e1; expected a whole number from 1/],
    [
      "a missing text",
      ["--text", "/nowhere/text.txt"],
      /\/nowhere\/text\.txt: got ENOENT; expected a readable text file/,
    ],
    ["a layer that is not there", ["--export-qkv", "/nowhere/f", "--layer", "2"], /--layer: got 2/],
    ["a place that cannot be written", ["--export-qkv", "/nowhere/f.safetensors"], /\/nowhere/],
  ])("refuses %s with one line and exit code 2", async (_name, args, message) => {
    const failure = await start(...args).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 2, stdout: "" });
    const { stderr } = failure as { stderr: string };
    const complaint = stderr.split("\n").filter(line => line.startsWith("sentence-encoder: "));
    expect(complaint).toHaveLength(1);
    expect(complaint[0]).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});
