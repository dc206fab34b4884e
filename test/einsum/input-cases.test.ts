import { describe, expect, it } from "vitest";
import { inputCases } from "../../src/einsum/input-cases.js";
import { interpretableElements } from "../../src/einsum/tensor-store.js";

describe("cases of inputs", () => {
  const cases = (shapes: ReadonlyMap<string, readonly number[]>, trials = 2, seed = 1) => [
    ...inputCases(shapes, trials, seed),
  ];
  const shapes = new Map([
    ["A", [2, 3]],
    ["B", [4]],
  ]);
  const valuesOf = (name: string, tensor = "A") =>
    Array.from(cases(shapes).find(one => one.name === name)?.inputs[tensor]?.data ?? []);

  it("are random ones, those that rewrites disagree on, and each input alone", () => {
    const names = cases(shapes).map(({ name }) => name);
    expect(names.slice(0, 3)).toEqual(["random 1", "random 2", "all zero"]);
    expect(names.slice(-4)).toEqual([
      ...["A zero, the rest random", "A with zeros in front, the rest random"],
      ...["B zero, the rest random", "B with zeros in front, the rest random"],
    ]);
    // One input alone is what it is anyway.
    expect(
      cases(new Map([["A", [2]]]))
        .map(({ name }) => name)
        .at(-1),
    ).toBe("far from zero");
    expect(valuesOf("all zero")).toEqual(Array(6).fill(0));
    expect(valuesOf("all one")).toEqual(Array(6).fill(1));
    expect(valuesOf("all negative").every(x => x <= -1)).toBe(true);
    expect(valuesOf("ascending")).toEqual([1, 2, 3, 4, 5, 6].map(x => x / 6));
    expect(valuesOf("descending")).toEqual([6, 5, 4, 3, 2, 1].map(x => x / 6));
    expect(valuesOf("alternating")).toEqual([1, -1, 1, -1, 1, -1]);
    expect(valuesOf("zeros in front").map(x => x === 0)).toEqual([true, true, true, false, false, false]);
    expect(valuesOf("zeros behind").map(x => x === 0)).toEqual([false, false, false, true, true, true]);
    expect(valuesOf("one spike").map(x => x === 40)).toEqual([false, false, false, true, false, false]);
    expect(Math.max(...valuesOf("one spike").map(x => (x === 40 ? 0 : Math.abs(x))))).toBeLessThan(1);
    expect(Math.max(...valuesOf("huge").map(Math.abs))).toBeGreaterThan(20);
    expect(Math.max(...valuesOf("tiny").map(Math.abs))).toBeLessThan(1e-28);
    expect(valuesOf("far from zero").every(x => Math.abs(x - 1000) < 10)).toBe(true);
    expect(valuesOf("A zero, the rest random")).toEqual(Array(6).fill(0));
    expect(valuesOf("A zero, the rest random", "B").every(x => x !== 0)).toBe(true);
    expect(valuesOf("B with zeros in front, the rest random", "B").map(x => x === 0)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it("law: random ones are normal deviates, the same for a seed and others for another", () => {
    const draw = (seed: number) => Array.from(cases(new Map([["A", [20_000]]]), 1, seed)[0]?.inputs["A"]?.data ?? []);
    const drawn = draw(3);
    expect(drawn).toEqual(draw(3));
    expect(drawn).not.toEqual(draw(4));
    // Five deviations of the mean and of the variance of 20,000 normal numbers.
    const mean = drawn.reduce((a, b) => a + b, 0) / drawn.length;
    const variance = drawn.reduce((sum, x) => sum + x * x, 0) / drawn.length;
    expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(20_000));
    expect(Math.abs(variance - 1)).toBeLessThan(5 * Math.sqrt(2 / 20_000));
    expect(drawn.every(Number.isFinite)).toBe(true);
    expect(new Set(drawn).size).toBeGreaterThan(19_900);
  });

  it("are refused for inputs too large to be compared", () => {
    expect(() => cases(new Map([["A", [2 ** 13, 2 ** 12]]]))).toThrow(/elements/);
  });
});

it("law: random inputs are mulberry32's numbers under Box and Muller's transform", () => {
  const seed = 12345;
  let state = seed;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  // Tommy Ettinger's generator gives these first.
  expect([uniform(), uniform()]).toEqual([0.9797282677609473, 0.3067522644996643]);
  state = seed;
  const [first] = inputCases(new Map([["A", [300]]]), 1, seed);
  const wanted = Array.from(
    { length: 300 },
    () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
  expect(Array.from(first?.inputs["A"]?.data ?? [])).toEqual(wanted);
});

it("fills inputs of an odd number of elements, and tries eight of them alone", () => {
  const cases = [...inputCases(new Map([["A", [5]]]), 0, 1)];
  const of = (name: string) => Array.from(cases.find(one => one.name === name)?.inputs["A"]?.data ?? []);
  expect(of("zeros in front").map(x => x === 0)).toEqual([true, true, true, false, false]);
  expect(of("zeros behind").map(x => x === 0)).toEqual([false, false, false, true, true]);
  expect(of("one spike").map(x => x === 40)).toEqual([false, false, true, false, false]);
  expect(of("alternating")).toEqual([1, -1, 1, -1, 1]);
  // The first number of the seed in each of them.
  const [one] = inputCases(new Map([["A", [1]]]), 1, 1);
  const first = one?.inputs["A"]?.data[0] ?? Number.NaN;
  const filled = (name: string, length: number, at: number) => {
    const found = [...inputCases(new Map([["A", [length]]]), 0, 1)].find(own => own.name === name);
    return found?.inputs["A"]?.data[at];
  };
  expect(filled("all negative", 1, 0)).toBe(-1 - Math.abs(first));
  expect(of("one spike")[0]).not.toBe(0);
  const draws = [...inputCases(new Map([["A", [5]]]), 0, 1)].map(
    ({ name, inputs }) => [name, Array.from(inputs["A"]?.data ?? [])] as const,
  );
  // One generator makes all of them, one after the other.
  const normals = Array.from([...inputCases(new Map([["A", [40]]]), 1, 1)][0]?.inputs["A"]?.data ?? []);
  const drawn = Object.fromEntries(draws);
  expect(drawn["zeros in front"]?.slice(3)).toEqual(normals.slice(5, 7));
  expect(drawn["zeros behind"]?.slice(0, 3)).toEqual(normals.slice(7, 10));
  expect([0, 1, 3, 4].map(i => drawn["one spike"]?.[i])).toEqual(normals.slice(10, 14).map(x => x / 8));
  expect(drawn["huge"]).toEqual(normals.slice(14, 19).map(x => 100 * x));
  expect(drawn["tiny"]).toEqual(normals.slice(19, 24).map(x => 1e-30 * x));
  expect(drawn["far from zero"]).toEqual(normals.slice(24, 29).map(x => 1000 + x));
  const many = (count: number) =>
    [...inputCases(new Map(Array.from({ length: count }, (_, i) => [`T${i}`, [1]])), 0, 1)].filter(({ name }) =>
      name.includes("the rest random"),
    );
  expect([many(8).length, many(9).length, many(2).length, many(1).length]).toEqual([16, 16, 4, 0]);
  const elements = (count: number) =>
    inputCases(
      new Map([
        ["A", [count]],
        ["B", [2 ** 23]],
      ]),
      0,
      1,
    ).next();
  expect(() => elements(2 ** 23 + 1)).toThrow(
    /^the inputs: got 16777217 elements; expected at most 16777216; compare on a smaller --shape$/,
  );
  expect(() => inputCases(new Map([["A", [2 ** 29]]]), 0, 1).next()).toThrow(
    /^the tensor A\[536870912\]: got 536870912 elements; expected at most 2\^28/,
  );
});

it("a tensor has 2^28 elements at most", () => {
  expect(interpretableElements("T", [2 ** 14, 2 ** 14])).toBe(2 ** 28);
  expect(() => interpretableElements("T", [2 ** 28 + 1])).toThrow(
    /^the tensor T\[268435457\]: got 268435457 elements; expected at most 2\^28/,
  );
});
