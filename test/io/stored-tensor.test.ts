import fc from "fast-check";
import { expect, it } from "vitest";
import type { ByteSource } from "../../src/io/byte-source.js";
import { bytesOf } from "../../src/io/element-types.js";
import { storedTensor } from "../../src/io/stored-tensor.js";
import { type Element, elementBytes } from "./tensor-files.js";

const descrOf = { F16: "<f2", BF16: "|V2", F32: "<f4", F64: "<f8" } as const satisfies Record<string, Element>;

/** Bytes that arrive in pieces of any size at any alignment, as an inflated archive or a network gives them. */
const sourceOf = (bytes: Uint8Array, sizes: readonly number[]): ByteSource => ({
  where: "pieces",
  length: bytes.length,
  read: async function* (from, to) {
    for (let at = from, i = 0; at < to; i += 1) {
      const end = Math.min(to, at + (sizes[i % sizes.length] as number));
      // Node's inflater gives Buffers, whose `slice` copies nothing.
      const misaligned = Buffer.alloc(end - at + 1);
      misaligned.set(bytes.subarray(at, end), 1);
      yield misaligned.subarray(1);
      at = end;
    }
  },
});

it("law: a tensor's values do not depend on the pieces in which its bytes arrive", async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 10 });
  const dtypes = fc.constantFrom("F16" as const, "BF16" as const, "F32" as const, "F64" as const);
  await fc.assert(
    fc.asyncProperty(
      sizes,
      dtypes,
      fc.nat(60),
      fc.nat(9),
      fc.boolean(),
      async (pieces, dtype, count, offset, bigEndian) => {
        const values = Array.from({ length: count }, (_, i) => (i - 20) / 4);
        const bytes = new Uint8Array(offset + count * bytesOf[dtype]);
        const size = bytesOf[dtype];
        const written = elementBytes(descrOf[dtype], values);
        for (let at = 0; bigEndian && at < written.length; at += size) written.subarray(at, at + size).reverse();
        bytes.set(written, offset);
        const layout = { dtype, shape: [count], fortranOrder: false, bigEndian, offset };
        const tensor = storedTensor(sourceOf(bytes, pieces), layout);
        expect([...(await tensor.load())]).toEqual(values);
        const found: number[] = [];
        for await (const part of tensor.pieces()) found.push(...part);
        expect(found).toEqual(values);
      },
    ),
  );
});
