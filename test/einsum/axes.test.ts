import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { axisOrder, parseNamedAxes, reorderAxes } from "../../src/einsum/axes.js";
import { parseCascade } from "../../src/einsum/cascade.js";

const cascade = parseCascade("inputs: A[i,j,k], B[k+1], s\nY[i] = A[i,j,k] * B[k+1] * s\n");

describe("axes by name", () => {
  it("are read from a text", () => {
    expect(parseNamedAxes(" A ")).toEqual({ name: "A", axes: null });
    expect(parseNamedAxes("A[k, i,j]")).toEqual({ name: "A", axes: ["k", "i", "j"] });
    expect(parseNamedAxes("s[]")).toEqual({ name: "s", axes: [] });
    for (const text of ["", "A[", "A]", "[i]", "A[i]x", "1A", "A=b"]) expect(parseNamedAxes(text)).toBeNull();
  });

  it("say for each axis of the text which one of theirs it is, in any capitals, a shift left aside", () => {
    expect(axisOrder(cascade, { name: "A", axes: null }, "--tensor")).toEqual([0, 1, 2]);
    expect(axisOrder(cascade, { name: "A", axes: ["K", "i", "J"] }, "--tensor")).toEqual([1, 2, 0]);
    expect(axisOrder(cascade, { name: "B", axes: ["k"] }, "--tensor")).toEqual([0]);
    expect(axisOrder(cascade, { name: "s", axes: [] }, "--tensor")).toEqual([]);
    for (const axes of [
      ["i", "j"],
      ["i", "j", "j"],
      ["i", "j", "z"],
      ["i", "j", "k", "k"],
    ]) {
      expect(() => axisOrder(cascade, { name: "A", axes }, "--tensor")).toThrow(
        /expected those of A\[i,j,k\] in some order/,
      );
    }
  });

  it("are named in the text's words: of what iterates without its step", () => {
    const running = parseCascade("R[i=0,p] = 0\nR[i+1,p] = R[i,p] + A[i,p]\nuntil: i >= I");
    expect(axisOrder(running, { name: "R", axes: ["p", "i"] }, "--tensor")).toEqual([1, 0]);
    expect(() => axisOrder(running, { name: "R", axes: ["p"] }, "--tensor")).toThrow(
      /^--tensor: got the axes R\[p\]; expected those of R\[i,p\] in some order$/,
    );
    expect(axisOrder(running, { name: "Q", axes: [] }, "--tensor")).toEqual([]);
  });

  it("put values in another order, and back again", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 0, maxLength: 4 });
    const ordered = sizes.chain(shape =>
      fc.record({
        shape: fc.constant(shape),
        order: fc.shuffledSubarray([...shape.keys()], { minLength: shape.length, maxLength: shape.length }),
      }),
    );
    fc.assert(
      fc.property(ordered, ({ shape, order }) => {
        const count = shape.reduce((a, b) => a * b, 1);
        const values = Float64Array.from({ length: count }, (_, i) => i);
        const turned = reorderAxes(values, shape, order);
        const newShape = order.map(axis => shape[axis] ?? 0);
        for (let at = 0; at < count; at += 1) {
          let [rest, from] = [at, 0];
          const coordinates = new Array<number>(shape.length).fill(0);
          for (let place = newShape.length - 1; place >= 0; place -= 1) {
            const size = newShape[place] ?? 1;
            coordinates[order[place] ?? 0] = rest % size;
            rest = Math.floor(rest / size);
          }
          for (const [axis, c] of coordinates.entries()) from = from * (shape[axis] ?? 1) + c;
          expect(turned[at]).toBe(from);
        }
        const back = order.map((_, axis) => order.indexOf(axis));
        expect(reorderAxes(turned, newShape, back)).toEqual(values);
      }),
      { numRuns: 1000 },
    );
  });
});
