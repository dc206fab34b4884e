import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatNames, formats } from "../../src/numerics/format.js";
import { macRow, makeLanes } from "../../src/numerics/lanes.js";
import { processingElement } from "../../src/numerics/pe.js";
import { fromBits } from "../../src/numerics/rounding.js";

/** Operands of widely different size with short significands, so that ties and cancellations are common. */
const value = fc.oneof(
  fc.integer({ min: -512, max: 512 }).map(n => n / 64),
  fc.tuple(fc.integer({ min: -255, max: 255 }), fc.integer({ min: -20, max: 8 })).map(([m, e]) => m * 2 ** e),
  fc.integer({ min: 0x30000000, max: 0x45ffffff }).map(fromBits),
);

describe.each(formatNames)("a row of multiply-accumulates in %s", name => {
  it("equals the PE's mac in bits, overflow included", () => {
    const pe = processingElement(formats[name]);
    const mac = macRow(formats[name]);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(value, fc.array(value, { minLength: 5, maxLength: 5 })), { maxLength: 40 }),
        steps => {
          const lanes = makeLanes(5);
          const expected = [0, 0, 0, 0, 0];
          for (const [a, x] of steps) {
            const operands = Float32Array.from([9, ...x.map(pe.operand)]);
            mac(lanes, pe.operand(a), operands, 1, 1, 4);
            for (let i = 1; i < 4; i += 1) {
              expected[i] = pe.mac(expected[i] as number, pe.operand(a), operands[i + 1] as number);
            }
          }
          expect([...lanes.values]).toEqual(expected);
          expect(lanes.bits.includes(0x80000000)).toBe(false);
        },
      ),
    );
  });
});
