import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { zipSync } from "fflate";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { programVersion } from "../../src/io/program-identity.js";
import { type Element, elementBytes, npyBytes, safetensorsBytes } from "../io/tensor-files.js";
import { invoke } from "./invoke.js";

/**
 * Law: whatever is wrong with the input, `fusemax run` says so in one line on stderr (where, got, expected), exits
 * with 2, prints nothing on stdout and leaves no file behind, whole or half.
 */
const folder = mkdtempSync(join(tmpdir(), "fusemax-bad-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const save = (name: string, bytes: Uint8Array | string): string => {
  writeFileSync(at(name), bytes);
  return at(name);
};
const tensor = (name: string, shape: readonly number[], descr: Element = "<f4", set: Record<number, number> = {}) => {
  const values = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => set[i] ?? (i % 7) / 4);
  return save(name, npyBytes(values, { shape, descr }));
};

const q = tensor("q.npy", [1, 2, 3, 4]);
const k = tensor("k.npy", [1, 1, 5, 4]);
const v = tensor("v.npy", [1, 1, 5, 2]);
const good = ["--q", q, "--k", k, "--v", v];
const small = ["--seq", "4", "--head-dim", "2"];

const entry = (shape: readonly number[], begin: number, end: number) => ({
  dtype: "F32",
  shape,
  data_offsets: [begin, end],
});
const onlyQ = save("only-q.safetensors", safetensorsBytes({ q: entry([1, 1, 1, 1], 0, 4) }, elementBytes("<f4", [1])));
const notFloat = save(
  "ints.safetensors",
  safetensorsBytes(
    {
      q: { ...entry([1, 1, 1, 1], 0, 4), dtype: "U32" },
      k: entry([1, 1, 1, 1], 4, 8),
      v: entry([1, 1, 1, 1], 8, 12),
    },
    new Uint8Array(12),
  ),
);
const archive = save("only-q.npz", zipSync({ "q.npy": readFileSync(q) }));
const cutArchive = save("cut.npz", zipSync({ "q.npy": readFileSync(q) }).slice(0, 90));
const cut = save("cut.npy", readFileSync(k).subarray(0, 140));
const otherRun = JSON.stringify({ schema: "fusemax.rows/3", program: programVersion(), contract: 0 });
const otherRows = save("other.rows", `${otherRun} ${crc32(otherRun).toString(16).padStart(8, "0")}\n`);
mkdirSync(at("folder"));
mkdirSync(at("locked.npy"));

const cases: Readonly<Record<string, readonly (readonly [args: readonly string[], message: RegExp])[]>> = {
  "options and names": [
    [["--sede", "1"], /unknown option '--sede' \(Did you mean --seed\?\); see fusemax run --help/],
    [["extra"], /too many arguments/],
    [["--causal", "--no-causal"], /^fusemax: --no-causal: cannot be given with --causal\n$/],
    [["--kv-lens", "4", "--kv-lens", "8"], /--kv-lens: got 4, then 8; expected one list; give all of it at once/],
    [["--scale", "1e999"], /--scale: got "1e999"; expected a number of 5e-324 to 1.8e308 in size, or 0/],
    [["--scale", "1e-999"], /--scale: got "1e-999"/],
    [["--jobs", "0"], /--jobs: got "0"; expected a whole number of at least 1, such as 4/],
    [
      ["--seq", "4", "--scores", at("s.npy,unknown")],
      /--scores FILE,STAGE: got the stage "unknown"; expected one of raw, capped, biased, softmax/,
    ],
    [["--seq"], /option '--seq <n>' argument missing/],
    [["--model", "gpt9"], /--model: got "gpt9"; expected one of .*bert/],
    [["--format", "fp8"], /--format: got "fp8"; expected one of bf16, bf16-strict, fp16, fp16-strict, fp32/],
    [["--engine", "tpu"], /--engine: got "tpu"; expected one of auto, webgpu/],
    [["--check", "some"], /--check: got "some"; expected full, none or sample:N/],
    [["--check", "sample:0"], /--check/],
    [["--array", "256"], /--array: got "256"; expected ROWSxCOLUMNS/],
    [["--array", "0x256"], /--array/],
    [["--max-error", "-1"], /--max-error: got "-1"; expected a number/],
    [["--onnx-data", "folder"], /--onnx-data: needs --onnx FILE/],
    [["--output-layout", "bsd"], /--output-layout: needs --output FILE/],
    [["--max-error", "1", "--check", "none"], /--max-error: cannot be given with --check none/],
  ],
  sizes: [
    ...["--seq", "--q-len", "--kv-len", "--batch", "--heads", "--kv-heads", "--head-dim", "--value-dim"].flatMap(
      option =>
        ["0", "-5", "1.5", "ten"].map(text => [[option, text], new RegExp(`${option}: got "${text}"`)] as const),
    ),
    [
      ["--seq", "4G", "--heads", "64"],
      /the workload: got sizes that need \d.* (Ti|Pi)B of memory; expected at most the .* that are free/,
    ],
    [["--seq", "4G", "--kv-heads", "1M", "--heads", "1M", "--batch", "1G"], /[EZY]iB of memory/],
    [["--head-dim", "8193", "--seq", "1"], /--head-dim: got "8193"; expected at most 8,192/],
    [["--seq", "8", "--q-len", "4"], /--seq: cannot be given with --q-len; give --seq, or --q-len and --kv-len/],
    [["--heads", "6", "--kv-heads", "4"], /--kv-heads: got 4; expected a divisor of the 6 query heads/],
  ],
  "seed, scale, spread": [
    [["--seed", "abc"], /--seed: got "abc"; expected a whole number from 0/],
    [["--seed", "-1"], /--seed/],
    [["--seed", "9007199254740992"], /--seed/],
    [["--scale", "x"], /--scale: got "x"; expected a number from 2\^-12 to 2\^12/],
    [["--scale", "0"], /--scale/],
    [["--scale", "5000"], /--scale/],
    [["--scale", "NaN"], /--scale/],
    [["--spread", "-1"], /--spread/],
  ],
  masks: [
    [["--window", "5"], /--window: got "5"; expected LEFT,RIGHT/],
    [["--window", "2,-3"], /--window: got "2,-3"; expected .* this window sees nothing/],
    [["--window", "-3,2"], /--window: got "-3,2"; expected .* this window sees nothing/],
    [["--kv-lens", "4,x"], /--kv-lens: got "4,x"; expected one whole number for each batch/],
    [["--seq", "8", "--kv-lens", "9"], /--kv-lens: got 9 in batch 0; expected at most 8/],
    [["--seq", "8", "--q-lens", "9"], /--q-lens: got 9 in batch 0; expected at most 8/],
    [["--batch", "3", "--kv-lens", "9,4"], /--kv-lens: got 2 lengths; expected 3, one for each batch/],
  ],
  "input files": [
    [["--q", q], /--q, --k, --v: no --k and no --v; expected all three or none/],
    [["--q", q, "--k", k], /no --v/],
    [[...good, "--input", onlyQ], /--input: cannot be given with --q, --k or --v/],
    [["--q", at("none.npy"), "--k", k, "--v", v], /none.npy: no such file or folder; expected a file of tensors/],
    [["--q", folder, "--k", k, "--v", v], /got a folder, which is not a regular file/],
    [["--q", onlyQ, "--k", k, "--v", v], /--q: got .*only-q.safetensors; expected a .npy file; --input takes/],
    [
      ["--q", save("text.npy", "hello, this is text"), "--k", k, "--v", v],
      /text.npy: got a file that starts with the bytes/,
    ],
    [["--q", q, "--k", cut, "--v", v], /cut.npy: got a file that ends after 140 bytes; expected 208 bytes/],
    [
      ["--q", q, "--k", tensor("codes.npy", [1, 1, 5, 4], "<u2"), "--v", v],
      /codes.npy: got values of type <u2; .*bfloat16/,
    ],
    [["--input", at("none.npz")], /none.npz: no such file/],
    [["--input", q], /--input: got .*q.npy; expected a .npz or .safetensors file/],
    [["--input", onlyQ], /got the tensors q; expected a tensor named k/],
    [["--input", notFloat], /tensor q: got values of type U32/],
    [["--input", archive], /got the tensors q; expected a tensor named k, and one named v; --names q=NAME/],
    [["--input", cutArchive], /cut.npz: no zip directory at the end/],
  ],
  "shapes of files": [
    [
      ["--q", tensor("q5.npy", [1, 1, 2, 3, 4]), "--k", k, "--v", v],
      /q5.npy: got shape \[1, 1, 2, 3, 4\]; expected \[B, H, S, D\], \[H, S, D\], \[S, D\]$/m,
    ],
    [["--q", tensor("q1.npy", [4]), "--k", k, "--v", v], /q1.npy: got shape \[4\]; expected \[B, H, S, D\]/],
    [
      ["--q", tensor("q0.npy", [1, 2, 0, 4]), "--k", k, "--v", v],
      /q0.npy: got shape \[1, 2, 0, 4\]; expected sizes of at least 1/,
    ],
    [["--q", q, "--k", tensor("kb.npy", [2, 1, 5, 4]), "--v", v], /kb.npy: got B 2 .*expected 1, as in q/],
    [
      [
        "--q",
        tensor("wide.npy", [1, 2, 1, 8193]),
        "--k",
        tensor("wide-k.npy", [1, 1, 1, 8193]),
        "--v",
        tensor("wide-v.npy", [1, 1, 1, 2]),
      ],
      /wide.npy: got E 8193; expected at most 8192/,
    ],
    [["--q", q, "--k", tensor("ke.npy", [1, 1, 5, 3]), "--v", v], /ke.npy: got E 3 in shape .*; expected 4, as in q/],
    [["--q", q, "--k", k, "--v", tensor("vm.npy", [1, 1, 6, 2])], /vm.npy: got M 6 .*; expected 5, as in k/],
    [["--q", q, "--k", k, "--v", tensor("vh.npy", [1, 2, 5, 2])], /vh.npy: got Hkv 2 .*; expected 1, as in k/],
    [
      ["--q", q, "--k", tensor("k3.npy", [1, 3, 5, 4]), "--v", tensor("v3.npy", [1, 3, 5, 2])],
      /k3.npy: got 3 heads; expected a divisor of the 2 query heads/,
    ],
    [[...good, "--heads", "3"], /--heads: got 3 query heads; expected 2, as in the files; leave --heads out/],
    [[...good, "--seq", "5"], /--seq: got 5 queries; expected 3, as in the files/],
    [[...good, "--model", "bert"], /--model bert: got 12 query heads; expected 2/],
    [[...good, "--seed", "1"], /--seed: cannot be given with input files; it is for generated inputs/],
    [[...good, "--spread", "2"], /--spread: cannot be given with input files; it is for generated inputs/],
  ],
  values: [
    [
      ["--q", tensor("nan.npy", [1, 2, 3, 4], "<f4", { 17: Number.NaN }), "--k", k, "--v", v],
      /q\[0, 1, 1, 1\]: got NaN; expected a finite value/,
    ],
    [
      ["--q", q, "--k", tensor("inf.npy", [1, 1, 5, 4], "<f8", { 19: Number.NEGATIVE_INFINITY }), "--v", v],
      /k\[0, 0, 4, 3\]: got -Infinity; expected a finite value/,
    ],
    [
      ["--q", q, "--k", k, "--v", tensor("huge.npy", [1, 1, 5, 2], "<f8", { 3: 1e16 })],
      /v\[0, 0, 1, 1\]: got 10000000000000000; expected a finite value of magnitude at most 2\^50/,
    ],
    [
      ["--format", "fp16", "--q", q, "--k", k, "--v", tensor("fp16.npy", [1, 1, 5, 2], "<f4", { 0: 70000 })],
      /v\[0, 0, 0, 0\]: got 70000; expected a finite value of magnitude at most 65504/,
    ],
    [
      ["--format", "fp16-strict", "--engine", "cpu", "--spread", "1e5", "--seq", "8"],
      /(q\[0, .*\]: got .*; expected a finite value|BQK at b 0, h 0, .*: got a magnitude beyond 65504)/,
    ],
  ],
  "dumps and outputs": [
    [[...small, "--dump-tile", "0,0,0,0"], /--dump-tile: needs --dump FILE/],
    [[...small, "--dump", at("d.safetensors")], /--dump: needs --dump-tile b,h,m1,p1/],
    [[...small, "--dump-tile", "0,0,0", "--dump", at("d.safetensors")], /--dump-tile: got "0,0,0"; expected BATCH/],
    [[...small, "--dump-tile", "1,0,0,0", "--dump", at("d.safetensors")], /--dump-tile: got b = 1; expected 0 to 0/],
    [[...small, "--dump-tile", "0,1,0,0", "--dump", at("d.safetensors")], /--dump-tile: got h = 1; expected 0 to 0/],
    [
      [...small, "--array", "2x2", "--dump-tile", "0,0,2,0", "--dump", at("d.safetensors")],
      /--dump-tile: got m1 = 2; expected 0 to 1/,
    ],
    [
      [...small, "--array", "2x2", "--dump-tile", "0,0,0,9", "--dump", at("d.safetensors")],
      /--dump-tile: got p1 = 9; expected 0 to 1/,
    ],
    [
      [...small, "--dump-tile", "0,0,0,0", "--dump", at("d.npy")],
      /--dump: got .*d.npy; expected a file name that ends in .safetensors/,
    ],
    [
      [...small, "--output", at("out.txt")],
      /--output: got .*out.txt; expected a file name that ends in .npy or .safetensors/,
    ],
    [
      [...small, "--output", at("no/such/out.npy")],
      /out.npy: no such file or folder; expected a path that can be written/,
    ],
    [[...small, "--output", at("locked.npy")], /locked.npy: got a folder; expected a path that can be written/],
    [[...small, "--output", "/proc/out.npy"], /out.npy: .*; expected a path that can be written/],
    [[...good, "--output", q], /--output: got .*q.npy, the file of --q; expected a path of its own/],
    [[...small, "--output", at("x.npy"), "--resume", at("x.npy")], /--resume: got .*x.npy, the file of --output/],
  ],
  resuming: [
    [[...small, "--engine", "cpu", "--resume", q], /q.npy: is not a file of finished rows/],
    [[...small, "--engine", "cpu", "--resume", otherRows], /other.rows: got rows of a run with contract 0/],
    [[...small, "--resume", at("no/such/x.rows")], /x.rows: no such file or folder/],
  ],
};

const listing = (): string[] => readdirSync(folder).sort();
let before = listing();
afterEach(() => expect(listing()).toEqual(before));

describe.each(Object.entries(cases))("%s", (_, rows) => {
  it.each(rows)("run %j", async (args, message) => {
    before = listing();
    const { code, stdout, stderr } = await invoke("run", ...args);
    expect(stderr).toMatch(/^fusemax: [^\n]+\n$/);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/undefined|\[object|Error:/);
    expect(stdout).toBe("");
    expect(code).toBe(2);
  });
});

it("leaves an output that was there before as it was", async () => {
  const output = save("kept.npy", "before");
  before = listing();
  const { code } = await invoke(
    "run",
    "--format",
    "fp16-strict",
    "--engine",
    "cpu",
    "--spread",
    "1e5",
    "--output",
    output,
  );
  expect(code).toBe(2);
  expect(readFileSync(output, "utf8")).toBe("before");
});

it("names a file that may not be read", async () => {
  const secret = save("secret.npy", readFileSync(q));
  chmodSync(secret, 0);
  before = listing();
  const { code, stderr } = await invoke("run", "--q", secret, "--k", k, "--v", v, "--engine", "cpu");
  // The super-user may read everything.
  if (process.getuid?.() === 0) expect(code).toBe(0);
  else expect(stderr).toMatch(/secret.npy: permission denied/);
});
