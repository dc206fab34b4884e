import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { readNpy, writeNpy } from "../../src/io/npy.js";
import { elementBytes, npyBytes } from "./tensor-files.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-npy-"));
afterAll(() => rmSync(folder, { recursive: true }));
const save = (bytes: Uint8Array): string => {
  const path = join(folder, "t.npy");
  writeFileSync(path, bytes);
  return path;
};

// Exact in binary16 and bfloat16 alike, so that every encoding must give them back.
const values = [0, 1, -2, 0.5, 1.5, -0.25, 96, -112, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18];

describe("readNpy", () => {
  for (const descr of ["<f2", "<f4", "<f8", "|V2"] as const) {
    for (const version of [1, 2, 3]) {
      it(`reads ${descr}, version ${version}`, async () => {
        const tensor = await readNpy(save(npyBytes(values, { descr, shape: [1, 2, 3, 4], version })));
        expect(tensor.shape).toEqual([1, 2, 3, 4]);
        const loaded = await tensor.load();
        expect(loaded).toBeInstanceOf(descr === "<f8" ? Float64Array : Float32Array);
        expect([...loaded]).toEqual(values);
        expect(await tensor.load()).toEqual(loaded);
      });
    }
  }

  it("keeps what only a float64 holds", async () => {
    const fine = 1 + 2 ** -40;
    const tensor = await readNpy(save(npyBytes([fine], { descr: "<f8", shape: [1, 1, 1, 1] })));
    expect((await tensor.load())[0]).toBe(fine);
  });

  it("reads every binary16 code as @petamoriken/float16 does", async () => {
    const codes = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const head = npyBytes([], { descr: "<f2", shape: [65536] });
    const { Float16Array } = await import("@petamoriken/float16");
    const file = new Uint8Array(head.length + codes.byteLength);
    file.set(head);
    file.set(new Uint8Array(codes.buffer), head.length);
    expect(await (await readNpy(save(file))).load()).toEqual(Float32Array.from(new Float16Array(codes.buffer)));
  });

  it("law: Fortran order is the same tensor with its ranks reversed in the file", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }), async shape => {
        const count = shape.reduce((a, b) => a * b, 1);
        const rowMajor = Array.from({ length: count }, (_, i) => i);
        const place = (flat: number): number => {
          // Coordinates from the row-major index, then the index with the first rank fastest.
          let rest = flat;
          const at = [...shape].reverse().map(size => {
            const digit = rest % size;
            rest = Math.floor(rest / size);
            return digit;
          });
          at.reverse();
          return shape.reduceRight((index, size, rank) => index * size + (at[rank] ?? 0), 0);
        };
        const file = new Array<number>(count);
        for (const flat of rowMajor) file[place(flat)] = flat;
        const tensor = await readNpy(save(npyBytes(file, { shape, fortran: true })));
        expect([...(await tensor.load())]).toEqual(rowMajor);
      }),
      { numRuns: 50 },
    );
  });

  const good = npyBytes(values, { shape: [1, 2, 3, 4] });
  const withText = (from: string, to: string): Uint8Array => {
    const [text, changed] = [new TextDecoder("latin1").decode(good.slice(10, 128)), to];
    expect(text).toContain(from);
    const header = text.trimEnd().replace(from, changed).padEnd(117).slice(0, 117);
    return new Uint8Array([...good.slice(0, 10), ...new TextEncoder().encode(`${header}\n`), ...good.slice(128)]);
  };
  const hugeHeader = new Uint8Array(good).with(6, 2);
  new DataView(hugeHeader.buffer).setUint32(8, 3 * 2 ** 30, true);
  const bad: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ["empty", new Uint8Array(0), /got 0 bytes; expected a .npy file/],
    [
      "a zip archive",
      new TextEncoder().encode("PK\x03\x04 and more than ten"),
      /got a zip archive; expected a .npy file/,
    ],
    ["of complex numbers", withText("'<f4'", "'<c8'"), /values of type <c8; expected floats .*save a.astype/],
    ["of 16-bit codes", withText("'<f4'", "'<u2'"), /values of type <u2; .*if it holds bfloat16, save a.view/],
    [
      "of 8-bit codes",
      withText("'<f4'", "'|V1'"),
      /values of type \|V1; .*if it holds 8-bit floats, write a .safetensors/,
    ],
    ["of bytes in an order that bytes do not have", withText("'<f4'", "'|f4'"), /values of type \|f4/],
    ["of a structured type", withText("'<f4'", "[('a', '<f4')]"), /values of type a structured type/],
    [
      "with a key twice",
      withText("'fortran_order': False", "'descr': '<f4'"),
      /got the key descr twice in the .npy header/,
    ],
    [
      "with a key of another",
      withText("'fortran_order': False", "'order': 'C'"),
      /got the key order in the .npy header/,
    ],
    ["without a key", withText("'fortran_order': False, ", ""), /a .npy header without fortran_order/],
    ["with a negative size", withText("(1, 2, 3, 4)", "(1, 2, 3,-4)"), /got - in the shape of the .npy header/],
    ["with something after the header", withText("}", "} x"), /got x after the .npy header; expected nothing but/],
    [
      "of sizes past every file",
      withText("(1, 2, 3, 4)", "(1, 2, 3, 99999999999999999999)"),
      /expected sizes that fit a file/,
    ],
    ["with a header of gigabytes", hugeHeader, /got a header of 3221225472 bytes; expected at most 65535/],
    ["cut in the header", good.slice(0, 60), /ends after 60 bytes; expected 128 bytes/],
    ["cut in the values", good.slice(0, good.length - 3), /ends after 221 bytes; expected 224 bytes/],
    ["too long", new Uint8Array([...good, 1, 2, 3]), /got 3 bytes after the last value/],
    ["version 4", new Uint8Array(good).with(6, 4), /got .npy version 4.0; expected version 1, 2 or 3/],
    ["of a type that JavaScript's objects have", withText("'<f4'", "'constructor'"), /values of type constructor/],
    ["of a shape without commas", withText("(1, 2, 3, 4)", "(1 2, 3, 4)"), /got 2 in the .npy header; expected ,/],
    ["no header", new Uint8Array(good).fill(0x20, 10, 128), /got the end in the .npy header; expected {/],
  ];
  it.each(bad)("refuses a file that is %s", async (_, bytes, message) => {
    await expect(readNpy(save(bytes))).rejects.toThrow(message);
  });

  it.each([
    [">f4", [1.5, -2, 3e-5]],
    ["<i4", [1, -2, 2 ** 31 - 1]],
  ] as const)("reads %s as what it says", async (descr, list) => {
    const got = await (await readNpy(save(npyBytes(list, { descr, shape: [3] })))).load();
    expect([...got]).toEqual(descr === ">f4" ? [...Float32Array.from(list)] : list);
  });

  it("names a missing file and a folder", async () => {
    await expect(readNpy(join(folder, "none.npy"))).rejects.toThrow(/none.npy: no such file or folder/);
    await expect(readNpy(folder)).rejects.toThrow(/got a folder, which is not a regular file/);
  });
});

describe("writeNpy", () => {
  it("writes what readNpy reads, byte for byte as numpy.save", async () => {
    const path = join(folder, "out.npy");
    await writeNpy(path, [1, 2, 3, 4], Float32Array.from(values));
    expect(new Uint8Array(readFileSync(path))).toEqual(npyBytes(values, { shape: [1, 2, 3, 4] }));
    expect([...(await (await readNpy(path)).load())]).toEqual(values);
    expect(elementBytes("<f4", values).length).toBe(96);
  });

  it("leaves nothing behind when the path can't be written", async () => {
    const before = readdirSync(folder).sort();
    await expect(writeNpy(join(folder, "no", "out.npy"), [1], new Float32Array(1))).rejects.toThrow(
      /no such file or folder; expected a path that can be written/,
    );
    await expect(writeNpy(folder, [1], new Float32Array(1))).rejects.toThrow(/got a folder/);
    expect(readdirSync(folder).sort()).toEqual(before);
  });
});
