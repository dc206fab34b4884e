import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cpuEngine } from "../../src/emulator/cpu.js";
import { emulate } from "../../src/emulator/emulate.js";
import type { Engine } from "../../src/emulator/engine.js";
import { hexOf, readVector, vectorNames } from "./vectors.js";

const engines: readonly { readonly name: string; readonly open: () => Promise<Engine> }[] = [
  { name: "cpu", open: async () => cpuEngine() },
  { name: "cpu, closures", open: async () => cpuEngine({ form: "closures" }) },
];

describe.each(engines)("arithmetics on $name", ({ open }) => {
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
});
