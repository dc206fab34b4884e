import { expect, it } from "vitest";
import { addBits, emptyBits, hasBit, meet, setBit, shared } from "../../src/einsum/bits.js";

it("law: bits are a set of integers, the first and the last of a word among them", () => {
  const setOf = (...members: readonly number[]) => {
    const bits = emptyBits(64);
    for (const member of members) setBit(bits, member);
    return bits;
  };
  const [a, b] = [setOf(0, 31, 32, 63), setOf(1, 31, 33, 63)];
  expect(shared(a, b)).toEqual([31, 63]);
  expect([meet(a, b), meet(a, setOf(30))]).toEqual([true, false]);
  expect([addBits(a, setOf(32)), addBits(a, setOf(2))]).toEqual([false, true]);
  expect([1, 2, 31].map(member => hasBit(a, member))).toEqual([false, true, true]);
  expect([32, 33].map(count => emptyBits(count).length)).toEqual([1, 2]);
});
