import { describe, expect, it } from "vitest";
import { readTar } from "../../src/platform/tar.js";

/** A ustar header and its file, padded to blocks of 512 bytes. */
function entry(name: string, content: string, { mode = "0000644", type = "0", prefix = "" } = {}): Uint8Array {
  const bytes = new TextEncoder().encode(content);
  const block = new Uint8Array(512 + Math.ceil(bytes.length / 512) * 512);
  const put = (at: number, text: string): void => block.set(new TextEncoder().encode(text), at);
  put(0, name);
  put(100, mode);
  put(124, bytes.length.toString(8).padStart(11, "0"));
  put(156, type);
  put(257, "ustar\u000000");
  put(345, prefix);
  block.set(bytes, 512);
  return block;
}

const join = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap(part => [...part]));
const end = new Uint8Array(1024);
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe("readTar", () => {
  it("gives names, contents and the executable bit, and skips folders", () => {
    const archive = join(
      entry("folder", "", { type: "5" }),
      entry("a.txt", "one"),
      entry("run", "x".repeat(513), { mode: "0000755", prefix: "bin" }),
      end,
    );
    const files = readTar(archive).map(({ name, executable, bytes }) => [name, executable, text(bytes)]);
    expect(files).toEqual([
      ["a.txt", false, "one"],
      ["bin/run", true, "x".repeat(513)],
    ]);
  });

  it("refuses an archive that is cut short", () => {
    expect(() => readTar(entry("a.txt", "x".repeat(600)).subarray(0, 1000))).toThrow("cut short");
  });

  it("refuses what is no archive", () => {
    expect(() => readTar(new Uint8Array(1024).fill(0x41))).toThrow("no ustar header");
  });
});
