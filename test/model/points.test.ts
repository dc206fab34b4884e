import { describe, expect, it } from "vitest";
import { bitPlane } from "../../src/attention/bit-plane.js";
import { noMask } from "../../src/attention/mask.js";
import { biasRanks } from "../../src/attention/score-terms.js";
import { specFiles } from "../../src/io/spec-files.js";
import { published } from "../../src/model/accounting.js";
import { attentionPoints, hidesSome, type PointRequest, unmasked } from "../../src/model/attention-point.js";
import { compileDesign } from "../../src/model/compile.js";
import {
  accountingFor,
  accountingLine,
  accountingOf,
  accountingText,
  correctionNames,
  correctionsOf,
} from "../../src/model/corrections.js";
import { costOfRun } from "../../src/model/cost.js";
import { evaluate } from "../../src/model/evaluate.js";
import { type LayerProduct, layerProducts, productSizes } from "../../src/model/layer.js";
import type { Design } from "../../src/spec/design.js";
import { loadArithmetic, loadDesign, loadWorkload } from "../../src/spec/load.js";
import type { Workload } from "../../src/spec/workload.js";

/** A model of small numbers that all differ: no two of its sizes can be taken for each other. */
const small: Workload = {
  ...loadWorkload(specFiles, "gpt-2"),
  ...{ name: "small", batch: 3, heads: 6, kvHeads: 2, headDim: 5, valueDim: 7, scaleDim: 5 },
  ...{ modelDim: 11, feedForward: 13, gated: false, experts: undefined, phases: ["prefill", "decode"], causal: true },
  ...{ kinds: [{ name: null, layers: 1, window: [-1, -1] }], crossKeys: undefined, projections: undefined },
};
const request: PointRequest = { phase: "prefill", seq: 17, batch: 3, decodeQueries: 2 };
const pointOf = (workload: Workload, changes: Partial<PointRequest> = {}) => {
  const [point] = attentionPoints(workload, { ...request, ...changes });
  if (point === undefined) throw new Error("no kind of layers");
  return point;
};

describe("a workload's attention", () => {
  it("has the terms of its scores where they are charged", () => {
    const capped: Workload = { ...small, softcap: 30 };
    const scores = { softcap: "model", division: "divider", bias: null } as const;
    expect(pointOf(capped, { scores }).terms).toEqual({ softcap: "divider", bias: null });
    expect(pointOf(capped).terms).toEqual({ softcap: null, bias: null });
  });

  it("has as many queries as keys in prefill, and those that are new in decode", () => {
    expect(pointOf(small)).toMatchObject({ phase: "prefill", batch: 3, queries: 17, keys: 17, group: 3 });
    expect(pointOf(small).sizes).toMatchObject({ B: 3, H: 2, E: 5, F: 7, M: 17, queries: 17, group: 3 });
    expect(pointOf(small, { phase: "decode" })).toMatchObject({ queries: 2, keys: 17 });
    expect(pointOf({ ...small, crossKeys: 9 })).toMatchObject({ queries: 17, keys: 9 });
    expect(() => pointOf({ ...small, phases: ["decode"] })).toThrow(
      "--phase: got prefill of small; expected one of its phases: decode",
    );
  });

  it("is masked where a score is hidden, and only there", () => {
    expect(pointOf(small).mask).toEqual({ left: -1, right: 0, sequences: [{ count: 3, queries: 17, keys: 17 }] });
    // The only new query sees all.
    expect(pointOf(small, { phase: "decode", decodeQueries: 1 }).mask).toBeUndefined();
    expect(pointOf(unmasked(small)).mask).toBeUndefined();
    const local: Workload = { ...small, causal: false, kinds: [{ name: "local", layers: 1, window: [4, 6] }] };
    expect(pointOf(local).mask).toMatchObject({ left: 4, right: 6 });
    expect(pointOf({ ...local, causal: true }).mask).toMatchObject({ left: 4, right: 0 });
    expect(pointOf(unmasked(local)).mask).toBeUndefined();
    expect(unmasked(local)).toMatchObject({ causal: false, kinds: [{ name: "local", layers: 1, window: [-1, -1] }] });
  });

  it("has sequences by their lengths and paddings, those alike as one", () => {
    const { mask, sizes } = pointOf(small, { kvLens: [4, 17, 4] });
    expect(sizes).toMatchObject({ B: 3, M: 17, queries: 17 });
    expect(mask?.sequences).toEqual([
      { count: 2, queries: 4, keys: 4 },
      { count: 1, queries: 17, keys: 17 },
    ]);
    const padded = pointOf(small, { phase: "decode", kvLens: [9, 9], leftPad: [0, 3] });
    expect(padded.mask?.sequences).toEqual([
      { count: 1, queries: 2, keys: 9 },
      { count: 1, queries: 2, keys: 9, leftPad: 3 },
    ]);
    expect(pointOf(small, { leftPad: [1, 1] }).mask?.sequences).toEqual([
      { count: 2, queries: 17, keys: 17, leftPad: 1 },
    ]);
    // All of its keys may be padding, where another sequence has some.
    expect(pointOf(small, { leftPad: [17, 0] }).mask).toBeDefined();
  });

  it.each<[string, Partial<PointRequest>, RegExp]>([
    ["another number of paddings", { kvLens: [4, 5], leftPad: [1] }, /--left-pad: got 1 length; expected 2, one for/],
    ["more padding than keys", { leftPad: [0, 18] }, /--left-pad: got 18; expected at most the 17 keys/],
    ["padding alone", { leftPad: [17, 17] }, /lengths: got a batch in which no query sees a key/],
    ["more scores than can be counted", { seq: 2 ** 26 }, /--seq: got a masked attention of 1\.4e\+16 scores for each/],
  ])("is refused with %s", (_, changes, message) => {
    expect(() => pointOf(small, changes)).toThrow(message);
  });

  it("is exact up to 2^53 scores of a key head", () => {
    const of = (queries: number) => ({ left: -1, right: 0, sequences: [{ count: 1, queries, keys: 2 ** 26 }] });
    expect(hidesSome(of(2 ** 25), 4)).toBe(true);
    expect(() => hidesSome(of(2 ** 25 + 1), 4)).toThrow("at most 2^53");
    const none = [
      { count: 1, queries: 0, keys: 3 },
      { count: 1, queries: 3, keys: 2, leftPad: 2 },
    ];
    expect(() => hidesSome({ left: -1, right: 0, sequences: none }, 1)).toThrow("no query sees a key");
  });

  it("takes other masks' window and bits in place of its own, each head a sequence where it has bits", () => {
    const seen: unknown[] = [];
    const asked = pointOf(small, {
      kvLens: [4, 17, 4],
      masking: given => {
        seen.push(
          given.sequences.map(({ keys }) => keys),
          given.shape.keys,
          given.window,
        );
        return { left: 2, right: 1 };
      },
    });
    expect(seen).toEqual([[4, 17, 4], 17, [-1, -1]]);
    expect(asked.mask).toMatchObject({ left: 2, right: 1 });
    const plane = bitPlane([1, 1, 17, 17], new Uint8Array(17 * 17).fill(1).fill(0, 0, 5));
    const bits = pointOf(small, { masking: () => ({ left: -1, right: -1, planes: [plane] }) });
    expect(bits.sizes).toMatchObject({ B: 6, H: 1, group: 3 });
    expect(bits.mask?.sequences.map(({ count, queries, keys }) => [count, queries, keys])).toEqual([[6, 17, 17]]);
  });
});

describe("the points of a masked attention", () => {
  it.each(["fusemax", "architecture", "cascade", "flat", "unfused"])(
    "are its scores, each query head's own: %s",
    name => {
      const compiled = compileDesign(loadDesign(specFiles, name));
      const sequences = [{ count: 2, queries: 9, keys: 14 }];
      // Query p sees keys p + 5 - 3 to p + 5: 4 each but for those cut off by neither end.
      const scores = 9 * 4;
      for (const group of [1, 3]) {
        const sizes = { B: 2, H: 2, E: 5, F: 7, M: 14, queries: 9, modelDim: 8, feedForward: 8, group };
        const { counts } = evaluate(compiled, sizes, published, [], { left: 3, right: 0, sequences });
        expect(counts[0]?.points).toBe(2 * 2 * group * scores * 5);
      }
    },
  );
});

describe("the matrix products around attention", () => {
  const of = (workload: Workload, changes: Partial<PointRequest> = {}) =>
    layerProducts(workload, pointOf(workload, changes)).map(
      ({ name, rows, inputs, outputs, copies }: LayerProduct) => [name, rows, inputs, outputs, copies] as const,
    );
  const rows = 3 * 17;
  const feedForward = [
    ["feed-forward up", rows, 11, 13, 1],
    ["feed-forward down", rows, 13, 11, 1],
  ];

  it("are four projections and two of the feed-forward layer, three with a gate", () => {
    const projections = [
      ["query", rows, 11, 6 * 5, 1],
      ["key", rows, 11, 2 * 5, 1],
      ["value", rows, 11, 2 * 7, 1],
      ["output", rows, 6 * 7, 11, 1],
    ];
    expect(of(small)).toEqual([...projections, ...feedForward]);
    const gate = ["feed-forward gate", rows, 11, 13, 1];
    expect(of({ ...small, gated: true })).toEqual([...projections, gate, ...feedForward]);
  });

  it("project another sequence's keys once, in prefill", () => {
    const cross: Workload = { ...small, crossKeys: 9 };
    expect(
      of(cross)
        .slice(0, 3)
        .map(([name, r]) => [name, r]),
    ).toEqual([
      ["query", rows],
      ["key", 3 * 9],
      ["value", 3 * 9],
    ]);
    expect(of(cross, { phase: "decode" }).map(([name, r]) => [name, r])).toEqual([
      ["query", 6],
      ["output", 6],
      ["feed-forward up", 6],
      ["feed-forward down", 6],
    ]);
  });

  it("spread tokens evenly over the experts that they reach, and over all shared ones", () => {
    const sparse: Workload = { ...small, experts: { routed: 8, active: 2, shared: 1 } };
    // 51 tokens twice over 8 experts: 13 each. In decode 6 tokens reach 8 as well, 2 each.
    expect(of(sparse).slice(4)).toEqual([
      ["experts up", 13, 11, 13, 8],
      ["experts down", 13, 13, 11, 8],
      ["shared experts up", rows, 11, 13, 1],
      ["shared experts down", rows, 13, 11, 1],
    ]);
    const one: Workload = { ...sparse, experts: { routed: 8, active: 2, shared: 0 } };
    expect(of(one, { phase: "decode", batch: 1, decodeQueries: 1 }).slice(4)).toEqual([
      ["experts up", 1, 11, 13, 2],
      ["experts down", 1, 13, 11, 2],
    ]);
  });

  it("are known to their mapping by these sizes", () => {
    const sizes = productSizes({ name: "p", rows: 51, inputs: 11, outputs: 13, copies: 8 });
    expect(sizes).toMatchObject({ B: 1, H: 8, E: 11, F: 13, M: 1, queries: 51, modelDim: 11, feedForward: 13 });
  });
});

describe("the cost of a run", () => {
  const design = loadDesign(specFiles, "fusemax");
  const shape = { batch: 2, heads: 6, kvHeads: 2, queries: 9, keys: 12, headDim: 4, valueDim: 4 };
  const tile = { m0: 8, p0: 4 };

  it("is nothing where no query has a key, on the same machine", () => {
    const { frequencyHz, dramBytesPerSecond } = costOfRun(design, shape, tile);
    const none = costOfRun(design, shape, tile, { ...noMask, kvLens: [0, 0] });
    const biased = costOfRun(design, shape, tile, noMask, {
      terms: { softcap: null, bias: biasRanks([1, 2, 1, 9], 9) },
    });
    expect([none.scores, biased.scores]).toEqual([
      { softcap: null, bias: null },
      { softcap: null, bias: "H,1,M" },
    ]);
    expect(none).toMatchObject({ cycles: 0, busyCycles: 0, seconds: 0, dramBytes: 0, energyPj: 0 });
    expect(none).toMatchObject({ frequencyHz, dramBytesPerSecond, accounting: "published", corrections: [] });
    expect(Object.values(none.utilization)).toEqual([0, 0]);
  });

  it("is that of its longest sequence's sizes where a mask hides nothing, and of what is left where it does", () => {
    const all = costOfRun(design, shape, tile);
    expect(costOfRun(design, shape, tile, { ...noMask, kvLens: [12, 12], qLens: [9, 9] })).toEqual(all);
    // One of two sequences: half the cost.
    const half = costOfRun(design, shape, tile, { ...noMask, kvLens: [12, 0] });
    expect(half.busyCycles).toBeCloseTo(all.busyCycles / 2, 6);
    expect(half.dramBytes).toBe(all.dramBytes / 2);
    expect(all.scores).toEqual({ softcap: null, bias: null });
    expect([all.util2d, all.util1d]).toEqual([all.utilization["2d"], all.utilization["1d"]]);
    expect(all.util2d).not.toBe(all.util1d);
    expect(all).toMatchObject({ wordBits: 16, elementBits: null, missing: [], lacking: [], assumed: null });
  });

  it("reads values with their keys where they are their first part", () => {
    const apart = costOfRun(design, shape, tile).dramBytes;
    const within = costOfRun(design, { ...shape, valuesInKeys: true }, tile).dramBytes;
    expect(apart - within).toBe(2 * (2 * 2 * 12 * 4));
  });
});

describe("an accounting", () => {
  it("is the one that is named, or has the corrections that are, in their order", () => {
    expect(accountingOf("published", undefined)).toEqual({ name: "published", corrections: [], mapping: "published" });
    expect(accountingOf("corrected", undefined).corrections).toEqual(correctionNames);
    expect(accountingOf(undefined, ["all"]).corrections).toEqual(correctionNames);
    expect(accountingOf(undefined, ["schedule", "divider"])).toMatchObject({
      ...{ name: "corrected", corrections: ["divider", "schedule"] },
    });
    expect(accountingOf(undefined, []).name).toBe("published");
    expect(accountingOf(undefined, undefined).name).toBe("published");
    expect(accountingOf(undefined, undefined, "search", "corrected")).toMatchObject({
      ...{ name: "corrected", corrections: correctionNames, mapping: "search" },
    });
    expect(() => accountingOf(undefined, ["divider", "speed"])).toThrow(/--correct: got "speed"; expected one of reg/);
    expect(() => accountingOf("corrected", ["divider"])).toThrow(/--correct: cannot be given with --accounting corr/);
  });

  it("is the paper's for its designs as they ship with nothing set, else the corrected one", () => {
    const [fusemax, flat, tpu] = ["fusemax", "flat", "tpu-v4"].map(name => loadDesign(specFiles, name)) as [
      ...[Design, Design, Design],
    ];
    expect(accountingFor([fusemax, flat], 0)).toBe("published");
    expect(accountingFor([fusemax], 1)).toBe("corrected");
    expect(accountingFor([fusemax, tpu], 0)).toBe("corrected");
    const named = (arithmetic: string): Design => ({
      ...fusemax,
      arithmetic: { ...fusemax.arithmetic, data: loadArithmetic(specFiles, arithmetic) },
    });
    expect(["fp16-strict", "fp32", "fa4-bf16"].map(name => accountingFor([named(name)], 0))).toEqual([
      ...["published", "corrected", "corrected"],
    ]);
    const own: Design = { ...fusemax, mapping: { ...fusemax.mapping, shipped: false } };
    expect(accountingFor([own], 0)).toBe("corrected");
  });

  it("says in a line what it is, and why", () => {
    expect(accountingText(accountingOf("published", undefined))).toBe("published");
    expect(accountingText(accountingOf("corrected", undefined))).toBe("corrected");
    expect(accountingText(accountingOf(undefined, ["divider", "schedule"], "search"))).toBe(
      "published with divider, schedule, searched mappings",
    );
    expect(accountingLine(accountingOf("published", undefined), true)).toBe(
      "Accounting: published (the paper's designs as they ship)",
    );
    expect(accountingLine(accountingOf("corrected", undefined), false)).toBe("Accounting: corrected");
    expect(accountingLine(accountingOf("corrected", undefined), true)).toMatch(
      /^Accounting: corrected \(a design, a sett/,
    );
  });

  it("has the corrections that change something of a design: the analysis's, and those that its specs list", () => {
    const of = (name: string) => correctionsOf(loadDesign(specFiles, name));
    expect(of("flat")).toContain("flat-mapper");
    expect(of("fusemax")).not.toContain("flat-mapper");
    expect(of("cascade")).toContain("exp-energy");
    for (const name of ["register-energy", "first-reads", "schedule"]) expect(of("fusemax")).toContain(name);
    expect(of("fusemax")).not.toContain("words");
    expect(correctionsOf({ ...loadDesign(specFiles, "fusemax"), arithmeticBy: "command" })).toContain("words");
  });
});
