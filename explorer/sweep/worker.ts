import { type CostRequest, type CostResult, computeCost } from "../cost/designs.js";

/** A cell of a sweep. */
export interface Cell {
  readonly index: number;
  readonly result: CostResult;
}

/** Cells handed back together, so that a page with thousands of them stays quick. */
const batchMilliseconds = 150;

/** Computes cells one after the other; the page ends the thread to cancel. */
addEventListener("message", ({ data }: MessageEvent<readonly (readonly [number, CostRequest])[]>) => {
  let cells: Cell[] = [];
  let last = performance.now();
  for (const [index, request] of data) {
    cells.push({ index, result: computeCost(request) });
    if (performance.now() - last < batchMilliseconds) continue;
    postMessage(cells);
    [cells, last] = [[], performance.now()];
  }
  postMessage(cells);
});
