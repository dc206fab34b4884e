import fc from "fast-check";
import { expect, it } from "vitest";
import type { ByteSource } from "../../src/io/byte-source.js";
import { bytesOf, type StoredFloat, storedTensor } from "../../src/io/stored-tensor.js";
import { type Element, elementBytes } from "./tensor-files.js";

const descrOf: Readonly<Record<StoredFloat, Element>> = { F16: "<f2", BF16: "|V2", F32: "<f4", F64: "<f8" };

/** Bytes that arrive in pieces of any size at any alignment, as an inflated archive or a network gives them. */
const sourceOf = (bytes: Uint8Array, sizes: readonly number[]): ByteSource => ({
  where: "pieces",
  length: bytes.length,
  read: async function* (from, to) {
    for (let at = from, i = 0; at < to; i += 1) {
      const end = Math.min(to, at + (sizes[i % sizes.length] as number));
      const misaligned = new Uint8Array(end - at + 1);
      misaligned.set(bytes.subarray(at, end), 1);
      yield misaligned.subarray(1);
      at = end;
    }
  },
});

it("law: a tensor's values do not depend on the pieces in which its bytes arrive", async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 10 });
  const dtypes = fc.constantFrom<StoredFloat>("F16", "BF16", "F32", "F64");
  await fc.assert(
    fc.asyncProperty(sizes, dtypes, fc.nat(60), fc.nat(9), async (pieces, dtype, count, offset) => {
      const values = Array.from({ length: count }, (_, i) => (i - 20) / 4);
      const bytes = new Uint8Array(offset + count * bytesOf[dtype]);
      bytes.set(elementBytes(descrOf[dtype], values), offset);
      const layout = { dtype, shape: [count], fortranOrder: false, offset };
      const tensor = storedTensor(sourceOf(bytes, pieces), layout);
      expect([...(await tensor.load())]).toEqual(values);
      const found: number[] = [];
      for await (const part of tensor.pieces()) found.push(...part);
      expect(found).toEqual(values);
    }),
  );
});
