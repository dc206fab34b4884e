import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { maskOf } from "../../src/attention/mask.js";
import { rowAt } from "../../src/attention/rows.js";
import { cpuEngine } from "../../src/emulator/cpu.js";
import { interpretRow } from "../../src/emulator/interpreter.js";
import { dumpProgram } from "../../src/emulator/javascript/dump.js";
import { cascadeOf } from "../../src/emulator/program-of.js";
import { dumpTensors } from "../../src/emulator/tile-dump.js";
import { type Case, cases } from "../properties/arbitrary.js";
import { expectSameBits } from "../properties/run.js";
import { library } from "./cascades.js";

const wide = cases({ formats: ["bf16", "fp16", "fp32", "bf16-strict"], kinds: ["normal", "ties"], dim: 5, keys: 20 });
const withTile = wide.chain(one => {
  const { shape, tile } = one.problem;
  const upTo = (n: number): fc.Arbitrary<number> => fc.nat(n - 1);
  return fc.record({
    one: fc.constant(one),
    at: fc.record({
      b: upTo(shape.batch),
      h: upTo(shape.heads),
      m1: upTo(Math.ceil(shape.keys / tile.m0)),
      p1: upTo(Math.ceil(shape.queries / tile.p0)),
    }),
  });
});

describe("the dump of a printed program", () => {
  it("is that of FuseMax's kernels for FuseMax's cascade", async () => {
    await fc.assert(
      fc.asyncProperty(withTile, async ({ one: { problem, operands }, at }) => {
        const session = await cpuEngine().open(problem, operands);
        const expected = await session.dump(at);
        const dumped = dumpProgram({ ...problem, cascade: library("attention-1-pass") }, operands, at) ?? [];
        const byName = new Map(dumped.map(tensor => [tensor.name, tensor]));
        for (const [key, { name }] of Object.entries(dumpTensors)) {
          const values = expected[key as keyof typeof dumpTensors];
          expectSameBits(byName.get(name)?.values ?? new Float32Array(0), values, name);
        }
        expect([...(byName.get("exists")?.values ?? [])]).toEqual([...expected.exists]);
      }),
      { numRuns: 40 },
    );
  });

  it("has what the interpreter has of every key that is seen, in two and in three passes", () => {
    const check = ({ problem: given, operands }: Case, at: { b: number; h: number; m1: number; p1: number }): void => {
      for (const name of ["attention-2-pass", "attention-3-pass"]) {
        const problem = { ...given, cascade: library(name) };
        const cascade = cascadeOf(problem);
        if (cascade === null) throw new Error("no cascade");
        const mask = maskOf(problem);
        const tensors = new Map((dumpProgram(problem, operands, at) ?? []).map(tensor => [tensor.name, tensor]));
        const perKey = name === "attention-2-pass" ? ["BQK", "SLN", "SN"] : ["QK", "SN", "A"];
        const columns = tensors.get("exists")?.shape[1] ?? 0;
        const { m0 } = problem.tile;
        for (let p = 0; p < columns; p += 1) {
          const row = rowAt(problem.shape, { b: at.b, h: at.h, p: at.p1 * problem.tile.p0 + p });
          const golden = interpretRow(problem, cascade, operands, row);
          for (const tensor of perKey) {
            const { values, shape } = tensors.get(tensor) ?? { values: new Float32Array(0), shape: [0] };
            for (let m = 0; m < (shape[0] ?? 0); m += 1) {
              const key = at.m1 * Math.min(m0, problem.shape.keys) + m;
              const wanted = mask.sees(row, key) ? golden?.get(tensor)?.data[key] : 0;
              expect([tensor, p, m, values[m * columns + p]]).toEqual([tensor, p, m, wanted]);
            }
          }
          const gm = mask.span(row).from < mask.span(row).to ? golden?.get("GM")?.data[0] : 0;
          expect(["GM", tensors.get("GM")?.values[p]]).toEqual(["GM", gm]);
        }
      }
    };
    fc.assert(
      fc.property(withTile, ({ one, at }) => check(one, at)),
      { numRuns: 25 },
    );
  });
});
