import fc from "fast-check";
import { expect, it } from "vitest";
import { allRows } from "../../../src/attention/rows.js";
import { BlockRunner } from "../../../src/emulator/wasm/block.js";
import { openKernels } from "../../../src/emulator/wasm/kernels.js";
import { nodeWasmHost } from "../../../src/platform/wasm-host.js";
import { cases } from "../../properties/arbitrary.js";
import { expectSameBits } from "../../properties/run.js";

const builds = { plain: await nodeWasmHost({ fused: false }), fused: await nodeWasmHost() };

it.each(Object.entries(builds))("law: kernels that store what a dump asks for give the same AV (%s)", (_, { module }) =>
  fc.assert(
    fc.asyncProperty(cases({ queries: 20, keys: 40, dim: 6 }), async ({ problem, operands }) => {
      const [plain, dumping] = [await openKernels(module, problem), await openKernels(module, problem)];
      dumping.dumpTo();
      const run = (kernels: typeof plain) => {
        const block = new BlockRunner(problem, operands, kernels).run(allRows(problem), () => false);
        return block ?? expect.fail("stopped");
      };
      const [expected, got] = [run(plain), run(dumping)];
      expect(got.overflowRow).toBe(expected.overflowRow);
      expect(got.tiles).toBe(expected.tiles);
      expectSameBits(got.av, expected.av);
    }),
    { numRuns: 60 },
  ),
);
