import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { publishedDesigns } from "../../src/model/accounting.js";
import {
  accountingFor,
  accountingLine,
  accountingOf,
  accountingText,
  correctionNames,
  correctionsOf,
} from "../../src/model/corrections.js";
import type { Design } from "../../src/spec/design.js";
import { loadArithmetic, loadDesign } from "../../src/spec/load.js";

const load = (name: string): Design => loadDesign(specFiles, name);

describe("the accounting that was asked for", () => {
  const namesOf = (name: string | undefined, wanted?: readonly string[]): readonly string[] =>
    accountingOf(name, wanted).corrections;

  it("has all corrections, some or none, in the order of their list", () => {
    expect([namesOf("corrected"), namesOf(undefined, ["all"])]).toEqual([correctionNames, correctionNames]);
    expect([namesOf("published"), namesOf(undefined), namesOf(undefined, [])]).toEqual([[], [], []]);
    expect(namesOf(undefined, ["schedule", "divider"])).toEqual(["divider", "schedule"]);
    expect(namesOf(undefined, ["divider", "all"])).toEqual(correctionNames);
  });

  it("is corrected with any correction, published without one", () => {
    expect(accountingOf(undefined, ["divider"])).toEqual({
      ...{ name: "corrected", corrections: ["divider"], mapping: "published" },
    });
    expect(accountingOf(undefined, [], "search")).toEqual({ name: "published", corrections: [], mapping: "search" });
    // The default is for who says nothing.
    expect(accountingOf(undefined, undefined, "published", "corrected").name).toBe("corrected");
    expect(accountingOf(undefined, [], "published", "corrected").name).toBe("published");
    expect(accountingOf("published", undefined, "published", "corrected").name).toBe("published");
  });

  it("is refused for a correction that there is not, and where both are given", () => {
    expect(() => accountingOf(undefined, ["divider", "any"])).toThrow(/--correct.*"any"/s);
    expect(() => accountingOf("corrected", ["divider"])).toThrow(/--accounting corrected/);
    expect(() => accountingOf("published", [])).toThrow(/--accounting published/);
  });
});

describe("the accounting where nobody names one", () => {
  const [fusemax, flat] = [load("fusemax"), load("flat")];
  const changed = (more: Partial<Design>): Design => ({ ...fusemax, ...more });
  const inArithmetic = (name: string): Design =>
    changed({ arithmetic: { ...fusemax.arithmetic, data: loadArithmetic(specFiles, name) } });

  it("is published for the paper's designs as they ship, in a format of their words", () => {
    for (const name of publishedDesigns) expect(accountingFor([load(name)], 0), name).toBe("published");
    expect(accountingFor([fusemax, flat], 0)).toBe("published");
    for (const name of ["bf16", "bf16-strict", "fp16-strict"])
      expect(accountingFor([inArithmetic(name)], 0), name).toBe("published");
  });

  it("is corrected with a setting, with a design of anybody else's beside it, and in other arithmetic", () => {
    expect([accountingFor([fusemax], 1), accountingFor([fusemax], 2)]).toEqual(["corrected", "corrected"]);
    const other = changed({ name: "other" });
    expect([accountingFor([fusemax, other], 0), accountingFor([other], 0)]).toEqual(["corrected", "corrected"]);
    for (const name of ["fp32", "fa4-bf16", "mxfp8", "nvfp4", "int8-qk"])
      expect(accountingFor([inArithmetic(name)], 0), name).toBe("corrected");
  });

  it("is corrected where one of its files is not the one that ships", () => {
    for (const part of ["spec", "architecture", "mapping", "binding", "technology"] as const)
      expect(accountingFor([changed({ [part]: { ...fusemax[part], shipped: false } })], 0), part).toBe("corrected");
  });
});

describe("an accounting in words", () => {
  it("names its corrections unless it has all or none, and searched mappings", () => {
    const textOf = (...wanted: readonly string[]): string => accountingText(accountingOf(undefined, wanted));
    expect([textOf(), textOf("all")]).toEqual(["published", "corrected"]);
    expect([textOf("divider"), textOf("schedule", "divider")]).toEqual([
      "published with divider",
      "published with divider, schedule",
    ]);
    expect(accountingText(accountingOf("corrected", undefined, "search"))).toBe("corrected, searched mappings");
  });

  it("says why where nobody named it", () => {
    const line = (name: string, byDefault: boolean) => accountingLine(accountingOf(name, undefined), byDefault);
    expect(line("published", true)).toBe("Accounting: published (the paper's designs as they ship)");
    expect(line("corrected", true)).toMatch(/^Accounting: corrected \(a design, a setting or scores that are not/);
    expect([line("published", false), line("corrected", false)]).toEqual([
      "Accounting: published",
      "Accounting: corrected",
    ]);
  });
});

it("corrections that can change a design are the analysis's, its arithmetic's if one is named, and those its files list", () => {
  const [fusemax, cascade] = [load("fusemax"), load("cascade")];
  const bare: Design = {
    ...fusemax,
    ...Object.fromEntries(
      (["spec", "architecture", "mapping", "binding"] as const).map(part => [
        part,
        { ...fusemax[part], data: { ...fusemax[part].data, corrections: {}, unchargedWhenPublished: undefined } },
      ]),
    ),
    arithmeticBy: "default",
  };
  const always = ["register-energy", "first-reads", "schedule"];
  expect(correctionsOf(bare)).toEqual(always);
  for (const by of ["design", "command"] as const)
    expect(correctionsOf({ ...bare, arithmeticBy: by })).toEqual([
      "register-energy",
      "first-reads",
      "words",
      "schedule",
    ]);
  expect(correctionsOf(fusemax)).toEqual(expect.arrayContaining([...always, "bandwidth", "double-buffering"]));
  expect(correctionsOf(fusemax)).not.toContain("exp-energy");
  // The exponentials that were published uncharged.
  expect(correctionsOf(cascade)).toContain("exp-energy");
});
