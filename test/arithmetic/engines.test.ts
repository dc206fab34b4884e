import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cpuEngine } from "../../src/emulator/cpu.js";
import { emulate } from "../../src/emulator/emulate.js";
import type { Engine } from "../../src/emulator/engine.js";
import { wasmEngine } from "../../src/emulator/wasm/engine.js";
import { nodeWasmHost } from "../../src/platform/wasm-host.js";
import { difference, engineOutcome, goldenOutcome } from "./random.js";
import { randomCase } from "./random-case.js";
import { hexOf, readVector, vectorNames } from "./vectors.js";

/** `npm run test:arithmetic` tries more. */
const cases = Number(process.env["FUSEMAX_ARITHMETIC_CASES"] ?? 150);

const engines: readonly { readonly name: string; readonly share: number; readonly open: () => Promise<Engine> }[] = [
  { name: "cpu", share: 1, open: async () => cpuEngine() },
  { name: "wasm", share: 1, open: async () => wasmEngine(await nodeWasmHost()) },
  { name: "cpu, closures", share: 0.2, open: async () => cpuEngine({ form: "closures" }) },
];

describe.each(engines)("arithmetics on $name", ({ name: engineName, share, open }) => {
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

  it(
    "law: has the golden bits in any arithmetic, whatever the shape, mask, tile, split and values, or refuses as it does",
    () =>
      fc.assert(
        fc.asyncProperty(fc.nat(2 ** 31 - 1), async seed => {
          const one = randomCase(seed);
          const wanted = goldenOutcome(one);
          expect(difference(seed, engineName, wanted, await engineOutcome(one, engine))).toBeNull();
        }),
        { numRuns: Math.ceil(cases * share), endOnFailure: true },
      ),
    60_000 + 100 * cases,
  );
});
