import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FusemaxError } from "../../src/errors.js";
import { specFiles } from "../../src/io/spec-files.js";
import { compileDesign } from "../../src/model/compile.js";
import { accountingOf } from "../../src/model/corrections.js";
import { evaluate } from "../../src/model/evaluate.js";
import { blockSizes } from "../../src/model/search-space.js";
import { checkSizes } from "../../src/model/sizes.js";
import { loadDesign } from "../../src/spec/load.js";
import { type Change, evaluateWith } from "./one-product.js";

/** Designs with choices: one whose blocks depend on the buffer through capacity alone, and one whose loops are cut by it too. */
const designs = ["unfused", "linear-flat", "product"] as const;

describe("mapping searches", () => {
  /**
   * Law: what a search found out about mappings for one buffer never changes what it takes for another. A design compiled once
   * and taken through many buffers, arrays and masks gives, to the last bit, what one compiled for that point alone gives.
   */
  it.each(designs)("of %s remember without being led by what they remember", name => {
    const design = loadDesign(specFiles, name);
    const point = fc.record({
      bytes: fc.integer({ min: 4 * 13, max: 4 * 25 }).map(quarters => Math.floor(2 ** (quarters / 4))),
      rows: fc.constantFrom(16, 64, 256),
      rowWords: fc.constantFrom(64, 256),
      queries: fc.constantFrom(1, 100, 1000, 4096),
      group: fc.constantFrom(1, 4),
      causal: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(point, { minLength: 2, maxLength: 12 }), fc.boolean(), (points, corrected) => {
        const accounting = {
          ...accountingOf(corrected ? "corrected" : "published", undefined),
          mapping: "search",
        } as const;
        const compile = () =>
          compileDesign(design, {
            corrections: accounting.corrections,
            patches: ["levels.buffer.bytes", "parameters.rows", "levels.buffer.rowWords"].map((field, i) => ({
              path: `architecture.${field}`,
              value: `@${i}`,
            })),
            variables: 3,
          });
        const once = compile();
        for (const { bytes, rows, rowWords, queries, group, causal } of points) {
          const M = name === "product" ? 1 : queries;
          const sizes = checkSizes({ B: 2, H: 2, E: 64, F: 64, M, queries, group, modelDim: 512, feedForward: 1024 });
          const mask = { left: -1, right: 0, sequences: [{ count: 2, queries, keys: queries }] };
          const masked = causal && name === "unfused" ? mask : undefined;
          const at = (compiled: typeof once) => {
            try {
              const { cycles, trafficBytes, energyPj, mappingsTried } = evaluate(
                compiled,
                sizes,
                accounting,
                [bytes, rows, rowWords],
                masked,
              );
              return { cycles, trafficBytes, energyPj, mappingsTried };
            } catch (error) {
              if (error instanceof FusemaxError) return error.message;
              throw error;
            }
          };
          expect(at(once)).toEqual(at(compile()));
        }
      }),
      { numRuns: 20 },
    );
  });

  it("take of blocks with as little traffic those with the least energy, and say how many they tried", () => {
    // A cluster's memory holds all: whatever block of columns an l1 takes, DRAM passes as much, but X comes again for each.
    const nested: readonly Change[] = [
      [
        "within: dram, size: 4 }",
        "within: l2, size: 4 }\n  l2: { kind: sram, within: dram, bytes: 1 * MiB, rowWords: 4 }",
      ],
      [
        "operations: { mac: 1 }\n",
        "operations: { mac: 1 }\n    choose: { f: { upTo: F, partial: 1, published: FIXED } }\n    partitions: { F: { F1: rest, F0: f } }\n",
      ],
      ["dram: [P3], core: [P2], l1: [P1, F, E]", "l2: [F1, P3], core: [P2], l1: [P1, F0, E]"],
      ["keep: { dram: [X, W, Y], ", "keep: { dram: [X, W, Y], l2: [X, W, Y], "],
    ];
    const at = (block: number) => evaluateWith([...nested, ["FIXED", String(block)]]);
    const searched = at(0);
    const all = blockSizes(8, true, () => "").map(at);
    expect(searched.mappingsTried).toBe(all.length);
    expect(all.map(({ mappingsTried }) => mappingsTried)).toEqual(all.map(() => 0));
    expect(new Set(all.map(({ trafficBytes }) => trafficBytes)).size).toBe(1);
    const energies = all.map(({ energyPj }) => energyPj);
    expect(searched.energyPj).toBe(Math.min(...energies));
    expect(energies[0]).toBeGreaterThan(searched.energyPj);
    expect(evaluateWith([]).mappingsTried).toBe(0);
  });

  it("law: take, of all blocks that fit, those with the least traffic, and of these with the least energy of DRAM and buffer", () => {
    const corrections = ["register-energy", "first-reads"];
    const accounting = accountingOf(undefined, corrections);
    const compiled = compileDesign(loadDesign(specFiles, "unfused"), {
      corrections,
      patches: [
        ...["levels.buffer.bytes", "parameters.rows", "parameters.columns"].map((field, i) => {
          return { path: `architecture.${field}`, value: `@${i}` };
        }),
        ...["headTiles", "queryTiles", "keyTiles"].flatMap((choice, i) => [
          { path: `mapping.einsums.QK.choose.${choice}.published`, value: `@${3 + i}` },
          { path: `mapping.einsums.QK.choose.${choice}.partial`, value: 1 },
          // The other product is left alone.
          { path: `mapping.einsums.AV.choose.${choice}.published`, value: 1 },
          { path: `mapping.einsums.AV.choose.${choice}.upTo`, value: 1 },
        ]),
      ],
      variables: 6,
    });
    const size = (max: number) => fc.integer({ min: 1, max });
    const cases = fc.record({ bytes: fc.integer({ min: 150, max: 1500 }), E: size(6), M: size(20), queries: size(20) });
    let ran = 0;
    fc.assert(
      fc.property(cases, size(3), ({ bytes, E, M, queries }, group) => {
        const sizes = checkSizes({ ...{ B: 1, H: 1, E, F: 1, M, queries, group }, modelDim: 1, feedForward: 1 });
        const at = (blocks: readonly number[], mapping: "published" | "search") => {
          try {
            const own = { ...accounting, mapping };
            const found = evaluate(compiled, sizes, own, [2 * bytes, 4, 4, ...blocks]);
            const { dram = 0, buffer = 0 } = found.componentEnergyPj;
            return { traffic: found.trafficBytes, energy: dram + buffer, tried: found.mappingsTried };
          } catch (error) {
            if (error instanceof FusemaxError) return undefined;
            throw error;
          }
        };
        const of = (n: number) => blockSizes(n, true, () => "");
        const heads = queries < 4 ? 1 : group;
        const columns = Math.ceil((queries * group) / heads / 4);
        const all = of(heads).flatMap(h =>
          of(columns).flatMap(q => of(Math.ceil(M / 4)).map(k => at([h, q, k], "published"))),
        );
        const fitting = all.flatMap(found => found ?? []);
        const searched = at([0, 0, 0], "search");
        if (searched === undefined) {
          expect(fitting).toEqual([]);
          return;
        }
        ran += 1;
        // One more: the other product's only block.
        expect(searched.tried).toBe(all.length + 1);
        const traffic = Math.min(...fitting.map(own => own.traffic));
        expect(searched.traffic).toBe(traffic);
        const energy = Math.min(...fitting.filter(own => own.traffic === traffic).map(own => own.energy));
        expect(searched.energy / energy).toBeCloseTo(1, 9);
        // A search does not take what was published, nor blocks below one.
        expect(at([1, 1, 1], "search")).toEqual(searched);
        expect(at([1, 1, 0], "published")?.tried).toBe(all.length);
      }),
      { numRuns: 12 },
    );
    expect(ran).toBeGreaterThan(0);
  });
});
