import { describe, expect, it } from "vitest";
import { barriersOf } from "../../src/einsum/barriers.js";
import { type Cascade, parseCascade } from "../../src/einsum/cascade.js";
import { footprintsOf } from "../../src/einsum/footprint.js";
import { passesOver } from "../../src/einsum/passes.js";
import { rolesOf } from "../../src/einsum/roles.js";
import { requireAttention } from "../../src/emulator/attends.js";
import { isOnePass, structureOf } from "../../src/emulator/one-pass.js";
import { threePass } from "../../src/emulator/three-pass.js";
import { InputError } from "../../src/errors.js";
import { formatArithmetics } from "../../src/numerics/format-of.js";
import { lower } from "../../src/program/lower.js";
import { liveBetweenPasses } from "../../src/program/program.js";
import { attentionCascades, library, otherCascades } from "../emulator/cascades.js";

const parsed = (source: { readonly name: string; readonly text: string }): Cascade =>
  parseCascade(source.text, source.name);

/** Tensors of which a fiber lives between passes over the keys, or over the tiles of keys, as the analysis has it. */
function footprints(cascade: Cascade): Set<string> {
  const keys = cascade.ranks.byName(rolesOf(cascade).keys);
  const split = keys?.parts.map(part => cascade.ranks.byName(part)).filter(rank => rank?.name.endsWith("1")) ?? [];
  const ranks = [keys, ...split].filter(rank => rank !== undefined);
  return new Set(
    ranks.flatMap(rank => {
      const analysis = passesOver(cascade, rank);
      return footprintsOf(cascade, analysis, barriersOf(cascade, analysis)).map(({ tensor }) => tensor);
    }),
  );
}

describe("the tile program", () => {
  it.each(attentionCascades)("of $name keeps between passes what the analysis says must live", source => {
    const cascade = parsed(source);
    const live = liveBetweenPasses(lower(cascade, formatArithmetics.bf16, 0.125)).map(({ tensor }) => tensor);
    expect(new Set(live)).toEqual(footprints(cascade));
  });

  it.each([
    ["attention-1-pass", 1],
    ["attention-2-pass", 2],
    ["attention-3-pass", 3],
    ["attention-3-pass-deferred", 2],
  ])("of %s walks the keys %i times", (name, passes) => {
    const program = lower(parsed(library(name)), formatArithmetics.fp32, 1);
    expect(program.passes.filter(({ tile }) => tile.length > 0)).toHaveLength(passes);
  });

  it("knows FuseMax's own cascade in any names, and no other", () => {
    expect(attentionCascades.filter(source => isOnePass(parsed(source))).map(({ name }) => name)).toEqual([
      "attention-1-pass",
    ]);
    const { text } = library("attention-1-pass");
    const renamed = text.replaceAll("BQK", "S").replaceAll("RNV", "Acc").replaceAll("m1", "t1").replaceAll("M1", "T1");
    expect(isOnePass(parsed({ name: "renamed", text: renamed }))).toBe(true);
    expect(isOnePass(parsed({ name: "other", text: text.replace(" @operand", "") }))).toBe(false);
  });

  it("of the baseline is the library's 3-pass attention", () => {
    expect(structureOf(parsed(threePass))).toBe(structureOf(parsed(library("attention-3-pass"))));
  });

  it.each([
    ["a mask of the text's own", "QK[m,p] = Q[e,p] * K[e,m]", "QK[m,p] = Q[e: e<=p, p] * K[e,m]", "no filters"],
    ["a value that couples queries", "SD[p] = SN[m,p]", "SD[p] = SN[m,q]", "attention"],
    ["a function that PEs lack", "exp(QK[m,p] - GM[p])", "exp(log(QK[m,p]) - GM[p])", "no log"],
  ])("refuses %s in one line", (_, from, to, words) => {
    const text = library("attention-3-pass").text.replace(from, to);
    const attempt = (): unknown => lower(parsed({ name: "changed", text }), formatArithmetics.bf16, 1);
    try {
      attempt();
      expect.fail("it was taken");
    } catch (error) {
      expect(error).toBeInstanceOf(Error);
      expect((error as Error).message).toContain(words === "attention" ? "changed" : words);
      expect((error as Error).message).not.toContain("\n");
    }
  });
});

describe("requireAttention", () => {
  it.each([...attentionCascades, ...otherCascades])("takes $name", source =>
    expect(() => requireAttention(parsed(source))).not.toThrow(),
  );

  it("refuses what computes something else", () => {
    const sum = library("attention-3-pass").text.replace("SD[p] = SN[m,p]", "SD[p] = SN[m,p] :: max(m)");
    expect(() => requireAttention(parsed({ name: "changed", text: sum }))).toThrow(InputError);
    expect(() => requireAttention(parsed(library("linear-attention")))).toThrow(/is not attention/);
    expect(() => requireAttention(parsed(library("softmax")))).toThrow(/a tensor for each of q, k, v and out/);
  });
});
