import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FusemaxError } from "../../src/errors.js";
import { specFiles } from "../../src/io/spec-files.js";
import type { Accounting } from "../../src/model/accounting.js";
import { type AttentionPoint, attentionPoints } from "../../src/model/attention-point.js";
import { type CompiledDesign, compileDesign } from "../../src/model/compile.js";
import { accountingOf, corrections } from "../../src/model/corrections.js";
import { type Evaluation, evaluate } from "../../src/model/evaluate.js";
import type { Patch } from "../../src/model/patch.js";
import { simulateDesign } from "../../src/model/schedule/simulate-design.js";
import { loadArithmetic, loadDesign } from "../../src/spec/load.js";
import type { Workload } from "../../src/spec/workload.js";

/**
 * What holds for any design, workload, mask and setting: nothing is quicker than its work, its traffic or its operations. Cases
 * are random; a failure prints its seed.
 */
const designs = ["unfused", "flat", "cascade", "architecture", "fusemax"].map(name => loadDesign(specFiles, name));
const arithmetics = specFiles.names("arithmetic").map(name => loadArithmetic(specFiles, name));
const corrected = accountingOf("corrected", undefined);
const published = accountingOf("published", undefined);

interface Case {
  readonly design: (typeof designs)[number];
  readonly patches: readonly Patch[];
  readonly point: AttentionPoint;
}

const int = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });
/** Lengths and sizes of PEs by octave: as many small as large ones. */
const octaves = (most: number): fc.Arbitrary<number> =>
  fc.tuple(int(0, most), fc.double({ min: 1, max: 2, noNaN: true })).map(([k, factor]) => Math.floor(2 ** k * factor));

const workloads: fc.Arbitrary<Workload> = fc
  .record({
    kvHeads: int(1, 3),
    group: fc.constantFrom(1, 1, 2, 4, 7),
    headDim: fc.constantFrom(16, 64, 128, 100, 256),
    valueDim: fc.constantFrom(16, 64, 128, 72),
    causal: fc.boolean(),
    window: fc.oneof(fc.constant([-1, -1] as const), fc.tuple(int(0, 4096), fc.constantFrom(-1, 0, 100))),
  })
  .map(({ kvHeads, group, causal, window, ...dims }) => ({
    ...{
      name: "random",
      source: "",
      scale: undefined,
      softcap: undefined,
      bias: undefined,
      batch: 2,
      heads: kvHeads * group,
      kvHeads,
      ...dims,
      scaleDim: dims.headDim,
    },
    ...{ modelDim: 512, feedForward: 1024, gated: false, experts: undefined, phases: ["prefill", "decode"] as const },
    ...{ causal, kinds: [{ name: null, layers: 1, window }], context: undefined, crossKeys: undefined },
    ...{ valuesInKeys: false, projections: undefined },
  }));

/** Settings of the machine: sizes of the arrays, costs of operations, bandwidth and buffer. */
function settings(
  costs: readonly (readonly [string, number])[],
  c: Readonly<Record<string, number>>,
): readonly Patch[] {
  return [
    { path: "architecture.parameters.rows", value: c["rows"] ?? 256 },
    { path: "architecture.parameters.columns", value: c["columns"] ?? 256 },
    { path: "architecture.levels.dram.bytesPerSecond", value: c["bandwidth"] ?? 1, relative: true },
    { path: "architecture.levels.buffer.bytes", value: c["buffer"] ?? 1, relative: true },
    ...costs.map(([operation, value]) => ({ path: `architecture.arrays.${operation}`, value })),
  ];
}

/** The published machine has rows and columns of one size. */
const cases = (longest: number): fc.Arbitrary<Case> =>
  fc
    .record({
      design: fc.constantFrom(...designs),
      workload: workloads,
      seq: octaves(longest),
      arithmetic: fc.option(fc.constantFrom(...arithmetics), { nil: undefined }),
      phase: fc.constantFrom("prefill", "prefill", "decode"),
      kvLens: fc.option(fc.array(octaves(longest - 1), { minLength: 1, maxLength: 3 }), { nil: undefined }),
      machine: fc.record({
        rows: fc.constantFrom(256, 256, 128, 64, 100),
        columns: fc.constantFrom(256, 256, 128, 64, 40),
        bandwidth: fc.constantFrom(1, 0.01, 0.2, 10),
        buffer: fc.constantFrom(1, 0.25, 4),
      }),
      costs: fc.uniqueArray(fc.tuple(int(0, 5), fc.constantFrom(1, 2, 3, 4)), {
        maxLength: 3,
        selector: ([operation]) => operation,
      }),
    })
    .map(({ design: own, workload, seq, phase, kvLens, machine, costs, arithmetic }) => {
      const design =
        arithmetic === undefined
          ? own
          : { ...own, arithmetic: { ...own.arithmetic, data: arithmetic }, arithmeticBy: "command" as const };
      const operations = Object.entries(design.architecture.data.arrays).flatMap(([array, { operations }]) =>
        Object.keys(operations).map(operation => `${array}.operations.${operation}`),
      );
      const chosen = costs.map(([i, cost]) => [operations[i % operations.length] as string, cost] as const);
      const [point] = attentionPoints(workload, {
        ...{ phase: phase as "prefill" | "decode", seq, batch: workload.batch, decodeQueries: 1 + (seq % 3) },
        ...(kvLens === undefined ? {} : { kvLens }),
      });
      return { design, patches: settings(chosen, machine), point: point as AttentionPoint };
    });

/** What `make` gives; null where the design cannot run the case, which it says in one line. */
function possible<T>(make: () => T): T | null {
  try {
    return make();
  } catch (error) {
    if (error instanceof FusemaxError) return null;
    throw error;
  }
}

function run({ design, patches, point }: Case, accounting: Accounting): readonly [CompiledDesign, Evaluation] | null {
  return possible(() => {
    const compiled = compileDesign(design, { corrections: accounting.corrections, patches });
    return [compiled, evaluate(compiled, point.sizes, accounting, [], point.mask)] as const;
  });
}

/** Sums of products in doubles. */
const slack = 1 + 1e-9;

function busyOf({ counts }: Evaluation): ReadonlyMap<string, number> {
  const busy = new Map<string, number>();
  for (const { array, cycles } of counts) busy.set(array, (busy.get(array) ?? 0) + cycles);
  return busy;
}

/** Q and the output of every query that sees a key, K and V of every key that is seen, once. */
function compulsoryBytes({ sizes, mask }: AttentionPoint, { elementBits, wordBits }: Evaluation): number {
  const { B, H, E, F, M, queries, group = 1 } = sizes;
  const sequences = mask?.sequences ?? [{ count: B, queries, keys: M }];
  const { left, right } = mask ?? { left: -1, right: -1 };
  const { q, k, v, output } = elementBits ?? { q: wordBits, k: wordBits, v: wordBits, output: wordBits };
  let bits = 0;
  for (const { count, queries: P, keys } of sequences) {
    let [seeing, seen, until] = [0, 0, 0];
    for (let p = 0; p < P; p++) {
      const i = p + keys - P;
      const from = Math.max(left < 0 ? 0 : i - left, 0);
      const to = Math.min(right < 0 ? keys : i + right + 1, keys);
      if (from >= to) continue;
      seeing++;
      seen += Math.max(0, to - Math.max(from, until));
      until = Math.max(until, to);
    }
    bits += count * H * (group * seeing * (E * q + F * output) + seen * (E * k + F * v));
  }
  return bits / 8;
}

describe("any design, workload, mask and setting", () => {
  // Simulations take their time: most cases go without them.
  const unscheduled = { ...corrected, corrections: corrected.corrections.filter(name => name !== "schedule") };
  for (const [words, accounting, runs] of [
    ["published", published, 1000],
    ["corrected, but for schedules", unscheduled, 1000],
    ["corrected", corrected, 150],
  ] as const) {
    it(`is never quicker than its arrays are busy, than DRAM, or than its operations: ${words}`, () => {
      let [tried, ran] = [0, 0];
      fc.assert(
        fc.property(cases(12), found => {
          tried++;
          const result = run(found, accounting);
          if (result === null) return;
          ran++;
          const [compiled, evaluation] = result;
          const { cycles, phases, use, counts, trafficBytes, energyPj, frequencyHz, dramBytesPerSecond } = evaluation;
          for (const [array, busy] of busyOf(evaluation)) expect(busy, array).toBeLessThanOrEqual(cycles * slack);
          for (const { seconds, memorySeconds, busySeconds } of phases) {
            expect(memorySeconds).toBeLessThanOrEqual(seconds * slack);
            for (const busy of Object.values(busySeconds)) expect(busy).toBeLessThanOrEqual(seconds * slack);
          }
          for (const { useful, masked, unfilled, dram, binding } of Object.values(use)) {
            const all = useful + masked + dram + binding + Object.values(unfilled).reduce((a, b) => a + b, 0);
            expect(all).toBeCloseTo(1, 9);
          }
          if (accounting.name !== "corrected") return;
          expect((trafficBytes / dramBytesPerSecond) * frequencyHz).toBeLessThanOrEqual(cycles * slack);
          expect(compulsoryBytes(found.point, evaluation)).toBeLessThanOrEqual(trafficBytes * slack);
          const spent = counts
            .flatMap(({ name: einsum, operations }) => operations.map(operation => ({ einsum, ...operation })))
            .reduce(
              (sum, { einsum, name, count }) => sum + count * (compiled.words.figures.of(einsum, name)?.energyPj ?? 0),
              0,
            );
          expect(spent).toBeLessThanOrEqual(energyPj * slack);
        }),
        { numRuns: runs },
      );
      console.log(`${ran} of ${tried} random cases ran, ${words}`);
      expect(ran).toBeGreaterThan(tried / 2);
    }, 300_000);
  }

  it("is simulated in no less than any array is busy, and no less than its binding says", () => {
    let [tried, ran] = [0, 0];
    fc.assert(
      fc.property(cases(11), found => {
        tried++;
        const { design, patches, point } = found;
        const compiled = compileDesign(design, { patches });
        const result = possible(() => simulateDesign(compiled, point, { memory: "ideal" }));
        const evaluation = possible(() => evaluate(compiled, point.sizes, published, [], point.mask));
        if (result === null || evaluation === null) return;
        ran++;
        for (const { name, array, cycles } of evaluation.counts) {
          // The schedule takes whole tiles, the analysis what a mask leaves of one where keys pass in time.
          expect(result.arrays[array]?.busy[name] ?? 0, name).toBeGreaterThanOrEqual(cycles / slack);
        }
        for (const { busyCycles } of Object.values(result.arrays)) {
          expect(result.latencyCycles).toBeGreaterThanOrEqual(busyCycles);
        }
      }),
      { numRuns: 150 },
    );
    console.log(`${ran} of ${tried} random schedules ran`);
    expect(ran).toBeGreaterThan(tried / 2);
  });
});

describe("a correction", () => {
  const none: Accounting = { ...corrected, corrections: [] };

  it.each(corrections.filter(({ effect }) => effect !== "both"))("$name only $effect", ({ name, effect }) => {
    fc.assert(
      fc.property(cases(12), found => {
        const [without, corrected] = [none, { ...none, corrections: [name] }].map(accounting => run(found, accounting));
        if (!without || !corrected) return;
        for (const figure of ["cycles", "energyPj", "trafficBytes"] as const) {
          const [before, after] = [without[1][figure], corrected[1][figure]];
          if (effect === "adds") expect(after, figure).toBeGreaterThanOrEqual(before / slack);
          else expect(after, figure).toBeLessThanOrEqual(before * slack);
        }
      }),
      { numRuns: 80 },
    );
  });
});
