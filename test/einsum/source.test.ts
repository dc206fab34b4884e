import { expect, it } from "vitest";
import { nearest } from "../../src/einsum/source.js";

it("nearest is a name that few slips of the fingers make of it, and none for a name that shares nothing with it", () => {
  const names = ["softmax", "cascade-1", "cascade-2", "BQK"];
  expect(nearest("sofmtax", names)).toBe("softmax");
  expect(nearest("SOFTMAX", names)).toBe("softmax");
  expect(nearest("cascade-3", names)).toBe("cascade-1");
  expect(nearest("attention", names)).toBeUndefined();
  expect(nearest("x", ["y"])).toBeUndefined();
});
