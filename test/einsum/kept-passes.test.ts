import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { barriersOf } from "../../src/einsum/barriers.js";
import { type Cascade, parseCascade } from "../../src/einsum/cascade.js";
import { footprintsOf } from "../../src/einsum/footprint.js";
import { passesOver, rangesOver } from "../../src/einsum/passes.js";
import { CascadeError } from "../../src/einsum/source.js";
import { cascadeNames, loadCascade } from "../../src/io/cascade-files.js";

/** What is said of a cascade over a rank, as lines: passes and stages, those of each Einsum along it, barriers, live tensors. */
interface Kept {
  /** A name of the library, or a text. */
  readonly cascade: string;
  readonly ranks: Readonly<Record<string, readonly string[]>>;
}

/**
 * Cascades of the library and random ones, many of them the smallest found that tell some change of the analysis
 * (docs/testing.md, "Mutants"), each with what the analysis said of it; UPDATE_KEPT_PASSES=1 writes it anew.
 */
const file = join(import.meta.dirname, "../golden/passes/kept.json");
const isWriting = process.env["UPDATE_KEPT_PASSES"] === "1";
const kept = JSON.parse(readFileSync(file, "utf8")) as readonly Kept[];

/** Of a cascade that is refused the message, in place of what is said over its ranks. */
function saidOf(given: string): Kept["ranks"] {
  try {
    return saidOfCascade(given.includes("\n") ? parseCascade(given, "kept") : loadCascade(given));
  } catch (error) {
    if (error instanceof CascadeError) return { refused: [error.message] };
    throw error;
  }
}

function saidOfCascade(cascade: Cascade): Kept["ranks"] {
  const ranks = cascade.ranks.ranks.filter(rank => rangesOver(cascade, rank));
  return Object.fromEntries(
    ranks.map(rank => {
      const analysis = passesOver(cascade, rank);
      const barriers = barriersOf(cascade, analysis);
      const footprints = footprintsOf(cascade, analysis, barriers, () => 5);
      const einsums = analysis.einsums.map(
        ({ pass, stage, along }, i) => `${cascade.einsums[i]?.tensor} ${pass}/${stage}${along ? "" : " apart"}`,
      );
      return [
        rank.name,
        [
          `${analysis.passes} passes, ${analysis.stages} stages${analysis.perIterationOf.map(name => `, each step of ${name}`).join("")}`,
          einsums.join(", "),
          ...barriers.map(
            ({ before, after, through, chain, why }) => `${before}>${after} ${through} [${chain.join(" ")}] ${why}`,
          ),
          ...footprints.map(({ tensor, elements, bytes }) => `${tensor}: ${elements}, ${bytes} bytes`),
        ],
      ];
    }),
  );
}

describe.skipIf(isWriting)("the pass analysis", () => {
  it.each(kept.map((one, i) => [i, one] as const))("says of kept cascade %i what it said", (_, { cascade, ranks }) => {
    expect(saidOf(cascade)).toEqual(ranks);
  });

  it("has every cascade of the library among those that are kept", () => {
    expect(kept.map(({ cascade }) => cascade)).toEqual(expect.arrayContaining(cascadeNames()));
  });
});

if (isWriting) {
  const anew = kept.map(({ cascade }) => ({ cascade, ranks: saidOf(cascade) }));
  writeFileSync(file, `${JSON.stringify(anew, null, 1)}\n`);
}
