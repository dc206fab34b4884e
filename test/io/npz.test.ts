import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { unzipSync, zipSync } from "fflate";
import { afterAll, describe, expect, it } from "vitest";
import { readNpz, writeNpz } from "../../src/io/npz.js";
import { zipParts } from "../../src/io/zip-write.js";
import { concat, elementBytes, npyBytes } from "./tensor-files.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-npz-"));
afterAll(() => rmSync(folder, { recursive: true }));
const save = (bytes: Uint8Array): string => {
  const path = join(folder, "t.npz");
  writeFileSync(path, bytes);
  return path;
};

const count = 300_000;
const values = Array.from({ length: count }, (_, i) => (i * 7919) % 4093);
const q = npyBytes(values, { shape: [1, 1, count / 4, 4] });
const k = npyBytes([1, 2, 3, 4], { shape: [1, 1, 1, 4], descr: "<f8" });
const load = async (path: string, name: string) => (await (await readNpz(path)).tensor(name)).load();

describe("readNpz", () => {
  it.each([0, 6] as const)("reads members packed at level %i (0: stored), larger than one piece", async level => {
    const path = save(zipSync({ "q.npy": q, "k.npy": k }, { level }));
    expect((await readNpz(path)).names).toEqual(["q", "k"]);
    expect([...(await load(path, "q"))]).toEqual(values);
    expect(await load(path, "k")).toEqual(Float64Array.of(1, 2, 3, 4));
  });

  it("reads Zip64 members as numpy writes them", async () => {
    expect(await load(save(zip64("k.npy", k)), "k")).toEqual(Float64Array.of(1, 2, 3, 4));
  });

  it("reads packed members whose header ends at an odd byte: NumPy pads it, others do not", async () => {
    const text = "{'descr':'<f4','fortran_order':False,'shape':(4,)}\n";
    const start = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length, 0);
    const odd = concat([start, new TextEncoder().encode(text), elementBytes("<f4", [1, 2, 3, 4])]);
    expect((start.length + text.length) % 2).toBe(1);
    expect([...(await load(save(zipSync({ "q.npy": odd }, { level: 6 })), "q"))]).toEqual([1, 2, 3, 4]);
  });

  it("does not inflate a header of gigabytes, nor a member beyond what its directory says", async () => {
    const huge = new Uint8Array(50_000_000);
    huge.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 2, 0]);
    new DataView(huge.buffer).setUint32(8, huge.length - 12, true);
    const bomb = zipSync({ "q.npy": huge }, { level: 6 });
    await expect(load(save(bomb), "q")).rejects.toThrow(
      /q.npy: got a header of 49999988 bytes; expected at most 65535/,
    );
    const lying = zipSync({ "q.npy": concat([k, new Uint8Array(50_000_000)]) }, { level: 6 });
    new DataView(lying.buffer).setUint32(lying.length - 22 - 46 - "q.npy".length + 24, k.length, true);
    const before = process.memoryUsage.rss();
    await expect(load(save(lying), "q")).rejects.toThrow(
      /q.npy: got more than the 160 bytes that it has by the directory/,
    );
    expect(process.memoryUsage.rss() - before).toBeLessThan(300e6);
  });

  it("refuses two members of one name", async () => {
    const two = zipSync({ "q.npy": k, "p.npy": k }, { level: 0 });
    for (let at = 0; at < two.length; at += 1)
      if (String.fromCharCode(...two.subarray(at, at + 5)) === "p.npy") two[at] = 0x71;
    await expect(readNpz(save(two))).rejects.toThrow(/got two members named q.npy/);
  });

  it("names the arrays when one is missing", async () => {
    const path = save(zipSync({ "query.npy": q }, { level: 0 }));
    await expect(load(path, "q")).rejects.toThrow(/got the arrays query; expected an array named q/);
  });

  it("refuses what is cut short, damaged or no archive", async () => {
    const stored = zipSync({ "q.npy": q }, { level: 0 });
    await expect(readNpz(save(stored.slice(0, stored.length / 2)))).rejects.toThrow(/one cut short/);
    const flipped = stored.slice();
    flipped[stored.length / 2] = (flipped[stored.length / 2] as number) ^ 1;
    await expect(load(save(flipped), "q")).rejects.toThrow(/q.npy: got values that do not match their checksum/);
    const packed = zipSync({ "q.npy": q }, { level: 6 });
    packed.fill(0xff, 2000, 2100);
    await expect(load(save(packed), "q")).rejects.toThrow(/q.npy: got (damaged compressed values|values that do not)/);
    const directory = stored.length - 22 - 46 - "q.npy".length;
    const encrypted = stored.slice();
    encrypted[directory + 8] = 1;
    await expect(readNpz(save(encrypted))).rejects.toThrow(/q.npy: got an encrypted member/);
    const long = stored.slice();
    new DataView(long.buffer).setUint32(directory + 20, 2 ** 30, true);
    new DataView(long.buffer).setUint32(directory + 24, 2 ** 30, true);
    await expect(load(save(long), "q")).rejects.toThrow(/q.npy: got a file that ends after/);
    const misplaced = stored.slice();
    new DataView(misplaced.buffer).setUint32(stored.length - 6, stored.length, true);
    await expect(readNpz(save(misplaced))).rejects.toThrow(/got a directory past the end/);
    await expect(readNpz(save(q))).rejects.toThrow(/got a .npy file; expected a .npz archive/);
  });
});

/** A stored member whose sizes are all in the Zip64 field, in the local header and in the directory. */
function zip64(name: string, bytes: Uint8Array): Uint8Array {
  const extra = (offset: boolean): Uint8Array => {
    // A field of another kind is first.
    const other = Uint8Array.of(9, 9, 3, 0, 1, 0, 1);
    const field = new Uint8Array(offset ? 28 : 20);
    const view = new DataView(field.buffer);
    view.setUint16(0, 1, true);
    view.setUint16(2, field.length - 4, true);
    view.setBigUint64(4, BigInt(bytes.length), true);
    view.setBigUint64(12, BigInt(bytes.length), true);
    return concat([other, field]);
  };
  const encoded = new TextEncoder().encode(name);
  const header = (length: number, signature: number, at: number, extraLength: number): Uint8Array => {
    const out = new Uint8Array(length).fill(0);
    const view = new DataView(out.buffer);
    view.setUint32(0, signature, true);
    view.setUint32(at, crc32(bytes), true);
    view.setUint32(at + 4, 0xffffffff, true);
    view.setUint32(at + 8, 0xffffffff, true);
    view.setUint16(at + 12, encoded.length, true);
    view.setUint16(at + 14, extraLength, true);
    return out;
  };
  const local = concat([header(30, 0x04034b50, 14, 27), encoded, extra(false), bytes]);
  const centralHeader = header(46, 0x02014b50, 16, 35);
  new DataView(centralHeader.buffer).setUint32(42, 0xffffffff, true);
  const central = concat([centralHeader, encoded, extra(true)]);
  const end = new Uint8Array(56 + 20 + 22);
  const view = new DataView(end.buffer);
  view.setUint32(0, 0x06064b50, true);
  view.setBigUint64(32, 1n, true);
  view.setBigUint64(40, BigInt(central.length), true);
  view.setBigUint64(48, BigInt(local.length), true);
  view.setUint32(56, 0x07064b50, true);
  view.setBigUint64(64, BigInt(local.length + central.length), true);
  view.setUint32(76, 0x06054b50, true);
  view.setUint16(86, 0xffff, true);
  view.setUint32(88, 0xffffffff, true);
  view.setUint32(92, 0xffffffff, true);
  return concat([local, central, end]);
}

describe("writeNpz", () => {
  const arrays = [
    { name: "AV", shape: [2, 3], values: Float32Array.of(1, -2, 3.5, 0, Number.NEGATIVE_INFINITY, 6) },
    { name: "eps", shape: [], values: Float64Array.of(1 / 3) },
    { name: "long", shape: [1000], values: Float64Array.from(values.slice(0, 1000)) },
  ];

  it("writes what it reads, shapes, types and bits", async () => {
    const path = join(folder, "written.npz");
    await writeNpz(path, arrays);
    const file = await readNpz(path);
    expect(file.names).toEqual(["AV", "eps", "long"]);
    for (const { name, shape, values: written } of arrays) {
      const tensor = await file.tensor(name);
      expect([tensor.shape, await tensor.load()]).toEqual([shape, written]);
    }
  });

  it("is an archive to others, checksums included, and the same bytes each time", async () => {
    const [once, again] = [join(folder, "once.npz"), join(folder, "again.npz")];
    await writeNpz(once, arrays);
    await writeNpz(again, arrays);
    const bytes = readFileSync(once);
    expect(readFileSync(again)).toEqual(bytes);
    const members = unzipSync(bytes);
    expect(Object.keys(members)).toEqual(["AV.npy", "eps.npy", "long.npy"]);
    expect(members["AV.npy"]?.length).toBe(128 + 24);
  });

  it("refuses what 32-bit offsets cannot reach", () => {
    const huge = { byteLength: 2 ** 32, buffer: new ArrayBuffer(0), byteOffset: 0 } as Uint8Array;
    expect(() => zipParts("huge.npz", [{ name: "x", parts: [huge] }])).toThrow(
      /huge\.npz: got \d+ bytes; expected less than 4 GiB.*\.safetensors/,
    );
  });
});
