import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { emulate } from "../../src/emulator/emulate.js";
import type { Engine } from "../../src/emulator/engine.js";
import { openTestEngine } from "../emulator/webgpu/adapter.js";
import { hexOf, readVector, vectorNames } from "./vectors.js";

describe("arithmetics in WGSL", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await openTestEngine();
  }, 60_000);
  afterAll(() => engine.close(), 60_000);

  it.each(vectorNames)(
    "gives the bits of %s",
    async name => {
      const { problem, inputs, av } = readVector(name);
      const run = await emulate(problem, inputs, { engine });
      expect(hexOf(run.av)).toEqual(av);
    },
    60_000,
  );
});
