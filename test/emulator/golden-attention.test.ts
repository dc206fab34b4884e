import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tensorShapes, valuesOf } from "../../src/attention/shape.js";
import { emulate } from "../../src/emulator/emulate.js";
import type { Engine } from "../../src/emulator/engine.js";
import { generateNormal } from "../../src/emulator/generate.js";
import { formatNames } from "../../src/numerics/format.js";
import { formatArithmetics } from "../../src/numerics/format-of.js";
import { engines } from "./engines.js";
import { goldenCases } from "./golden-cases.js";

describe.each(engines)("golden attention on $name", ({ open }) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await open();
  });
  afterAll(() => engine?.close());

  describe.each(goldenCases)("$what", ({ what: _, sha256, ...problem }) => {
    const generated = (name: "q" | "k" | "v"): Float32Array =>
      generateNormal(0, name, valuesOf(tensorShapes(problem.shape)[name]));
    const inputs = { q: generated("q"), k: generated("k"), v: generated("v") };
    it.each(formatNames)("%s", async name => {
      const run = await emulate({ ...problem, arithmetic: formatArithmetics[name] }, inputs, { engine });
      expect(run.sha256).toBe(sha256[name]);
    });
  });
});
