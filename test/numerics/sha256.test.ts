import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sha256, sha256OfValues } from "../../src/numerics/sha256.js";

const oracle = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("sha256", () => {
  it("equals Node's at every length around a block", () => {
    for (let n = 0; n < 200; n += 1) {
      const bytes = Uint8Array.from({ length: n }, (_, i) => i * 7 + n);
      const digest = sha256();
      digest.update(bytes);
      expect(digest.hex()).toBe(oracle(bytes));
    }
  });
  it("does not care in which pieces the bytes arrive", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 150 }), { maxLength: 8 }), pieces => {
        const digest = sha256();
        for (const piece of pieces) digest.update(piece);
        expect(digest.hex()).toBe(oracle(Uint8Array.from(pieces.flatMap(piece => [...piece]))));
      }),
    );
  });
  it("takes fp32 values as little-endian bytes", () => {
    expect(sha256OfValues(Float32Array.of(1))).toBe(oracle(Uint8Array.of(0, 0, 0x80, 0x3f)));
  });
});
