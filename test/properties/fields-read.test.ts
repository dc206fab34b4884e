import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { type AttentionPoint, attentionPoints } from "../../src/model/attention-point.js";
import { type CompiledDesign, compileDesign } from "../../src/model/compile.js";
import { accountingOf } from "../../src/model/corrections.js";
import { type Evaluation, evaluate } from "../../src/model/evaluate.js";
import { FieldReads } from "../../src/model/field-reads.js";
import type { Patch } from "../../src/model/patch.js";
import type { Design } from "../../src/spec/design.js";
import { loadDesign, loadWorkload } from "../../src/spec/load.js";

// What an evaluation reads of the specs: a field that it does not read moves no number of it. Every number and formula of
// the shipped designs is tried.

const kinds = ["architecture", "mapping", "binding", "technology"] as const;

/** Not a name of a level, a tensor or a kind. */
const isFormula = (text: string): boolean => /[-+*/^(<>=]|^\d/.test(text);

/** Every number and formula of a spec, by its path. */
function leaves(value: unknown, path: string): readonly { readonly path: string; readonly value: number | string }[] {
  if (typeof value === "number" || (typeof value === "string" && isFormula(value))) return [{ path, value }];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "corrections" || key === "source" || key.includes(".") ? [] : leaves(inner, `${path}.${key}`),
  );
}

const workload = loadWorkload(specFiles, "gpt-2");
const [point] = attentionPoints(workload, { phase: "prefill", seq: 1300, batch: 2, decodeQueries: 1 });
const { sizes, mask } = point as AttentionPoint;

/** All numbers of an evaluation; null where the design cannot run. */
function numbersOf(
  design: Design,
  accounting: "published" | "corrected",
  patch?: Patch,
  reads?: FieldReads,
): string | null {
  const used = accountingOf(accounting, undefined);
  try {
    const compiled: CompiledDesign = compileDesign(design, {
      ...{ corrections: used.corrections, patches: patch === undefined ? [] : [patch], reads },
    });
    const { counts, ...rest }: Evaluation = evaluate(compiled, sizes, used, [], mask);
    return JSON.stringify({ ...rest, counts: counts.map(({ path: _, ...count }) => count) });
  } catch {
    return null;
  }
}

describe("fields that an evaluation reads", () => {
  it.each(
    ["unfused", "flat", "cascade", "architecture", "fusemax"].flatMap(name =>
      (["published", "corrected"] as const).map(accounting => [name, accounting] as const),
    ),
  )("law: every field of %s that it does not read under %s moves nothing", (name, accounting) => {
    const design = loadDesign(specFiles, name);
    const before = numbersOf(design, accounting);
    expect(before).not.toBeNull();
    let [tried, unread, still] = [0, 0, 0];
    for (const kind of kinds) {
      for (const { path, value } of leaves(design[kind].data, kind)) {
        const reads = new FieldReads();
        const patch =
          typeof value === "number" ? { path, value: 2 * value + 1 } : { path, value: `2 * (${value}) + 1` };
        const after = numbersOf(design, accounting, patch, reads);
        if (after === null) continue; // words, and values with which it cannot run
        tried++;
        if (!reads.isRead(path)) {
          unread++;
          expect(after === before, path).toBe(true);
        } else if (after === before) still++;
      }
    }
    expect(tried).toBeGreaterThan(30);
    expect(unread).toBeGreaterThan(0);
    // Some are read to no effect: a maximum that another operand decides, a buffer that is large enough.
    expect(still / tried).toBeLessThan(0.4);
  });
});
