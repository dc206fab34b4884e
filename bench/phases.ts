import { nodeWasmHost } from "fusemax/node";
import { BlockRunner } from "#fusemax/emulator/wasm/block";
import { openKernels } from "#fusemax/emulator/wasm/kernels";
import { type BenchCase, operandsOf, problemOf } from "./cases.js";

/** How one thread of the WebAssembly engine spends its time, in parts of the whole. */
export interface Phases {
  /** Steps 1 and 5: BQK and SLNV. */
  readonly products: number;
  /** Steps 2 to 4: the maximum, E2 and the sum of the numerators. */
  readonly exponentials: number;
  /** Packing, steps 6 and 7. */
  readonly rest: number;
}

/**
 * Takes a block of rows through the keys step by step for about a second. Step by step, the lane groups of a block get into
 * each other's scores, so the values are nobody's attention; the work is the same.
 */
export async function phasesOf(one: BenchCase): Promise<Phases> {
  const problem = problemOf(one);
  const { module } = await nodeWasmHost();
  const kernels = await openKernels(module, problem);
  const spent = { products: 0, exponentials: 0, rest: 0 };
  const timed = (phase: "products" | "exponentials", run: () => void): void => {
    const startedAt = performance.now();
    run();
    const time = performance.now() - startedAt;
    spent[phase] += time;
    spent.rest -= time;
  };
  const runner = new BlockRunner(problem, operandsOf(one), {
    ...kernels,
    scores: (...sizes) => timed("products", () => kernels.scores(...sizes)),
    values: (...sizes) => timed("products", () => kernels.values(...sizes)),
    softmax: groups => timed("exponentials", () => kernels.softmax(groups)),
  });
  const passFor = (milliseconds: number): void => {
    for (const end = performance.now() + milliseconds; performance.now() < end; ) {
      const startedAt = performance.now();
      const rows = runner.nextRows(0, one.seq);
      runner.load(rows);
      for (let key = 0; key < one.seq; key += problem.tile.m0) runner.passTileInSteps(rows, key);
      spent.rest += performance.now() - startedAt;
    }
  };
  passFor(300);
  for (const phase of ["products", "exponentials", "rest"] as const) spent[phase] = 0;
  passFor(1000);
  const all = spent.products + spent.exponentials + spent.rest;
  return { products: spent.products / all, exponentials: spent.exponentials / all, rest: spent.rest / all };
}
