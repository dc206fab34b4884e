import { describe, expect, it } from "vitest";
import { formatArithmetics } from "../../src/numerics/format-of.js";
import { attentionErrorBound } from "../../src/numerics/tolerance.js";
import { makeOperands, unmasked } from "./arbitrary.js";
import { rowData } from "./golden-values.js";

describe("the error bounds", () => {
  it("say something: on normal scores they are small against the values, but for sums of 8 bits", () => {
    const tightness = { bf16: 0.2, fp16: 0.05, fp32: 1e-3, "fp16-strict": 0.5 } as const;
    for (const [name, most] of Object.entries(tightness)) {
      const format = name as keyof typeof tightness;
      const shape = { batch: 1, heads: 1, kvHeads: 1, queries: 8, keys: 40, headDim: 16, valueDim: 4 };
      const operands = makeOperands(shape, format, "normal", 1);
      const tile = { m0: 16, p0: 4 };
      const problem = { shape, mask: unmasked, tile, arithmetic: formatArithmetics[format], scale: 0.25 };
      const data = rowData({ problem, operands }, 3, 1);
      expect(data).not.toBeNull();
      if (data !== null) expect(attentionErrorBound(data)).toBeLessThan(most);
    }
  });
});
