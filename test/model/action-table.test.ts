import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { actionTable } from "../../src/model/action-table.js";
import { attentionPoints } from "../../src/model/attention-point.js";
import { type CompiledDesign, compileDesign } from "../../src/model/compile.js";
import { accountingOf } from "../../src/model/corrections.js";
import { evaluate, mapDesign } from "../../src/model/evaluate.js";
import { paperDesigns } from "../../src/model/evaluation.js";
import { levelRates } from "../../src/model/level-rates.js";
import { observeDesign } from "../../src/report/observed-counts.js";
import { operationsOf } from "../../src/report/roofline.js";
import { loadDesign, loadWorkload } from "../../src/spec/load.js";
import { modelWith } from "./one-product.js";

// The table of actions is what the rest of the model charges, line by line.

/** Sums of some hundred doubles in another order. */
const rounding = 1e-9;

describe.each(["published", "corrected"] as const)("the actions of the paper's designs, %s", name => {
  const accounting = accountingOf(name, undefined);
  const cases = fc.record({
    design: fc.constantFrom(...paperDesigns),
    model: fc.constantFrom("bert", "xlm", "gpt-2", "llama-3-8b"),
    seq: fc.constantFrom(256, 1000, 4096, 65536, 2 ** 20),
    phase: fc.constantFrom("prefill", "decode"),
  });

  it("law: energies add up to each Einsum's, DRAM's bytes to the traffic, and no rate is passed", () => {
    let [tried, ran] = [0, 0];
    fc.assert(
      fc.property(cases, ({ design: of, model, seq, phase }) => {
        tried += 1;
        const workload = loadWorkload(specFiles, model);
        if (!workload.phases.includes(phase as "prefill")) return;
        const [point] = attentionPoints(workload, { phase: phase as "prefill", seq, batch: 2, decodeQueries: 1 });
        if (point === undefined) return;
        const design = compileDesign(loadDesign(specFiles, of), { corrections: accounting.corrections });
        const { sizes, mask } = point;
        const found = evaluate(design, sizes, accounting, [], mask);
        const mapped = mapDesign(design, sizes, accounting, [], mask);
        const { accesses, operations } = actionTable(design, found.counts, mapped.values, accounting);
        ran += 1;
        for (const [einsum, energyPj] of Object.entries(found.einsumEnergyPj)) {
          const own = [...accesses, ...operations].filter(row => row.einsum === einsum);
          const sum = own.reduce((total, row) => total + row.energyPj, 0);
          expect(Math.abs(sum - energyPj), einsum).toBeLessThanOrEqual(energyPj * rounding);
        }
        const moved = accesses.filter(({ level }) => level === "dram").reduce((sum, { bytes }) => sum + bytes, 0);
        expect(Math.abs(moved - found.trafficBytes)).toBeLessThanOrEqual(found.trafficBytes * rounding);
        // Nothing is quicker than its roofs.
        const { peak, levels } = levelRates(design, mapped, found);
        const reached = operationsOf(found) / found.latencySeconds;
        expect(reached).toBeLessThanOrEqual(peak * (1 + rounding));
        for (const { bytes, bytesPerSecond } of levels) {
          expect(bytes / found.latencySeconds).toBeLessThanOrEqual(bytesPerSecond * (1 + rounding));
        }
      }),
      { numRuns: 60 },
    );
    expect(ran).toBeGreaterThan(tried / 3);
  });
});

describe("the actions that are not all of a level's", () => {
  const tableOf = (name: string, seq: number) => {
    const accounting = accountingOf("published", undefined);
    const design = compileDesign(loadDesign(specFiles, name));
    const [point] = attentionPoints(loadWorkload(specFiles, "bert"), {
      phase: "prefill",
      seq,
      batch: 64,
      decodeQueries: 1,
    });
    if (point === undefined) throw new Error("no layers");
    const { counts } = evaluate(design, point.sizes, accounting, [], point.mask);
    return actionTable(design, counts, mapDesign(design, point.sizes, accounting).values, accounting);
  };

  it("are none in DRAM of what is kept on chip alone and spilled, but for its bytes", () => {
    const { design, mapped, evaluation } = modelWith([
      ["dram: [X, W, Y], ", "dram: [W, Y], "],
      ["operations: { mac: 1 }\n", "operations: { mac: 1 }\n    spill: { X: 0.5 }\n"],
    ]);
    const { accesses } = actionTable(design, evaluation.counts, mapped.values, accountingOf("corrected", undefined));
    const spilled = accesses.find(({ level, tensor }) => level === "dram" && tensor === "X");
    expect(spilled).toMatchObject({ reads: 0, updates: 0, fills: 0 });
    expect(spilled?.bytes).toBeGreaterThan(0);
    expect(spilled?.energyPj).toBeGreaterThan(0);
    const moved = accesses.filter(({ level }) => level === "dram").reduce((sum, { bytes }) => sum + bytes, 0);
    expect(moved).toBe(evaluation.trafficBytes);
  });

  it("take no energy where the publication charged none", () => {
    const { operations } = tableOf("cascade", 4096);
    const free = operations.filter(({ operation }) => operation === "exp");
    expect(free.length).toBeGreaterThan(0);
    for (const { count, energyPj } of free) expect([count > 0, energyPj]).toEqual([true, 0]);
  });
});

describe("the actions of designs on small arrays", () => {
  const accounting = accountingOf(undefined, ["register-energy", "first-reads"]);
  const patches = [
    { path: "architecture.parameters.rows", value: "@0" },
    { path: "architecture.parameters.columns", value: "@1" },
  ];
  const designs = new Map<string, CompiledDesign>();
  function designOf(name: string): CompiledDesign {
    const { corrections } = accounting;
    const made =
      designs.get(name) ?? compileDesign(loadDesign(specFiles, name), { corrections, patches, variables: 2 });
    designs.set(name, made);
    return made;
  }
  const size = (max: number) => fc.integer({ min: 1, max });

  it("law: reads, updates, fills and operations are those that a walk of the loops observes", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("fusemax", "flat", "unfused"),
        fc.record({ B: size(2), H: size(2), E: size(4), F: size(4), M: size(12), queries: size(12) }),
        size(5),
        size(5),
        (name, sizes, rows, columns) => {
          const design = designOf(name);
          const all = { ...sizes, modelDim: 4, feedForward: 4 };
          const mapped = mapDesign(design, all, accounting, [rows, columns]);
          const { counts } = evaluate(design, all, accounting, [rows, columns]);
          const observed = observeDesign(design, mapped, "all");
          const { accesses, operations } = actionTable(design, counts, mapped.values, accounting);
          for (const { einsum, level, tensor, reads, updates, fills } of accesses) {
            expect({ reads, updates, fills }, `${einsum} ${level} ${tensor}`).toEqual(
              observed[einsum]?.accesses[tensor]?.[level],
            );
          }
          for (const { einsum, operation, count } of operations) {
            expect(count, `${einsum} ${operation}`).toBe(observed[einsum]?.operations[operation]);
          }
          const seen = Object.values(observed).flatMap(o => Object.values(o.accesses).flatMap(a => Object.keys(a)));
          expect(accesses.length).toBe(seen.length);
        },
      ),
      { numRuns: 150 },
    );
  });
});
