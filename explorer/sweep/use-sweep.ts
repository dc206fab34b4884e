import { useEffect, useState } from "preact/hooks";
import type { CostResult } from "../cost/designs.js";
import type { Grid } from "./grid.js";
import type { Cell } from "./worker.js";

export interface Sweep {
  /** By cell; null where it is not there yet, or was given up. */
  readonly results: readonly (CostResult | null)[];
  readonly done: number;
  /** Some cells are under way. */
  readonly busy: boolean;
  /** Gives up what is not there yet. */
  readonly stop: () => void;
}

const mostThreads = 4;
/** A hand that is still on a slider begins no sweep. */
const settledMilliseconds = 250;

/** Computes a grid in workers, or nothing; a newer grid ends an older one. */
export function useSweep(grid: Grid | null): Sweep {
  const [results, setResults] = useState<readonly (CostResult | null)[]>([]);
  const [stop, setStop] = useState<(() => void) | null>(null);
  useEffect(() => {
    if (grid === null) {
      setResults([]);
      return undefined;
    }
    const { requests } = grid;
    const threads = Math.max(1, Math.min(mostThreads, (navigator.hardwareConcurrency || 2) - 1));
    const workers: Worker[] = [];
    const end = () => {
      clearTimeout(timer);
      for (const worker of workers) worker.terminate();
      setStop(null);
    };
    const start = () => {
      setResults(requests.map(() => null));
      let left = requests.length;
      for (let thread = 0; thread < threads; thread += 1) {
        const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
        workers.push(worker);
        worker.addEventListener("message", ({ data }: MessageEvent<readonly Cell[]>) => {
          setResults(before => {
            const next = [...before];
            for (const { index, result } of data) next[index] = result;
            return next;
          });
          left -= data.length;
          if (left === 0) end();
        });
        worker.postMessage(requests.map((request, i) => [i, request] as const).filter(([i]) => i % threads === thread));
      }
    };
    const timer = setTimeout(start, settledMilliseconds);
    setStop(() => end);
    return end;
  }, [grid]);
  const done = results.reduce((sum, result) => sum + (result === null ? 0 : 1), 0);
  return { results, done, busy: stop !== null, stop: stop ?? (() => undefined) };
}
