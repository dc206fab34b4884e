import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { compileDesign } from "../../src/model/compile.js";
import { accountingOf, correctionNames } from "../../src/model/corrections.js";
import { evaluate } from "../../src/model/evaluate.js";
import { sizesOf } from "../../src/model/sizes.js";
import { architectureSchema } from "../../src/spec/architecture.js";
import { readDocument, type SpecText, valueAt } from "../../src/spec/document.js";
import { loadDesign, loadWorkload, type SpecSource } from "../../src/spec/load.js";

const corrected = accountingOf("corrected", undefined);
const designs = ["unfused", "flat", "cascade", "architecture", "fusemax", "linear-flat", "linear-fusemax"];
const workloads = ["bert", "xlm"].map(name => loadWorkload(specFiles, name));

/** Lengths from one token to 2^40, as many in each octave. */
const length = fc
  .tuple(fc.integer({ min: 0, max: 39 }), fc.double({ min: 1, max: 2, noNaN: true }))
  .map(([octave, factor]) => Math.floor(2 ** octave * factor));
const pair = fc.oneof(
  fc.tuple(length, length),
  length.chain(a =>
    fc.tuple(
      fc.constant(a),
      fc.integer({ min: 1, max: 300 }).map(d => Math.min(2 ** 40, a + d)),
    ),
  ),
);
/** Sums of products in doubles: a relative error of some 2^-52 a term. */
const slack = 1 - 1e-12;

describe.each(designs)("%s, corrected", name => {
  const compiled = compileDesign(loadDesign(specFiles, name), { corrections: corrected.corrections });
  const at = (seq: number, w: number) => {
    const { cycles, trafficBytes, energyPj } = evaluate(compiled, sizesOf(workloads[w] as never, seq), corrected);
    return [cycles, trafficBytes, energyPj];
  };

  it("is finite and grows with the length: cycles, traffic and energy", () => {
    fc.assert(
      fc.property(pair, fc.integer({ min: 0, max: 1 }), ([a, b], w) => {
        const less = at(Math.min(a, b), w);
        const more = at(Math.max(a, b), w);
        less.forEach((value, i) => {
          expect(Number.isFinite(value) && value > 0).toBe(true);
          expect(more[i], `${["cycles", "traffic", "energy"][i]} at ${a} and ${b}`).toBeGreaterThanOrEqual(
            value * slack,
          );
        });
      }),
      { numRuns: 25 },
    );
  });

  it("is finite at 2^40 tokens", () => {
    for (const value of at(2 ** 40, 1)) expect(Number.isFinite(value)).toBe(true);
  });
});

describe("corrections", () => {
  const energyOf = (design: string, corrections: readonly string[], seq = 2 ** 18): number => {
    const accounting = accountingOf(undefined, corrections);
    const compiled = compileDesign(loadDesign(specFiles, design), { corrections });
    return evaluate(compiled, sizesOf(workloads[0] as never, seq), accounting).energyPj;
  };

  it("register-energy charges 65,536 register files of the 2D array in place of one", () => {
    const compiled = compileDesign(loadDesign(specFiles, "fusemax"));
    const sizes = sizesOf(workloads[0] as never, 4096);
    const one = evaluate(compiled, sizes, accountingOf(undefined, ["first-reads"])).componentEnergyPj["registers2d"];
    const all = evaluate(compiled, sizes, accountingOf(undefined, ["first-reads", "register-energy"]))
      .componentEnergyPj["registers2d"];
    expect((all as number) / (one as number)).toBeCloseTo(65536, 6);
  });

  it("exp-energy adds 94.6475 pJ for each score and for each correction factor of +Cascade", () => {
    const [BH, M, P] = [64 * 12, 2 ** 18, 2 ** 18];
    const added = energyOf("cascade", ["exp-energy"]) - energyOf("cascade", []);
    expect(added / (94.6475 * (BH * M * P + BH * (M / 256) * P))).toBeCloseTo(1, 9);
  });

  it("partial-blocks ends the jump of traffic at 65,792 = 257 * 256 tokens", () => {
    const traffic = (seq: number, names: readonly string[]): number => {
      const compiled = compileDesign(loadDesign(specFiles, "fusemax"), { corrections: names });
      return evaluate(compiled, sizesOf(workloads[0] as never, seq), accountingOf(undefined, names)).trafficBytes;
    };
    expect(traffic(65792, []) / traffic(65536, [])).toBeGreaterThan(80);
    // Two blocks of queries read the keys twice: at most twice the traffic of one block.
    expect(traffic(65792, ["partial-blocks"]) / traffic(65536, ["partial-blocks"])).toBeLessThan(2);
  });

  it("never move more words of the linear layers with both loop orders to choose from", () => {
    const compiled = ["linear-flat", "linear-fusemax"].flatMap(name =>
      [[], ["partial-blocks"]].map(others => {
        const design = loadDesign(specFiles, name);
        return [others, [...others, "loop-order"]].map(corrections => compileDesign(design, { corrections }));
      }),
    );
    fc.assert(
      fc.property(
        fc.record({
          queries: fc.integer({ min: 1, max: 1 << 16 }),
          modelDim: fc.integer({ min: 1, max: 2048 }),
          feedForward: fc.integer({ min: 1, max: 8192 }),
        }),
        sizes => {
          for (const pair of compiled) {
            const [published, either] = pair.map(
              design => evaluate(design, { B: 1, H: 8, E: 64, F: 64, M: 1, ...sizes }).trafficBytes,
            );
            expect(either).toBeLessThanOrEqual(published as number);
          }
        },
      ),
    );
  });

  it("each moves something on some design", () => {
    const moved = (name: string): boolean =>
      ["unfused", "flat", "cascade", "fusemax", "linear-fusemax"].some(design => {
        const accounting = accountingOf(undefined, [name]);
        const loaded = loadDesign(specFiles, design);
        return [4096, 51200, 2 ** 20].some(seq => {
          // XLM: the model whose weights are too many for the buffer.
          const sizes = sizesOf(workloads[design === "linear-fusemax" ? 1 : 0] as never, seq);
          const before = evaluate(compileDesign(loaded), sizes);
          const after = evaluate(compileDesign(loaded, { corrections: [name] }), sizes, accounting);
          return after.latencySeconds !== before.latencySeconds || after.energyPj !== before.energyPj;
        });
      });
    expect(correctionNames.filter(name => !moved(name))).toEqual([]);
  });
});

describe("a correction of one value of a field", () => {
  it("law: finds that value in every architecture that ships, or it would do nothing without a word", () => {
    const replaced = specFiles.names("architectures").flatMap(name => {
      const { data } = readDocument(specFiles.read("architectures", name) as SpecText, architectureSchema);
      return Object.values(data.corrections ?? {}).flatMap(fields =>
        Object.entries(fields).flatMap(([path, change]) =>
          typeof change === "object" && "from" in change
            ? [{ name, path, from: change.from, written: valueAt(data, path.split(".")) }]
            : [],
        ),
      );
    });
    expect(replaced.length).toBeGreaterThan(0);
    for (const { name, path, from, written } of replaced) expect(written, `${name} ${path}`).toBe(from);
  });

  it("leaves a field that was edited to another as it is, and corrects it where it was not", () => {
    const latencyAt = (bytesPerSecond: string): number => {
      const source: SpecSource = {
        names: specFiles.names,
        read(kind, name, by) {
          const spec = specFiles.read(kind, name, by);
          if (spec === undefined || kind !== "architectures") return spec;
          const text = spec.text.replace(/(dram: .*bytesPerSecond:) 400 \* GiB/, `$1 ${bytesPerSecond}`);
          return { ...spec, text };
        },
      };
      const design = compileDesign(loadDesign(source, "fusemax"), { corrections: corrected.corrections });
      return evaluate(design, sizesOf(workloads[0] as never, 64), corrected).latencySeconds;
    };
    expect(latencyAt("400*GiB")).toBe(latencyAt("400e9"));
    expect(latencyAt("1e9")).toBeGreaterThan(10 * latencyAt("400e9"));
  });
});
