import { useEffect, useMemo, useReducer, useRef } from "preact/hooks";
import type { State } from "../state.js";
import type { CostRequest } from "./designs.js";
import { type CostPoint, computeQuick, isKnown, knownPoint } from "./known-costs.js";
import { SlowLane } from "./slow-lane.js";

/** A design at a length, of which the cost is wanted. */
export interface Wanted {
  readonly design: string;
  readonly seq: number;
  /** Other settings than the page's: those that are compared with. */
  readonly of?: State;
}

const slowLane = new SlowLane();

/** Costs of several designs or lengths: of what is asked, or while that is not known as a whole, of what was asked before. */
export interface Shown {
  readonly points: readonly CostPoint[];
  readonly requests: readonly CostRequest[];
  readonly stale: boolean;
}

export interface Costs {
  readonly now: Shown;
  readonly later: Shown;
  /** Some results are not there yet. */
  readonly busy: boolean;
}

const areKnown = (requests: readonly CostRequest[]): boolean => requests.every(isKnown);

/** What designs cost: at once where that is quick, and as soon as a worker has it for the rest and for all of `later`. */
export function useCosts(state: State, now: readonly Wanted[], later: readonly Wanted[]): Costs {
  const [round, again] = useReducer((n: number, _: undefined) => n + 1, 0);
  useEffect(() => {
    slowLane.onResults = () => again(undefined);
  }, []);
  const move = useMemo(() => {
    const requests = (all: readonly Wanted[]) =>
      all.map(({ design, seq, of }): CostRequest => ({ design, seq, state: of ?? state, pinned: of !== undefined }));
    return { now: requests(now), later: requests(later) };
  }, [state, now, later]);
  const before = useRef<Costs | null>(null);
  const costs = useMemo((): Costs => {
    computeQuick(move.now);
    const show = (part: "now" | "later"): Shown => {
      const last = before.current?.[part];
      const isWhole = last?.points.every(({ evaluation, problem }) => (evaluation ?? problem) !== null) === true;
      const asked = [move, slowLane.move].map(m => m[part]).find(all => all.length > 0 && areKnown(all));
      const requests = asked ?? (isWhole ? last.requests : move[part]);
      const points = isWhole && requests === last.requests ? last.points : requests.map(knownPoint);
      return { points, requests, stale: requests !== move[part] };
    };
    return { now: show("now"), later: show("later"), busy: !areKnown([...move.now, ...move.later]) };
  }, [move, round]);
  before.current = costs;
  useEffect(() => slowLane.ask(move), [move]);
  return costs;
}
