import { expect, it } from "vitest";
import { coordinatesOf, placeInTensor } from "../../src/numerics/coordinates.js";

it("law: coordinates count in row-major order, and say a value's place", () => {
  const shape = [2, 3, 4];
  const all = shape.reduce((product, size) => product * size);
  const counted = Array.from({ length: all }, (_, index) => coordinatesOf(shape, index));
  // The last one runs fastest: places ascend as words do, and none comes twice.
  expect(counted.map(place => place.join(""))).toEqual(counted.map(place => place.join("")).sort());
  expect(new Set(counted.map(String)).size).toBe(all);
  expect(counted.at(-1)).toEqual([1, 2, 3]);
  expect([placeInTensor("Q", [4, 6], 23), placeInTensor("V", [3], 1), placeInTensor("eps", [], 0)]).toEqual([
    "Q[3,5]",
    "V[1]",
    "eps",
  ]);
});
