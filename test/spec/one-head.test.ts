import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import type { Design } from "../../src/spec/design.js";
import { loadDesign } from "../../src/spec/load.js";
import { oneHeadNotes } from "../../src/spec/one-head.js";

const shipped = readdirSync(new URL("../../specs/designs", import.meta.url)).map(file => file.replace(/\.yaml$/, ""));

/** A design without the batch of its mapping, and with symbols of its own. */
function withoutBatch(name: string, symbols: Readonly<Record<string, string>>): Design {
  const design = loadDesign(specFiles, name);
  const { mapping, placement = [] } = design;
  return {
    ...design,
    placement: placement.map(einsum => ({ ...einsum, batch: [] })),
    mapping: { ...mapping, data: { ...mapping.data, symbols } },
  };
}

describe("a design that is one head of one sequence", () => {
  it.each(shipped)("%s is none", name => {
    expect(oneHeadNotes(loadDesign(specFiles, name))).toEqual([]);
  });

  it("is named where no rank is of batch or heads, and no formula", () => {
    expect(oneHeadNotes(withoutBatch("fusemax", {}))).toEqual([
      "fusemax is costed for one head of one sequence: neither its cascade nor its mapping's batch has the ranks B and H",
    ]);
    expect(oneHeadNotes(withoutBatch("fusemax", { N: "B * H" }))).toEqual([]);
    expect(oneHeadNotes(withoutBatch("fusemax", { N: "BH * 2" })).length).toBe(1);
  });
});
