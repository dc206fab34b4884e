import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addSizes,
  constantOf,
  formatSize,
  multiplySizes,
  nameSize,
  negateSize,
  numberSize,
  oneSize,
  renameSize,
  type Size,
  sameSize,
  sizeValue,
  soleName,
  zeroSize,
} from "../../src/einsum/size.js";

const values: Readonly<Record<string, number>> = { K: 2, M0: 3, M1: 7 };
const value = (size: Size): number => sizeValue(size, name => values[name]) as number;
const leaf = fc.oneof(
  fc.integer({ min: -3, max: 3 }).map(numberSize),
  fc.constantFrom(...Object.keys(values)).map(nameSize),
);
const sizes: fc.Arbitrary<Size> = fc
  .array(fc.tuple(leaf, leaf), { maxLength: 4 })
  .map(products => products.reduce<Size>((sum, [a, b]) => addSizes(sum, multiplySizes(a, b)), zeroSize));

describe("sizes as the text writes them", () => {
  it("law: sums, products and negatives have the sums, products and negatives of their values", () => {
    fc.assert(
      fc.property(sizes, sizes, (a, b) => {
        expect(value(addSizes(a, b)) + 0).toBe(value(a) + value(b) + 0);
        expect(value(multiplySizes(a, b)) + 0).toBe(value(a) * value(b) + 0);
        expect(value(negateSize(a)) + value(a) + 0).toBe(0);
        expect(sameSize(addSizes(a, b), addSizes(b, a))).toBe(true);
        expect(sameSize(multiplySizes(a, b), multiplySizes(b, a))).toBe(true);
        expect(addSizes(a, negateSize(a))).toEqual(zeroSize);
        expect(multiplySizes(a, oneSize)).toEqual(a);
        expect(sameSize(a, addSizes(a, oneSize))).toBe(false);
        // Each product of names once, and none of them times 0.
        const sum = addSizes(a, b);
        expect(new Set(sum.map(({ names }) => names.join())).size).toBe(sum.length);
        expect(sum.every(({ coefficient }) => coefficient !== 0)).toBe(true);
        // What is written means what was meant.
        const written = formatSize(a).replaceAll(/\b[KM]\w*/g, name => String(values[name]));
        expect(new Function(`return ${written}`)()).toBe(value(a) + 0);
      }),
      { numRuns: 200 },
    );
  });

  it("are written with products first, a sign between them and no factor of one", () => {
    const [k, m] = [nameSize("K"), multiplySizes(nameSize("M1"), nameSize("M0"))];
    expect(formatSize(zeroSize)).toBe("0");
    expect(formatSize(oneSize)).toBe("1");
    expect(formatSize(addSizes(k, numberSize(-1)))).toBe("K - 1");
    expect(formatSize(addSizes(addSizes(oneSize, k), m))).toBe("M0*M1 + K + 1");
    expect(formatSize(negateSize(k))).toBe("-K");
    expect(formatSize(multiplySizes(numberSize(-2), k))).toBe("-2*K");
  });

  it("are numbers or names where they are nothing else, and have no value without their names'", () => {
    const k = nameSize("K");
    const twice = multiplySizes(numberSize(2), k);
    expect([zeroSize, oneSize, numberSize(5), k, twice, addSizes(k, oneSize)].map(constantOf)).toEqual([
      ...[0, 1, 5, undefined, undefined, undefined],
    ]);
    expect([zeroSize, oneSize, k, twice, addSizes(k, oneSize), multiplySizes(k, k)].map(soleName)).toEqual([
      ...[undefined, undefined, "K", undefined, undefined, undefined],
    ]);
    expect(constantOf(addSizes(oneSize, k))).toBeUndefined();
    expect(soleName(addSizes(k, multiplySizes(k, k)))).toBeUndefined();
    expect([numberSize(0), numberSize(-1)]).toEqual([zeroSize, negateSize(oneSize)]);
    expect(sizeValue(addSizes(k, oneSize), () => undefined)).toBeUndefined();
    expect(sizeValue(numberSize(4), () => undefined)).toBe(4);
  });

  it("with names of others are those sizes, names in order", () => {
    const size = addSizes(multiplySizes(nameSize("A"), nameSize("B")), nameSize("C"));
    const other = renameSize(size, name => (name === "A" ? "Z" : name));
    expect(other).toEqual([
      { coefficient: 1, names: ["B", "Z"] },
      { coefficient: 1, names: ["C"] },
    ]);
    // Two names that become one.
    const sum = addSizes(nameSize("A"), nameSize("B"));
    expect(renameSize(sum, () => "K")).toEqual([{ coefficient: 2, names: ["K"] }]);
  });
});
