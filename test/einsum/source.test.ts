import { describe, expect, it } from "vitest";
import { CascadeError, namesNear, nearest, spanTo } from "../../src/einsum/source.js";

describe("the nearest name", () => {
  it("is one that few slips of the fingers make of it, and none that shares nothing with it", () => {
    const names = ["softmax", "cascade-1", "cascade-2", "BQK"];
    expect(nearest("sofmtax", names)).toBe("softmax");
    expect(nearest("SOFTMAX", names)).toBe("softmax");
    expect(nearest("cascade-3", names)).toBe("cascade-1");
    expect(nearest("attention", names)).toBeUndefined();
    expect(nearest("x", ["y"])).toBeUndefined();
  });

  it.each([
    // As many slips as a third of the letters, two at least.
    ["abcd", "abxy", true],
    ["abcd", "axyz", false],
    ["abcdefgh", "abcdefxy", true],
    ["abcdefgh", "abcdexyz", false],
    ["abcdefghi", "abcdefxyz", true],
    ["abcdefghi", "abcdewxyz", false],
    ["ab", "a", true],
    ["ab", "xb", true],
    ["ab", "xy", false],
    ["a", "ab", true],
    ["a", "abc", true],
    ["abc", "abcde", true],
    ["abc", "abcdef", false],
    ["", "ab", false],
    // A letter left out, one put in and one changed is a slip each, two that changed places are two.
    ["kitten", "sitten", true],
    ["kitten", "sittin", true],
    ["kitten", "sitting", false],
    ["kitten", "ikttne", false],
  ])("%j to %j: %s", (wanted, name, near) => {
    expect(nearest(wanted, [name])).toBe(near ? name : undefined);
  });

  it("is the first of those that are as near", () => {
    expect(nearest("abcd", ["abxy", "abcx", "abcy"])).toBe("abcx");
  });
});

describe("names that could have been meant", () => {
  const places = ["london", "paris", "rome", "berlin", "madrid", "vienna", "prague", "oslo"];

  it("are all of eight, and of more the five nearest", () => {
    expect(namesNear("x", places, "specs")).toBe(places.join(", "));
    const nine = [...places, "lisbon"];
    expect(namesNear("lond", nine, "specs")).toBe("london, rome, oslo, lisbon, paris and 4 others in specs");
    // Of what is written 200 characters are looked at.
    const long = "x".repeat(199);
    expect(namesNear(`${long}1y`, [...nine, `${long}2`, `${long}1`], "specs")).toMatch(new RegExp(`^${long}1, `));
    expect(namesNear("LIS", nine, "specs")).toMatch(/^lisbon, /);
    // What is written within a name is nearest, and equal ones are in their order.
    expect(namesNear("r", nine, "specs")).toBe("paris, rome, berlin, madrid, prague and 4 others in specs");
    expect(namesNear("", nine, "specs")).toBe("rome, oslo, paris, london, berlin and 4 others in specs");
  });
});

describe("an excerpt", () => {
  const at = (line: string, column: number, length: number) =>
    new CascadeError({ name: "mine", lines: ["first", line] }, { line: 2, column, length }, { got: "a", expected: "b" })
      .excerpt;

  it("has carets below the place, one at least and none past the line", () => {
    expect(at("abc def", 5, 3)).toBe("  abc def\n      ^^^");
    expect(at("abc", 1, 0)).toBe("  abc\n  ^");
    expect(at("abc", 2, 9)).toBe("  abc\n   ^^");
    expect(at("abc", 4, 1)).toBe("  abc\n     ^");
    expect(at("abc", 6, 1)).toBe("  abc\n     ^");
    expect(at("\ta\tb", 4, 1)).toBe("  \ta\tb\n  \t \t^");
  });

  it("has 60 characters before the place and 120 in all, and shows what cannot be seen", () => {
    const long = Array.from({ length: 300 }, (_, i) => String(i % 10)).join("");
    for (const column of [1, 60, 61, 62, 200, 290]) {
      const [line = "", caret = ""] = at(long, column, 2).split("\n");
      const from = Math.max(0, column - 61);
      expect(line).toBe(`  ${long.slice(from, from + 120)}`);
      expect(caret).toBe(`  ${" ".repeat(column - 1 - from)}^^`);
    }
    expect(at("a\u0000b", 3, 1)).toBe("  a\ufffdb\n    ^");
  });
});

it("a span reaches from the start of one to the end of another", () => {
  expect(spanTo({ line: 3, column: 5, length: 2 }, { line: 3, column: 9, length: 4 })).toEqual({
    line: 3,
    column: 5,
    length: 8,
  });
});
