import { howMany } from "../../errors.js";
import type { SweepPoint } from "../../model/sweep.js";
import { type Journal, sayDropped } from "../journal.js";
import { startProgress } from "../progress.js";
import type { AskedSweep } from "./asked.js";
import { blockPoints, evaluateAll } from "./evaluate-all.js";
import { countPoints, type PointRange, type PointStore, unfinished } from "./points.js";

/**
 * Evaluates those of the wanted points that a store does not hold yet, with progress on stderr.
 * @param wanted ascending; gone through several times
 * @param file where the store keeps them, if it is one that is kept
 */
export async function finishPoints(
  { request, names }: AskedSweep,
  wanted: Iterable<PointRange>,
  store: PointStore | Journal<SweepPoint>,
  file: string | undefined,
): Promise<void> {
  const before = [...store.finished];
  const todo = () => unfinished(wanted, before, blockPoints);
  const [all, left] = [countPoints(wanted), countPoints(todo())];
  if ("droppedBytes" in store) sayDropped(file, store);
  let done = all - left;
  if (done > 0)
    process.stderr.write(
      `fusemax: ${done} of ${howMany(all, "point")} ${all === 1 ? "was" : "were"} finished before\n`,
    );
  const progress = await startProgress("sweep", "points", all, false, done);
  try {
    await evaluateAll(request, names, todo(), left, block => {
      store.append(block);
      done += block.points.length;
      progress.update(done);
    });
  } finally {
    progress.stop();
  }
}
