import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { attentionPoints } from "../../src/model/attention-point.js";
import { compileDesign } from "../../src/model/compile.js";
import { accountingOf } from "../../src/model/corrections.js";
import { evaluate } from "../../src/model/evaluate.js";
import { blockSizes, searchSpace } from "../../src/model/search-space.js";
import { attentionSizes, checkSizes, symbolValues } from "../../src/model/sizes.js";
import { checkSweep, coordinates, measures, type SweepRequest, sweeper, sweepSize } from "../../src/model/sweep.js";
import { loadDesign, loadWorkload } from "../../src/spec/load.js";

const accounting = accountingOf("published", undefined);
const [fusemax, flat] = ["fusemax", "flat"].map(name => loadDesign(specFiles, name)) as [never, never];
const bert = { ...loadWorkload(specFiles, "bert"), batch: 2 };
const request: SweepRequest = {
  ...{ designs: [fusemax, flat], workloads: [bert], lengths: [1024, 4096], phase: "prefill", decodeQueries: 1 },
  ...{ accounting, axes: [{ path: "architecture.levels.dram.bytesPerSecond", values: [1e9, 1e12] }] },
};

describe("a sweep", () => {
  it("law: its points are all combinations, the last axis fastest, designs slowest", () => {
    const axes = [2, 3].map(n => ({ path: "p", values: Array.from({ length: n }, (_, i) => i) }));
    const grid = { designs: [0, 1], workloads: [0, 1, 2], lengths: [1, 2], axes };
    expect(sweepSize(grid)).toBe(2 * 3 * 2 * 2 * 3);
    let index = 0;
    for (const design of [0, 1])
      for (const workload of [0, 1, 2])
        for (const length of [0, 1])
          for (const a of [0, 1])
            for (const b of [0, 1, 2]) {
              expect(coordinates(grid, index)).toEqual({ design, workload, length, axes: [a, b] });
              index += 1;
            }
  });

  it("law: a point is what its design evaluates to at its length with its values", () => {
    const at = sweeper(request);
    for (const [index, name, seq, bytesPerSecond] of [
      [0, "fusemax", 1024, 1e9],
      [3, "fusemax", 4096, 1e12],
      [6, "flat", 4096, 1e9],
    ] as const) {
      const path = "architecture.levels.dram.bytesPerSecond";
      const compiled = compileDesign(loadDesign(specFiles, name), { patches: [{ path, value: bytesPerSecond }] });
      const [point] = attentionPoints(bert, { phase: "prefill", seq, batch: 2, decodeQueries: 1 });
      const found = evaluate(compiled, point?.sizes as never, accounting, [], point?.mask);
      const { utilization, use } = found;
      expect(at(index)).toEqual({
        numbers: [
          ...[found.cycles, found.latencySeconds, found.trafficBytes, found.energyPj, found.areaUm2],
          ...[utilization["2d"], utilization["1d"], use["2d"]?.useful, use["1d"]?.useful],
          ...[utilization["2d"], use["2d"]?.useful],
        ],
        ...{ bound: found.bound, estimated: Object.keys(found.estimatedBuffers).length > 0, error: "" },
      });
    }
  });

  it("sets what a workload says, heads and those that share no keys together, and queries in decode", () => {
    const cycles = (changes: Partial<SweepRequest>): readonly number[] => {
      const own = { ...request, lengths: [1024], designs: [fusemax], ...changes };
      const at = sweeper(own);
      const which = measures.indexOf("cycles");
      return Array.from({ length: sweepSize(own) }, (_, i) => at(i).numbers[which] as number);
    };
    const [six, twelve] = cycles({ axes: [{ path: "workload.heads", values: [6, 12] }] });
    expect(twelve).toBeCloseTo(2 * (six as number), 3);
    const [one, two] = cycles({ axes: [{ path: "workload.batch", values: [1, 2] }] });
    expect(two).toBeCloseTo(2 * (one as number), 3);
    expect(two).toBe(twelve);
    const gpt = [loadWorkload(specFiles, "gpt-2")];
    const decode = { workloads: gpt, phase: "decode", axes: [] } as const;
    expect(cycles({ ...decode, decodeQueries: 300 })[0]).toBeGreaterThan(
      cycles({ ...decode, decodeQueries: 1 })[0] ?? 0,
    );
  });

  it("takes another width of words for what it is: the design compiled anew", () => {
    const axes = [{ path: "architecture.wordBits", values: [8, 16] }];
    const at = sweeper({ ...request, designs: [fusemax], lengths: [1024], axes });
    const traffic = [0, 1].map(i => at(i).numbers[measures.indexOf("trafficBytes")] as number);
    expect(traffic[1]).toBe(2 * (traffic[0] as number));
  });

  it("takes a technology's field for what it is: the design compiled anew", () => {
    const axes = [{ path: "technology.dram.energyPj", values: [0, 100, 200] }];
    const at = sweeper({ ...request, designs: [fusemax], lengths: [1024], axes });
    const energy = [0, 1, 2].map(i => at(i).numbers[measures.indexOf("energyPj")] as number);
    const [none = 0, one = 0, two = 0] = energy;
    expect((two - none) / (one - none)).toBeCloseTo(2, 6);
  });

  it("is probed at every point of a few, and of each design at its own points", () => {
    // Only the second of two buffers holds the tiles: what it reads is known from there.
    const path = "architecture.levels.buffer.bytes";
    const small = { axes: [{ path, values: [1024, 2 ** 24] }], lengths: [1024], designs: [flat] };
    expect(checkSweep({ ...request, ...small })).toEqual([]);
    const nowhere = { ...small, axes: [...small.axes, { path: "workload.feedForward", values: [8] }] };
    expect(() => checkSweep({ ...request, ...nowhere })).toThrow(/attention does not depend on it/);
    // Where nothing can be evaluated nothing is known of what is read.
    const none = [{ path, values: [1024] }, ...nowhere.axes.slice(1)];
    expect(checkSweep({ ...request, ...small, axes: none })).toEqual([]);
    // FuseMax has no unit for it.
    const axes = [{ path: "technology.operations.exp.energyPj", values: [1, 2] }];
    const note = `--set ${axes[0]?.path} moves nothing of fusemax, which never reads it`;
    for (const designs of [
      [flat, fusemax],
      [fusemax, flat],
    ])
      expect(checkSweep({ ...request, axes, designs })).toEqual([note]);
  });

  it("lays a bias over the queries of one step: of one query its heads are its rows", () => {
    const workloads = [loadWorkload(specFiles, "gpt-2")];
    const traffic = (decodeQueries: number, queries: number): number => {
      const scores = { softcap: "off", division: "divider", bias: [1, 2, queries, 2] } as const;
      const own = { workloads, designs: [fusemax], lengths: [1024], phase: "decode", axes: [] } as const;
      const found = sweeper({ ...request, ...own, decodeQueries, scores })(0);
      return found.numbers[measures.indexOf("trafficBytes")] as number;
    };
    expect(traffic(1, 1)).toBe(traffic(1, 2));
    expect(traffic(4, 1)).toBeLessThan(traffic(4, 2));
  });

  it("takes heads that share keys for what is set of either", () => {
    const grouped = { ...bert, heads: 12, kvHeads: 4 };
    const axes = [{ path: "workload.heads", values: [24] }];
    const own = { ...request, workloads: [grouped], designs: [fusemax], lengths: [1024], axes };
    const more = { ...own, workloads: [{ ...grouped, heads: 24 }], axes: [{ path: "workload.batch", values: [2] }] };
    expect(sweeper(own)(0)).toEqual(sweeper(more)(0));
  });

  it("says why a point cannot be, and goes on", () => {
    const axes = [{ path: "architecture.levels.buffer.bytes", values: [1024, 2 ** 24] }];
    const at = sweeper({ ...request, lengths: [1024], axes });
    expect(at(0)).toEqual({
      numbers: [],
      bound: "",
      estimated: false,
      error: expect.stringMatching(/tiles of \d+ bytes/),
    });
    expect(at(1)).toMatchObject({ error: "", estimated: false });
    expect(at(1).numbers.every(n => n !== null && Number.isFinite(n))).toBe(true);
    const odd = sweeper({ ...request, axes: [{ path: "architecture.levels.buffer.bytes", values: [1.7e7] }] });
    expect(odd(0)).toMatchObject({ error: "", estimated: true });
  });

  it("charges each workload its own scores' terms, whichever comes first", () => {
    const capped = { ...bert, softcap: 30 };
    const scores = { softcap: "model", division: "divider", bias: null } as const;
    const one = { ...request, designs: [fusemax], lengths: [1024], axes: [], scores };
    const numbers = (...workloads: readonly (typeof bert)[]) => {
      const at = sweeper({ ...one, workloads });
      return workloads.map((_, i) => at(i).numbers);
    };
    const [plain, with_] = [numbers(bert)[0], numbers(capped)[0]];
    expect(with_).not.toEqual(plain);
    expect(numbers(bert, capped, bert)).toEqual([plain, with_, plain]);
    expect(numbers(capped, { ...capped, softcap: undefined }, capped)).toEqual([with_, plain, with_]);
  });

  it("says which of its numbers is none", () => {
    const design = loadDesign(specFiles, "fusemax");
    const { data } = design.binding;
    const endless = { ...data, phases: data.phases.map(phase => ({ ...phase, latency: `(${phase.latency}) / 0` })) };
    const at = sweeper({
      ...request,
      designs: [{ ...design, binding: { ...design.binding, data: endless, raw: endless } }],
    });
    expect(at(0)).toMatchObject({ numbers: [], error: "cycles is no number" });
  });

  it.each<[string, Partial<SweepRequest>, RegExp]>([
    ["a field twice", { axes: [...request.axes, ...request.axes] }, /--set: got architecture\S+ twice; expected each/],
    [
      "a workload's other field",
      { axes: [{ path: "workload.name", values: [1] }] },
      /--set workload\.name: got the field/,
    ],
    ["a kind that is none", { axes: [{ path: "design.name", values: [1] }] }, /got "design"; expected a field of arch/],
    [
      "a negative value",
      { axes: [{ path: "workload.heads", values: [1, -1] }] },
      /--set workload\.heads: got -1; expected/,
    ],
    [
      "no number",
      { axes: [{ path: "workload.heads", values: [Number.NaN] }] },
      /got NaN; expected values of at least 0/,
    ],
    ["a phase it lacks", { phase: "decode" }, /--phase: got decode of BERT/],
    [
      "what nothing reads",
      { axes: [{ path: "workload.feedForward", values: [8] }] },
      /attention does not depend on it/,
    ],
    ["a word", { axes: [{ path: "architecture.name", values: [8] }] }, /architecture\.name/],
  ])("is refused with %s", (_, changes, message) => {
    expect(() => checkSweep({ ...request, lengths: [1024], ...changes })).toThrow(message);
  });

  it("says which designs do not read a field that others do", () => {
    const axes = [{ path: "architecture.arrays.1d.operations.exp", values: [1] }];
    expect(() => checkSweep({ ...request, axes })).toThrow(/arrays\.1d\.operations\.exp/);
    expect(checkSweep(request)).toEqual([]);
    const other = [{ path: "architecture.arrays.2d.operations.max", values: [1] }];
    expect(() => checkSweep({ ...request, axes: other, designs: [flat] })).toThrow();
  });
});

describe("blocks that are searched", () => {
  it("are divisors and powers of two, or two sizes an octave that do not depend on how many there are", () => {
    const where = (): string => "here";
    expect(blockSizes(12, false, where)).toEqual([1, 2, 3, 4, 6, 8, 12]);
    expect(blockSizes(9, false, where)).toEqual([1, 2, 3, 4, 8, 9]);
    expect(blockSizes(13, true, where)).toEqual([1, 2, 3, 4, 6, 8, 12, 13]);
    expect(blockSizes(12, true, where)).toEqual([1, 2, 3, 4, 6, 8, 12]);
    expect(blockSizes(9, true, where)).toEqual([1, 2, 3, 4, 6, 8, 9]);
    expect(blockSizes(1, true, where)).toEqual([1]);
    for (const n of [0, 2 ** 48 + 1, Number.NaN]) expect(() => blockSizes(n, true, where)).toThrow("from 1 to 2^48");
    expect(blockSizes(2 ** 48, true, where)).toHaveLength(49 + 47);
  });

  it("are combined with the first choice fastest", () => {
    const { candidates, sizes } = searchSpace(
      [
        [1, 2],
        [5, 6, 7],
      ],
      () => "here",
    );
    expect(candidates.map(({ blocks }) => blocks.join())).toEqual(["1,5", "2,5", "1,6", "2,6", "1,7", "2,7"]);
    expect(sizes).toEqual([
      [1, 2],
      [5, 6, 7],
    ]);
    const thousand = Array.from({ length: 1000 }, (_, i) => i);
    expect(() => searchSpace([thousand, thousand, [1, 2]], () => "here")).toThrow("got 2000000 combinations of blocks");
  });
});

describe("sizes", () => {
  it("stand in the order of their symbols, a group of one and values of their own where nothing is said", () => {
    const sizes = { B: 1, H: 2, E: 3, F: 4, M: 5, queries: 6, modelDim: 7, feedForward: 8 };
    expect(symbolValues(sizes)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 1, 0]);
    expect(symbolValues({ ...sizes, group: 9, valuesInKeys: 1 })).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 1]);
    const grouped = { ...bert, heads: 6, kvHeads: 2, valuesInKeys: true };
    expect(attentionSizes(grouped, { batch: 2, queries: 3, keys: 4 })).toMatchObject({
      H: 2,
      group: 3,
      valuesInKeys: 1,
    });
    expect(() => attentionSizes({ ...bert, heads: 6, kvHeads: 4 }, { batch: 2, queries: 3, keys: 4 })).toThrow(
      /key\/value heads/,
    );
  });

  it.each([
    ["M", 0],
    ["M", 1.5],
    ["M", 2 ** 40 + 1],
    ["valuesInKeys", -1],
  ])("%s is no %d", (name, size) => {
    const sizes = { B: 1, H: 2, E: 3, F: 4, M: 2 ** 40, queries: 6, modelDim: 7, feedForward: 8, valuesInKeys: 0 };
    expect(checkSizes(sizes)).toBe(sizes);
    expect(() => checkSizes({ ...sizes, [name]: size })).toThrow(`size ${name}: got ${size}; expected a whole number`);
  });
});
