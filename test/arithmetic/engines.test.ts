import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cpuEngine } from "../../src/emulator/cpu.js";
import { emulate } from "../../src/emulator/emulate.js";
import type { Engine } from "../../src/emulator/engine.js";
import { wasmEngine } from "../../src/emulator/wasm/engine.js";
import { type FloatSpec, numberType } from "../../src/numerics/number-type.js";
import { nodeWasmHost } from "../../src/platform/wasm-host.js";
import { openTestEngine } from "../emulator/webgpu/adapter.js";
import { difference, engineOutcome, goldenOutcome } from "./random.js";
import { randomCase } from "./random-case.js";
import { hexOf, readVector, vectorNames } from "./vectors.js";

/** `npm run test:arithmetic` tries more. */
const cases = Number(process.env["FUSEMAX_ARITHMETIC_CASES"] ?? 100);

const allEngines: readonly { readonly name: string; readonly share: number; readonly open: () => Promise<Engine> }[] = [
  { name: "cpu", share: 1, open: async () => cpuEngine() },
  { name: "wasm", share: 1, open: async () => wasmEngine(await nodeWasmHost()) },
  // A software adapter takes a second to compile a program.
  { name: "webgpu", share: 0.04, open: () => openTestEngine() },
  // Multiply-adds of one rounding are made of float64 sums where the machine's are not known to be.
  { name: "wasm, not fused", share: 0.4, open: async () => wasmEngine(await nodeWasmHost({ fused: false })) },
  { name: "cpu, closures", share: 0.2, open: async () => cpuEngine({ form: "closures" }) },
];
/** All, or those whose name begins with FUSEMAX_TEST_ENGINES (`npm run test:lavapipe`). */
const engines = allEngines.filter(({ name }) => name.startsWith(process.env["FUSEMAX_TEST_ENGINES"] ?? ""));

describe.each(engines)("arithmetics on $name", ({ share, open }) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await open();
  });
  afterAll(() => engine?.close());

  it.each(vectorNames)("gives the bits of %s", async name => {
    const { problem, inputs, av } = readVector(name);
    const run = await emulate(problem, inputs, { engine });
    expect(hexOf(run.av)).toEqual(av);
  });

  const law = (runs: number, types?: readonly FloatSpec[]): Promise<void> =>
    fc.assert(
      fc.asyncProperty(fc.nat(2 ** 31 - 1), async seed => {
        const one = randomCase(seed, types);
        expect(difference(one, goldenOutcome(one), await engineOutcome(one, engine))).toBeNull();
      }),
      { numRuns: Math.ceil(runs * share), endOnFailure: true },
    );

  it(
    "law: has the golden bits in any arithmetic, whatever the shape, mask, tile, split and values, or refuses as it does",
    () => law(cases),
    60_000 + 100 * cases,
  );

  // 2^offset is no value of fp32 then, and what it is times the first correction depends on whether it was made one.
  it("law: a sink's denominator begins at fp32's nearest value to 2^offset", async () => {
    let tried = 0;
    for (let seed = 0; tried < Math.ceil(25 * share); seed += 1) {
      const { problem, inputs } = randomCase(seed);
      const { arithmetic } = problem;
      if (inputs.sink === undefined || arithmetic.accumulator !== "fp32" || arithmetic.offset === 0) continue;
      tried += 1;
      const one = { problem: { ...problem, arithmetic: { ...arithmetic, offset: Math.fround(8.807) } }, inputs };
      expect(difference(one, goldenOutcome(one), await engineOutcome(one, engine)), `seed ${seed}`).toBeNull();
    }
  });

  // The entry is all there is to a type: rounders, limits, printed code and exponents of steps derive from it.
  it("has them in a type that is one entry more", () => law(Math.min(cases, 40), [e3m4]), 60_000);
});

const e3m4 = numberType("fp8-e3m4", { significandBits: 5, leastExponent: -2, largest: 15.5, storageBits: 8 });
