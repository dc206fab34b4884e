import { mkdtempSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readSafetensors, writeSafetensors } from "../../src/io/safetensors.js";
import { concat, elementBytes, safetensorsBytes } from "./tensor-files.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-safetensors-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "t.safetensors");
const save = (bytes: Uint8Array): string => {
  writeFileSync(path, bytes);
  return path;
};
const load = async (name: string) => (await readSafetensors(path)).tensor(name).load();

describe("readSafetensors", () => {
  it("reads every float type, whatever its alignment, beside other tensors", async () => {
    const values = [1, -2, 0.5, 96];
    const parts = { flags: Uint8Array.of(1), h: "<f2", b: "|V2", f: "<f4", d: "<f8" } as const;
    const dtypes = { flags: "BOOL", h: "F16", b: "BF16", f: "F32", d: "F64" } as const;
    const header: Record<string, unknown> = { __metadata__: { made: "by hand" } };
    const bytes: Uint8Array[] = [];
    let at = 0;
    for (const [name, part] of Object.entries(parts)) {
      const data = typeof part === "string" ? elementBytes(part, values) : part;
      const shape = name === "flags" ? [1] : [2, 2];
      header[name] = { dtype: dtypes[name as keyof typeof dtypes], shape, data_offsets: [at, at + data.length] };
      bytes.push(data);
      at += data.length;
    }
    save(safetensorsBytes(header, concat(bytes)));
    for (const name of ["h", "b", "f", "d"]) expect([...(await load(name))]).toEqual(values);
    expect([...(await load("flags"))]).toEqual([1]);
    await expect(load("q")).rejects.toThrow(/got the tensors flags, h, b, f, d; expected a tensor named q/);
  });

  it.each([
    ["U16", /tensor q: got values of type U16; expected one of F16, BF16, .*if it holds bfloat16/],
    ["U8", /got values of type U8; .*if it holds 8-bit floats/],
    ["C64", /got values of type C64; expected one of F16, BF16/],
  ])("refuses %s, with advice where it may hold something else", async (dtype, message) => {
    const bytes = { U16: 2, U8: 1, C64: 8 }[dtype] ?? 0;
    save(safetensorsBytes({ q: { dtype, shape: [1], data_offsets: [0, bytes] } }, new Uint8Array(bytes)));
    await expect(load("q")).rejects.toThrow(message);
  });

  it("names ten tensors at the most", async () => {
    const header = Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => [`t${i}`, { dtype: "U8", shape: [0], data_offsets: [0, 0] }]),
    );
    save(safetensorsBytes(header, new Uint8Array(0)));
    await expect(load("q")).rejects.toThrow(/t8, t9 and 20 more; expected a tensor named q/);
  });

  it("reads past 4 GiB without reading what lies before", async () => {
    const large = 5 * 2 ** 30;
    const header = {
      other: { dtype: "U8", shape: [large], data_offsets: [0, large] },
      q: { dtype: "F32", shape: [2], data_offsets: [large, large + 8] },
    };
    const head = safetensorsBytes(header, new Uint8Array(0));
    save(head);
    truncateSync(path, head.length + large); // sparse: takes no room on the disk
    writeSync(openSync(path, "r+"), elementBytes("<f4", [3, 4]), 0, 8, head.length + large);
    expect([...(await load("q"))]).toEqual([3, 4]);
    rmSync(path);
  });

  const entry = (over: Record<string, unknown> = {}) => ({ dtype: "F32", shape: [2], data_offsets: [0, 8], ...over });
  const twice =
    '{"q":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"q":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}';
  const eight = new Uint8Array(8);
  const length = (value: bigint) => new Uint8Array(BigUint64Array.of(value).buffer);
  const bad: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ["empty", new Uint8Array(0), /ends after 0 bytes; expected 8 bytes/],
    ["cut in the header", safetensorsBytes({ q: entry() }, eight).slice(0, 20), /ends after 20 bytes/],
    ["cut in the values", safetensorsBytes({ q: entry() }, eight.slice(1)), /cut short/],
    ["absurd header length", length(2n ** 60n), /header of 1152921504606846976 bytes/],
    ["not JSON", safetensorsBytes("{q", eight), /a header that is not JSON/],
    ["with a byte order mark", safetensorsBytes('\ufeff{"q":{}}', eight), /a header that is no/],
    ["a list", safetensorsBytes([], eight), /a header that is no JSON object/],
    ["without dtype", safetensorsBytes({ q: entry({ dtype: 3 }) }, eight), /tensor q: got dtype 3/],
    ["of negative shape", safetensorsBytes({ q: entry({ shape: [-2] }) }, eight), /tensor q: got shape \[-2\]/],
    ["without offsets", safetensorsBytes({ q: entry({ data_offsets: [0] }) }, eight), /got data_offsets \[0\]/],
    [
      "of the wrong length",
      safetensorsBytes({ q: entry({ shape: [3] }) }, eight),
      /8 bytes; expected 12 bytes for shape/,
    ],
    ["null", safetensorsBytes({ q: null }, eight), /tensor q: got null; expected an object with dtype/],
    ["with a tensor twice", safetensorsBytes(twice, eight), /got the key "q" twice; expected each key once/],
    [
      "with a field twice",
      safetensorsBytes('{"q":{"dtype":"F32","dtype":"F16"}}', eight),
      /tensor q: got the key "dtype" twice/,
    ],
    ["without a shape", safetensorsBytes({ q: { dtype: "F32", data_offsets: [0, 8] } }, eight), /tensor q: no shape/],
    [
      "of half a size",
      safetensorsBytes({ q: entry({ shape: [1.5] }) }, eight),
      /got shape \[1.5\]; expected a list of sizes/,
    ],
    [
      "of metadata that is no text",
      safetensorsBytes({ __metadata__: { a: 1 } }, eight),
      /__metadata__: got 1; expected an object of texts/,
    ],
    ["with something after its object", safetensorsBytes("{} x", eight), /not JSON \(something after the object/],
    [
      "of brackets in one another",
      safetensorsBytes(`{"q":{"x":${"[".repeat(1e6)}`, eight),
      /got nesting at byte \d+; expected at most 8 deep/,
    ],
    ["with the wrong bytes for text", safetensorsBytes({}, eight).with(8, 0xff), /a header that is no UTF-8 text/],
    [
      "overlapping",
      safetensorsBytes({ q: entry(), k: entry({ data_offsets: [4, 12] }) }, new Uint8Array(12)),
      /tensor k: got data_offsets \[4,12\], an overlap; expected a beginning at byte 8/,
    ],
    [
      "with a hole",
      safetensorsBytes({ q: entry(), k: entry({ data_offsets: [9, 17] }) }, new Uint8Array(17)),
      /tensor k: got data_offsets \[9,17\], a hole/,
    ],
    [
      "with an end before its beginning",
      safetensorsBytes({ q: entry(), k: { dtype: "F4", shape: [1], data_offsets: [8, 4] } }, eight),
      /tensor k: got data_offsets \[8,4\]; expected an end after the beginning/,
    ],
    ["longer than its tensors", safetensorsBytes({ q: entry() }, new Uint8Array(9)), /1 byte of no tensor/],
  ];
  it.each(bad)("refuses a file that is %s", async (_, bytes, message) => {
    await expect(readSafetensors(save(bytes))).rejects.toThrow(message);
  });
});

describe("writeSafetensors", () => {
  it("writes F32 and U8 tensors whose bytes lie where the header says, values on 8-byte bounds", async () => {
    await writeSafetensors(
      path,
      [
        { name: "exists", shape: [3], values: Uint8Array.of(1, 0, 1) },
        { name: "BQK", shape: [2, 1], values: Float32Array.of(1.5, -2) },
      ],
      { format: "bf16" },
    );
    const file = readFileSync(path);
    const headerLength = Number(file.readBigUInt64LE(0));
    expect(headerLength % 8).toBe(0);
    expect(JSON.parse(file.toString("utf8", 8, 8 + headerLength))).toEqual({
      __metadata__: { format: "bf16" },
      BQK: { dtype: "F32", shape: [2, 1], data_offsets: [0, 8] },
      exists: { dtype: "U8", shape: [3], data_offsets: [8, 11] },
    });
    expect([...file.subarray(8 + headerLength + 8)]).toEqual([1, 0, 1]);
    expect([...(await load("BQK"))]).toEqual([1.5, -2]);
  });
});
