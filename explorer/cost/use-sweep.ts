import { useEffect, useState } from "preact/hooks";
import type { State } from "../state.js";
import { type CostPoint, costOf } from "./designs.js";

/** The lengths of the charts over length: those of the paper (section VI) and the powers of two between them. */
export const sweptLengths: readonly number[] = Array.from({ length: 11 }, (_, i) => 2 ** (10 + i));

/** Work a frame, in milliseconds, so that a slider under way stays smooth. */
const sliceMilliseconds = 6;

/** Each design at every length. They fill in over the frames after a change, the chosen one's neighbours as early as any. */
export function useSweep(state: State, designs: readonly string[]): readonly CostPoint[] {
  const [points, setPoints] = useState<readonly CostPoint[]>([]);
  useEffect(() => {
    const todo = sweptLengths.flatMap(seq => designs.map(design => ({ design, seq })));
    const done: CostPoint[] = [];
    let timer = 0;
    const work = () => {
      const until = performance.now() + sliceMilliseconds;
      do {
        const next = todo[done.length];
        if (next === undefined) break;
        done.push(costOf(next.design, state, next.seq));
      } while (performance.now() < until);
      if (done.length === todo.length) setPoints(done);
      else timer = window.setTimeout(work);
    };
    timer = window.setTimeout(work);
    return () => clearTimeout(timer);
  }, [state, designs]);
  return points;
}
