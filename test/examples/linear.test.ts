import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cosine, layerNorm, matrix, meanOfRows, multiply, pack, relu } from "../../examples/sentence-encoder/linear.js";

const size = fc.integer({ min: 1, max: 9 });
const integers = (length: number) =>
  fc.array(fc.integer({ min: -50, max: 50 }), { minLength: length, maxLength: length });

describe("linear algebra", () => {
  it("multiplies as the definition says, whatever the sizes (integers: exactly)", () => {
    const products = fc
      .tuple(size, size, size)
      .chain(([m, k, n]) => fc.tuple(fc.constant({ m, k, n }), integers(m * k), integers(k * n), integers(n)));
    fc.assert(
      fc.property(products, fc.boolean(), ([{ m, k, n }, a, b, bias], transposed) => {
        const right = transposed ? Array.from({ length: n * k }, (_, i) => b[(i % k) * n + Math.floor(i / k)] ?? 0) : b;
        const product = multiply(
          matrix(m, k, Float64Array.from(a)),
          pack(right, k, n, transposed),
          Float64Array.from(bias),
        );
        for (let i = 0; i < m; i++) {
          for (let j = 0; j < n; j++) {
            let expected = bias[j] ?? 0;
            for (let l = 0; l < k; l++) expected += (a[i * k + l] ?? 0) * (b[l * n + j] ?? 0);
            expect(product.data[i * n + j]).toBe(expected);
          }
        }
      }),
    );
  });

  it("gives the bits of three plain loops on sizes beyond one block of the kernel", () => {
    const [m, k, n] = [67, 130, 41];
    const value = (i: number): number => Math.sin(i * i + 0.5) * 2 ** (i % 40);
    const [a, b] = [
      Float64Array.from({ length: m * k }, (_, i) => value(i)),
      Float64Array.from({ length: k * n }, (_, i) => value(i + 7)),
    ];
    const expected = new Float64Array(m * n);
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        for (let l = 0; l < k; l++)
          expected[i * n + j] = (expected[i * n + j] ?? 0) + (a[i * k + l] ?? 0) * (b[l * n + j] ?? 0);
      }
    }
    expect(multiply(matrix(m, k, a), pack(b, k, n)).data).toEqual(expected);
  });

  it("refuses sizes that do not fit", () => {
    expect(() => multiply(matrix(2, 3), pack([1, 2], 2, 1))).toThrow("cannot multiply [2, 3] by [2, 1]");
  });

  it("normalizes rows to the given mean and spread", () => {
    const normed = layerNorm(
      matrix(1, 4, Float64Array.of(1, 2, 3, 6)),
      new Float64Array(4).fill(2),
      new Float64Array(4).fill(7),
      0,
    );
    // Mean 3, variance (4 + 1 + 0 + 9) / 4 = 3.5.
    const expected = [-2, -1, 0, 3].map(x => (2 * x) / Math.sqrt(3.5) + 7);
    expected.forEach((x, i) => {
      expect(normed.data[i]).toBeCloseTo(x, 14);
    });
  });

  it("has the other small operations", () => {
    expect(relu(matrix(1, 3, Float64Array.of(-1, 0, 2))).data).toEqual(Float64Array.of(0, 0, 2));
    expect(meanOfRows(matrix(2, 2, Float64Array.of(1, 2, 3, 6))).data).toEqual(Float64Array.of(2, 4));
    expect(cosine(Float64Array.of(3, 4), Float64Array.of(4, 3))).toBeCloseTo(24 / 25, 15);
  });
});
