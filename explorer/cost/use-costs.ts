import { useEffect, useMemo, useReducer } from "preact/hooks";
import type { State } from "../state.js";
import {
  type CostPoint,
  type CostRequest,
  type CostResult,
  costKey,
  foundCost,
  pointOf,
  quickCost,
  remember,
} from "./designs.js";

/** A design at a length, of which the cost is wanted. */
export interface Wanted {
  readonly design: string;
  readonly seq: number;
}

/** One worker for all that is too slow for a frame: the newest requests only, one at a time, in their order. */
class SlowLane {
  /** Told that results are there. */
  onResults = (): void => undefined;
  private worker: Worker | null = null;
  private waiting: readonly CostRequest[] = [];
  /** How many of those that wait are to be shown as soon as they are there; the others together. */
  private urgent = 0;
  private underWay: CostRequest | null = null;

  ask(now: readonly CostRequest[], later: readonly CostRequest[]): void {
    const busyWith = this.underWay === null ? "" : costKey(this.underWay);
    const isNew = (request: CostRequest): boolean => costKey(request) !== busyWith;
    const urgent = now.filter(isNew);
    this.waiting = [...urgent, ...later.filter(isNew)];
    this.urgent = urgent.length;
    this.sendNext();
  }

  private sendNext(): void {
    const [next, ...rest] = this.waiting;
    if (this.underWay !== null || next === undefined) return;
    this.waiting = rest;
    this.underWay = next;
    this.worker ??= this.start();
    this.worker.postMessage(next);
  }

  private start(): Worker {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    const take = (result: CostResult): void => {
      if (this.underWay !== null) remember(this.underWay, result);
      this.underWay = null;
      this.urgent -= 1;
      if (this.urgent >= 0 || this.waiting.length === 0) this.onResults();
      this.sendNext();
    };
    worker.addEventListener("message", ({ data }: MessageEvent<CostResult>) => take(data));
    worker.addEventListener("error", event => take(`this could not be computed: ${event.message}`));
    return worker;
  }
}

const slowLane = new SlowLane();

export interface Costs {
  /** In the order asked; without evaluation and problem where the result is not there yet. */
  readonly now: readonly CostPoint[];
  readonly later: readonly CostPoint[];
  /** Some results are not there yet. */
  readonly busy: boolean;
}

/** What designs cost: at once where that is quick, and as soon as a worker has it for the rest and for all of `later`. */
export function useCosts(state: State, now: readonly Wanted[], later: readonly Wanted[]): Costs {
  const [turn, again] = useReducer((n: number, _: undefined) => n + 1, 0);
  useEffect(() => {
    slowLane.onResults = () => again(undefined);
  }, []);
  const found = useMemo(() => {
    const urgent = now.map((wanted): CostRequest => ({ ...wanted, state }));
    const others = later.map((wanted): CostRequest => ({ ...wanted, state }));
    const [first, rest] = [urgent.map(quickCost), others.map(foundCost)];
    return {
      now: urgent.map((request, i) => pointOf(request, first[i] ?? null)),
      later: others.map((request, i) => pointOf(request, rest[i] ?? null)),
      missingNow: urgent.filter((_, i) => first[i] === null),
      missingLater: others.filter((_, i) => rest[i] === null),
    };
  }, [state, now, later, turn]);
  useEffect(() => slowLane.ask(found.missingNow, found.missingLater), [found]);
  return { ...found, busy: found.missingNow.length + found.missingLater.length > 0 };
}
