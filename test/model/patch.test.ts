import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { FieldReads, type Place } from "../../src/model/field-reads.js";
import { applyPatches, fieldsByName, type Patch, patchDocument } from "../../src/model/patch.js";
import { checkSettings } from "../../src/model/settings.js";
import { loadDesign } from "../../src/spec/load.js";

const { architecture, mapping, technology } = loadDesign(specFiles, "fusemax");
const patched = (...patches: readonly Patch[]) => applyPatches(architecture, "architecture", patches);

describe("a patch", () => {
  it("puts a value in a field's place, or multiplies it, and leaves the spec itself as it is", () => {
    const path = "architecture.levels.dram.bytesPerSecond";
    expect(patched({ path, value: 5 }).levels["dram"]).toMatchObject({ bytesPerSecond: 5 });
    expect(patched({ path, value: 2, relative: true }).levels["dram"]).toMatchObject({
      bytesPerSecond: "(400 * GiB) * (2)",
    });
    expect(patched({ path, value: 5 }, { path, value: 2, relative: true }).levels["dram"]).toMatchObject({
      bytesPerSecond: 10,
    });
    // A field that takes numbers alone takes their product.
    expect(patched({ path: "architecture.wordBits", value: 2, relative: true }).wordBits).toBe(32);
    expect(architecture.data).toMatchObject({ wordBits: 16, levels: { dram: { bytesPerSecond: "400 * GiB" } } });
  });

  it("is of one kind of spec: others' are left out", () => {
    expect(patchDocument(architecture, "architecture", [{ path: "mapping.wordBits", value: 8 }])).toBe(architecture);
    const dram = { path: "technology.dram.energyPj", value: 3 };
    expect(applyPatches(technology, "technology", [{ path: "architecture.wordBits", value: 8 }, dram]).dram).toEqual({
      ...{ energyPj: 3, bits: 64 },
    });
  });

  it("puts a list in a list's place, and a number in no list's", () => {
    const path = "mapping.einsums.BQK.loops.column";
    const changed = applyPatches(mapping, "mapping", [{ path, value: ["M0"] }]);
    expect(changed.einsums["BQK"]).toMatchObject({ loops: { column: ["M0"] } });
    expect(() => applyPatches(mapping, "mapping", [{ path, value: 3 }])).toThrow(
      /got the field 'mapping\.einsums\.BQK\.loops\.column'; expected one of .*column.* that holds a number or a formula/,
    );
  });

  it.each<[Patch, RegExp]>([
    [
      { path: "architecture.levels.drum.bytes", value: 1 },
      /got the field 'architecture\.levels\.drum\.bytes'; expected a f/,
    ],
    [{ path: "architecture.levels.dram.byte", value: 1 }, /expected one of kind, bytesPerSecond.* that holds a number/],
    [{ path: "architecture.levels.dram", value: 1 }, /got the field 'architecture\.levels\.dram'/],
    [{ path: "architecture.levels.dram.toString", value: 1 }, /got the field 'architecture\.levels\.dram\.toString'/],
    [{ path: "architecture.frequencyHz", value: 0, where: "--set frequency" }, /^--set frequency: got 0/],
    [{ path: "architecture.wordBit", value: 0, where: "--set wordBit" }, /^--set wordBit: got the field/],
    [{ path: "architecture.frequencyHz", value: 0 }, /^specs\/architectures\/fusemax\.yaml:\d+:\d+ frequencyHz: got 0/],
  ])("is refused at its place: %j", (patch, message) => {
    expect(() => patched(patch)).toThrow(message);
  });

  it("finds a mapping's fields by other names of its Einsums", () => {
    const real = fieldsByName({ QK: "BQK" });
    expect(real("mapping.einsums.QK.loops")).toBe("mapping.einsums.BQK.loops");
    expect(real("mapping.einsums.LM.loops")).toBe("mapping.einsums.LM.loops");
    expect(real("architecture.levels.QK")).toBe("architecture.levels.QK");
  });
});

describe("a setting", () => {
  const place = (field: string): Place => Object.assign(() => field, { field });
  const readBy = (name: string, ...fields: readonly string[]) => {
    const reads = new FieldReads();
    for (const field of fields) reads.value(place(field));
    return { name, reads };
  };
  const check =
    (path: string, ...designs: readonly ReturnType<typeof readBy>[]) =>
    () =>
      checkSettings([{ path, where: `--set ${path}` }], designs);

  it("that all designs read is taken without a word, and one that some read with a line", () => {
    expect(check("a.b", readBy("one", "a.b"), readBy("two", "a.b"))()).toEqual([]);
    expect(check("a.b", readBy("one", "a.b"), readBy("two"), readBy("three"))()).toEqual([
      "--set a.b moves nothing of two, three, which never reads it",
    ]);
    expect(check("a.b")()).toEqual([]);
    expect(checkSettings([{ path: "a.b" }], [readBy("one", "a.b"), readBy("two")])[0]).toMatch(/^a\.b moves nothing/);
  });

  it.each([
    ["architecture.name", /it is a word for people/],
    ["architecture.timing.dramLatencyCycles", /hides the latency; fusemax schedule has it/],
    ["architecture.timing.bufferReadRows", /only a schedule's simulation reads it/],
    ["architecture.arrays.2d.operations.exp", /no Einsum does this operation there/],
    ["workload.modelDim", /attention does not depend on it/],
    ["architecture.levels.dram.bytes", /no formula that is used names it/],
  ])("that none reads is refused, with the reason: %s", (path, message) => {
    expect(check(path, readBy("one", ...(path.endsWith("name") ? [path] : [])))).toThrow(message);
  });
});
