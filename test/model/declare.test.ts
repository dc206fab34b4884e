import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { accountingOf, correctionNames } from "../../src/model/corrections.js";
import { definePartitions, defineTable } from "../../src/model/declare.js";
import type { Place } from "../../src/model/field-reads.js";
import type { Definition } from "../../src/model/symbols.js";
import type { Path } from "../../src/spec/document.js";

const inMapping = (path: Path): Place => Object.assign(() => path.join("."), { field: path.join(".") });

/** What is declared, by its name. */
function declared(declare: (define: (name: string, rule: Definition["rule"], at: Place) => void) => void) {
  const found = new Map<string, Definition["rule"]>();
  declare((name, rule) => found.set(name, rule));
  return found;
}
/** The value of a symbol that is computed from such values of what it reads. */
function computed(rule: Definition["rule"] | undefined, values: readonly number[]): number {
  if (typeof rule !== "object") throw new Error("no rule of its own");
  return rule.compute(
    Float64Array.from(values),
    values.map((_, slot) => slot),
  );
}

describe("a table", () => {
  const rows = [
    [4, 5, 45],
    [1, 1, 10],
    [4, 1, 40],
    [1, 5, 15],
    [1, 9, 19],
  ];
  const table = { source: "here", by: ["a", "b"], columns: ["a", "b", "n"], rows };

  it("law: has the row of the largest keys that are not above what is looked up, first key first", () => {
    const found = declared(define => defineTable("t", table, define, inMapping));
    expect([...found.keys()]).toEqual(["t.row", "t.a", "t.b", "t.n"]);
    expect(found.get("t.row")).toMatchObject({ reads: ["a", "b"] });
    expect(found.get("t.n")).toMatchObject({ reads: ["t.row"] });
    fc.assert(
      fc.property(fc.integer({ min: -1, max: 11 }), fc.integer({ min: -1, max: 11 }), (a, b) => {
        // By hand: of keys that are all above, the least.
        const first = a >= 4 ? 4 : 1;
        const second = first === 4 ? (b >= 5 ? 5 : 1) : b >= 9 ? 9 : b >= 5 ? 5 : 1;
        const row = computed(found.get("t.row"), [a, b]);
        expect(rows[row]?.slice(0, 2)).toEqual([first, second]);
        expect(computed(found.get("t.n"), [row])).toBe(rows[row]?.[2]);
      }),
    );
  });

  it("that is searched leaves all rows of its first key to choose from", () => {
    let own: ReturnType<typeof defineTable> | undefined;
    const found = declared(define => {
      own = defineTable("t", { ...table, search: 1 }, define, inMapping);
    });
    expect([...found.keys()]).toEqual(["t.a", "t.b", "t.n"]);
    expect(own?.first).toEqual(["a"]);
    expect(own?.candidates(Float64Array.of(7, 2), [1])).toEqual([1, 3, 4]);
    expect(own?.candidates(Float64Array.of(7, 2), [0])).toEqual([0, 2]);
  });
});

it("the rest of a rank is what its inner parts leave of it, each of at least one", () => {
  const parts = { P2: "rest", P1: "n", P0: 4 };
  const found = declared(define => definePartitions({ P: parts }, define, inMapping));
  expect(found.get("P1")).toBe("n");
  expect(found.get("P0")).toBe(4);
  expect(found.get("P2")).toMatchObject({ reads: ["P", "P1", "P0"] });
  const rest = found.get("P2");
  expect([computed(rest, [25, 2, 4]), computed(rest, [24, 2, 4]), computed(rest, [24, 0.5, 4])]).toEqual([4, 3, 6]);
});

describe("an accounting", () => {
  it("has the name that was asked for, or says by it whether it corrects anything", () => {
    const of = (name: string | undefined, wanted?: readonly string[]) => {
      const { name: own, corrections, mapping } = accountingOf(name, wanted);
      return [own, corrections.length, mapping];
    };
    expect(of("published")).toEqual(["published", 0, "published"]);
    expect(of("corrected")).toEqual(["corrected", correctionNames.length, "published"]);
    expect(of(undefined)).toEqual(["published", 0, "published"]);
    expect(of(undefined, [])).toEqual(["published", 0, "published"]);
    expect(of(undefined, [correctionNames[3] as string])).toEqual(["corrected", 1, "published"]);
    expect(of(undefined, ["all"])).toEqual(["corrected", correctionNames.length, "published"]);
    expect(accountingOf(undefined, undefined, "search", "corrected")).toMatchObject({
      name: "corrected",
      mapping: "search",
    });
    // In the order of the list, whatever the order in which they are asked for.
    const [first, second] = correctionNames as [string, string];
    expect(accountingOf(undefined, [second, first]).corrections).toEqual([first, second]);
  });

  it("is refused with an unknown correction, or with a name and corrections", () => {
    expect(() => accountingOf(undefined, ["nothing"])).toThrow(/--correct: got "nothing"; expected one of /);
    expect(() => accountingOf(undefined, ["all", "nothing"])).toThrow(/got "nothing"/);
    expect(() => accountingOf("corrected", ["all"])).toThrow(/cannot be given with --accounting corrected/);
  });
});
