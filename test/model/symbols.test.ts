import { describe, expect, it } from "vitest";
import { FieldReads, type Place } from "../../src/model/field-reads.js";
import { compileSymbols, type Definition, scoped } from "../../src/model/symbols.js";

const at = (field: string): Place => Object.assign(() => field, { field });
const rule = (text: string | number, scope?: string): Definition => ({ at: at(String(text)), scope, rule: text });
const nowhere = (): string => "here";

describe("symbols of a design", () => {
  it("are filled in after what they read, in whatever order they are declared", () => {
    const product: Definition = {
      at: at("native"),
      rule: { reads: ["b", "x"], compute: (values, [b = 0, x = 0]) => (values[b] as number) * (values[x] as number) },
    };
    const program = compileSymbols(
      ["x"],
      new Map([
        ["c", product],
        ["b", rule("a + 1")],
        ["a", rule("2 * x")],
      ]),
    );
    const values = new Float64Array(program.size);
    values[program.inputSlot("x")] = 3;
    program.run(values);
    const value = (name: string) => values[program.slotOf(name, undefined, nowhere)];
    expect([value("a"), value("b"), value("c")]).toEqual([6, 7, 21]);
    expect(program.size).toBe(4);
  });

  it("of an Einsum come before those of all, in its formulas alone", () => {
    const program = compileSymbols(
      [],
      new Map([
        ["n", rule(2)],
        [scoped("Y", "n"), rule(5, "Y")],
        [scoped("Y", "m"), rule("n * 10", "Y")],
      ]),
    );
    const values = new Float64Array(program.size);
    program.run(values);
    expect(program.compile("n", undefined, at("f"))(values)).toBe(2);
    expect(program.compile("n + m", "Y", at("f"))(values)).toBe(55);
    expect(program.compile("n", "Z", at("f"))(values)).toBe(2);
    expect([program.has("m"), program.has("m", "Y"), program.has("n", "Z")]).toEqual([false, true, true]);
    expect(() => program.compile("m", undefined, at("f"))).toThrow(/f: got the unknown name 'm'; expected one of n, /);
    // Neither other scopes' symbols nor what a formula cannot name.
    const inputs = compileSymbols(["#n", "@0", "n0"], new Map([[scoped("Y", "nn"), rule(1, "Y")]]));
    const expected = (scope?: string): string => {
      try {
        inputs.compile("n", scope, at("f"));
      } catch (error) {
        return String(error).replace(/^.*expected one of /, "");
      }
      return "";
    };
    expect(expected()).toContain("n0");
    expect(expected()).not.toMatch(/nn|#n|@0|::/);
    expect(expected("Y")).toContain("nn");
    expect(expected("Y")).not.toContain("::");
  });

  it("in a circle are refused with the circle alone", () => {
    const circle = new Map([
      ["a", rule("b")],
      ["b", rule("c")],
      ["c", rule("b + 1")],
    ]);
    expect(() => compileSymbols([], circle)).toThrow("got a circle of symbols: b -> c -> b; expected no circle");
    const own = new Map([[scoped("Y", "n"), rule("n", "Y")]]);
    expect(() => compileSymbols([], own)).toThrow("a circle of symbols: Y.n -> Y.n");
  });

  it("are filled in again where they depend on what has changed, and only there", () => {
    let runs = 0;
    const counted: Definition = {
      at: at("counted"),
      rule: {
        reads: ["y"],
        compute: (values, [y = 0]) => {
          runs += 1;
          return values[y] as number;
        },
      },
    };
    const program = compileSymbols(
      ["x", "y"],
      new Map([
        ["far", rule("near + 1")],
        ["near", rule("x")],
        ["other", counted],
        ["both", rule("near + other")],
      ]),
    );
    const slot = (name: string) => program.slotOf(name, undefined, nowhere);
    const values = new Float64Array(program.size);
    [values[slot("x")], values[slot("y")]] = [1, 10];
    program.run(values);
    [values[slot("x")], values[slot("y")]] = [2, 20];
    program.rerun([slot("x")])(values);
    expect([values[slot("far")], values[slot("both")], runs]).toEqual([3, 12, 1]);
    // `far` is fixed by nothing once x is open; `both` by `other`; what is not computed from x by itself.
    expect(program.fixing([slot("far")], [slot("x")])).toEqual([]);
    expect(program.fixing([slot("both"), slot("y")], [slot("x")])).toEqual([slot("y"), slot("other")]);
    expect(program.fixing([slot("far")], [slot("y")])).toEqual([slot("far")]);
    expect(program.slotsIn("far * other + 2", undefined, nowhere)).toEqual([slot("far"), slot("other")]);
  });

  it("tell which fields the values that are asked for rest on", () => {
    const reads = new FieldReads();
    const program = compileSymbols(
      ["x"],
      new Map([
        ["a", { at: at("mapping.a"), rule: "x" }],
        ["b", { at: at("mapping.b"), rule: "a" }],
        ["idle", { at: at("mapping.idle"), rule: 3 }],
      ]),
      reads,
    );
    const values = new Float64Array(program.size);
    const run = program.compile("b", undefined, at("architecture.f"));
    const unused = program.compile("idle", undefined, at("architecture.g"));
    const asked = (...fields: readonly string[]) => fields.filter(field => reads.isRead(field));
    const all = ["mapping.a", "mapping.b", "mapping.idle", "architecture.f", "architecture.g", "workload.x", "other"];
    expect(asked(...all)).toEqual([]);
    reads.without(() => unused(values));
    expect(asked(...all)).toEqual([]);
    run(values);
    expect(asked(...all)).toEqual(["mapping.a", "mapping.b", "architecture.f", "workload.x"]);
    program.slotOf("idle", undefined, nowhere);
    expect(asked("mapping.idle")).toEqual(["mapping.idle"]);
    const { word, formula } = reads.watch({ word: "w", formula: 1, inner: { list: [1] } }, "binding");
    reads.formula(at("binding.formula"));
    expect([word, formula]).toEqual(["w", 1]);
    expect(asked("binding.word", "binding.formula", "binding.inner.list.0")).toEqual(["binding.word"]);
    reads.named(field => field.replace("alias", "word"));
    expect(asked("binding.alias")).toEqual(["binding.alias"]);
  });
});
