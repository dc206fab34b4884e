import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipSync } from "fflate";
import { afterAll, describe, expect, it } from "vitest";
import { readNpy } from "../../src/io/npy.js";
import { readSafetensors } from "../../src/io/safetensors.js";
import type { RunResult } from "../../src/report/run-result.js";
import { type Element, npyBytes } from "../io/tensor-files.js";
import { invoke } from "./invoke.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-caches-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

const range = (from: number, to: number): readonly number[] => Array.from({ length: to - from }, (_, i) => from + i);
const [B, H, Hkv, P, M, E, F] = [2, 4, 2, 3, 7, 8, 6];
/** Keys of the cache. */
const Mp = 4;
type Name = "q" | "k" | "v";
const heads = { q: H, k: Hkv, v: Hkv };
const width = { q: E, k: E, v: F };
const valueAt = (name: Name, b: number, h: number, s: number, d: number): number =>
  (((width[name] * 3 + b * 31 + h * 17 + s * 5 + d * 7) % 29) - 14) / 8;

type Layout = "bhsd" | "bshd" | "bsd";

/** A .npy file of positions [from, to) of a tensor. */
function save(name: Name, from: number, to: number, layout: Layout = "bhsd", descr: Element = "<f4"): string {
  const [h, s, d] = [range(0, heads[name]), range(from, to), range(0, width[name])];
  const values = range(0, B).flatMap(b =>
    layout === "bhsd"
      ? h.flatMap(i => s.flatMap(j => d.map(x => valueAt(name, b, i, j, x))))
      : s.flatMap(j => h.flatMap(i => d.map(x => valueAt(name, b, i, j, x)))),
  );
  const shape = {
    bhsd: [B, h.length, s.length, d.length],
    bshd: [B, s.length, h.length, d.length],
    bsd: [B, s.length, h.length * d.length],
  }[layout];
  const path = at(`${name}-${from}-${to}-${layout}-${descr.slice(1)}.npy`);
  writeFileSync(path, npyBytes(values, { shape, descr }));
  return path;
}

const run = async (...args: readonly string[]): Promise<RunResult> => {
  const { code, stdout, stderr } = await invoke("run", "--engine", "cpu", "--json", ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout) as RunResult;
};
const whole = ["--q", save("q", 0, P), "--k", save("k", 0, M), "--v", save("v", 0, M)];
const apart = (layout: Layout, past: Element = "<f4", now: Element = "<f4"): readonly string[] => [
  ...["--q", save("q", 0, P, layout, now), "--k", save("k", Mp, M, layout, now), "--v", save("v", Mp, M, layout, now)],
  ...["--past-k", save("k", 0, Mp, layout, past), "--past-v", save("v", 0, Mp, layout, past)],
  ...(layout === "bhsd" ? [] : ["--layout", layout, "--heads", String(H), "--kv-heads", String(Hkv)]),
];

describe("law: a cache and the keys after it are the keys together", () => {
  it.each([
    ["bhsd", "<f4", "<f4", []],
    ["bshd", "<f4", "<f4", ["--causal"]],
    ["bsd", "<f2", "<f4", ["--window", "2,1"]],
    ["bhsd", "<f8", "<f2", ["--causal", "--kv-lens", "7,5"]],
  ] as const)("in %s, of %s before %s, %j", async (layout, past, now, more) => {
    const expected = await run(...whole, ...more);
    const got = await run(
      ...apart(layout, past, now),
      ...more,
      "--present-k",
      at("pk.npy"),
      "--present-v",
      at("pv.npy"),
    );
    expect(got.output.sha256).toBe(expected.output.sha256);
    expect(got.workload).toEqual({ ...expected.workload, pastKeys: Mp });
    const [pk, k, pv, v] = await Promise.all(
      [at("pk.npy"), save("k", 0, M, layout), at("pv.npy"), save("v", 0, M, layout)].map(path => readNpy(path)),
    );
    expect([pk?.shape, pv?.shape]).toEqual([k?.shape, v?.shape]);
    expect([...((await pk?.load()) ?? [])]).toEqual([...((await k?.load()) ?? [])]);
    expect([...((await pv?.load()) ?? [])]).toEqual([...((await v?.load()) ?? [])]);
  });

  it("whose files may be archives, and whose present may be a .safetensors file", async () => {
    const archive = at("past.npz");
    const tensor = (n: number) => npyBytes(Array(B * Hkv * Mp * n).fill(0.5), { shape: [B, Hkv, Mp, n] });
    writeFileSync(archive, zipSync({ "past_key.npy": tensor(E), "past_value.npy": tensor(F) }));
    const present = at("present.safetensors");
    const result = await run(...whole, "--past-k", archive, "--past-v", archive, "--present-k", present);
    expect(result.workload).toMatchObject({ keys: M + Mp, pastKeys: Mp });
    expect((await readSafetensors(present)).tensor("present_k").shape).toEqual([B, Hkv, M + Mp, E]);
  });

  it("--dtype says what the codes of both are", async () => {
    const bits = (path: string): string => {
      const floats = new Float32Array(new Uint8Array(readFileSync(path)).slice(128).buffer);
      const codes = [...new Uint32Array(floats.buffer)].map(code => code >>> 16);
      const shape = /k-/.test(path) ? E : F;
      const coded = path.replace(".npy", "-codes.npy");
      writeFileSync(coded, npyBytes(codes, { shape: [B, Hkv, codes.length / (B * Hkv * shape), shape], descr: "<u2" }));
      return coded;
    };
    const args = ["--q", save("q", 0, P), "--k", bits(save("k", Mp, M)), "--v", bits(save("v", Mp, M))];
    const past = ["--past-k", bits(save("k", 0, Mp)), "--past-v", bits(save("v", 0, Mp))];
    const { output } = await run(...args, ...past, "--dtype", "k=bf16,v=bf16");
    expect(output.sha256).toBe((await run(...whole)).output.sha256);
    const { stderr } = await invoke("run", ...whole, ...past);
    expect(stderr).toMatch(/k-0-4-.*: got values of type <u2; .*--dtype k=bf16 reads it so/);
  });

  it("the text says how many keys are a cache's", async () => {
    const { stdout } = await invoke("run", "--engine", "cpu", ...apart("bhsd"));
    expect(stdout).toContain("3 queries x 7 keys (4 of a cache)");
  });
});

describe("law: what a cache's padding holds changes nothing", () => {
  it("NaN and infinities past the lengths of a batch", async () => {
    const lengths = ["--kv-lens", "7,5"];
    const expected = (await run(...whole, ...lengths)).output.sha256;
    for (const padding of [Number.NaN, Number.POSITIVE_INFINITY, 3e38]) {
      const files = (["k", "v"] as const).flatMap(name => {
        const values = range(0, B).flatMap(b =>
          range(0, Hkv).flatMap(h =>
            range(0, M).flatMap(s =>
              range(0, width[name]).map(d => (b === 1 && s >= 5 ? padding : valueAt(name, b, h, s, d))),
            ),
          ),
        );
        writeFileSync(at(`pad-${name}.npy`), npyBytes(values, { shape: [B, Hkv, M, width[name]] }));
        return [`--${name}`, at(`pad-${name}.npy`)];
      });
      expect((await run("--q", save("q", 0, P), ...files, ...lengths)).output.sha256).toBe(expected);
    }
  });
});

describe("caches that do not fit are refused in a line", () => {
  const past = ["--past-k", save("k", 0, Mp), "--past-v", save("v", 0, Mp)];
  it.each([
    [[...whole, "--past-k", save("k", 0, Mp)], /--past-k: needs --past-v/],
    [[...whole, "--past-v", save("v", 0, Mp)], /--past-v: needs --past-k/],
    [["--seq", "8", ...past], /--past-k: needs --q, --k and --v, or --input/],
    [
      [...whole, "--past-k", save("k", 0, Mp), "--past-v", save("v", 0, 2)],
      /v-0-2-.*: got 2 past values in shape \[2, 2, 2, 6\]; expected 4, as there are past keys/,
    ],
    [
      [...whole, "--past-k", save("q", 0, P), "--past-v", save("v", 0, P)],
      /q-0-3-.*: got Hkv 4 in shape \[2, 4, 3, 8\]; expected 2, as in k \[2, 2, 7, 8\]/,
    ],
    [
      [...whole, "--past-k", save("v", 0, Mp), "--past-v", save("v", 0, Mp)],
      /v-0-4-.*: got E 6 in shape \[2, 2, 4, 6\]; expected 8, as in k/,
    ],
    [[...whole, ...past, "--present-k", at("p.txt")], /--present-k: got .*p\.txt; expected a file name that ends in/],
    [
      [...whole, ...past, "--present-k", past[1] ?? ""],
      /--present-k: got .*, the file of --past-k; expected a path of/,
    ],
  ])("run %j", async (args, message) => {
    const before = readdirSync(folder);
    const { code, stdout, stderr } = await invoke("run", "--engine", "cpu", ...args);
    expect(stderr).toMatch(/^fusemax: [^\n]+\n$/);
    expect(stderr).toMatch(message);
    expect({ code, stdout, files: readdirSync(folder) }).toEqual({ code: 2, stdout: "", files: before });
  });
});
