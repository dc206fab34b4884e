import { existsSync } from "node:fs";
import { breather } from "../../emulator/breathe.js";
import { howMany } from "../../errors.js";
import type { MapperProblem } from "../../model/mapper/problem.js";
import { type SearchLimits, type SearchResult, searchRounds } from "../../model/mapper/search.js";
import { type SearchAnswer, Searcher, type SearchTask } from "../../model/mapper/searcher.js";
import { threadsThatFit } from "../../platform/address-space.js";
import { mostJobs } from "../../platform/jobs.js";
import { ThreadPool } from "../../platform/thread-pool.js";
import type { PointStore } from "../journal.js";
import { startProgress } from "../progress.js";
import type { MapThreadData } from "./worker.js";

/** Below so many tilings, starting threads takes longer than the search does. */
const worthThreads = 2000;
/** What `npm run build` makes; a thread cannot run TypeScript. */
const builtWorker = new URL("../../../dist/cli/map/worker.js", import.meta.url);

interface Step {
  readonly index: number;
  readonly task: SearchTask;
}
interface Answered {
  readonly index: number;
  readonly answer: SearchAnswer;
}

/**
 * Searches, with progress on stderr, on as many threads as --jobs allows. A step has the same number in every run of a search, so
 * that answers of a run before stand for the same steps.
 * @param store answers by their steps' numbers
 */
export async function search(
  problem: MapperProblem,
  limits: SearchLimits,
  thread: MapThreadData,
  store: PointStore<SearchAnswer> | undefined,
): Promise<SearchResult> {
  const searcher = new Searcher(problem);
  const rounds = searchRounds(searcher, limits);
  const known = new Map<number, SearchAnswer>();
  for (const { from, points } of store?.blocks() ?? []) {
    for (const [i, answer] of points.entries()) known.set(from + i, answer);
  }
  if (known.size > 0)
    process.stderr.write(
      `fusemax: ${howMany(known.size, "step")} of the search ${known.size === 1 ? "was" : "were"} finished before\n`,
    );
  const breathe = breather();
  let pool: ThreadPool<Step, Answered> | undefined;
  let round = rounds.next([]);
  const progress = await startProgress("map", "steps", round.done === true ? 0 : round.value.total, false);
  try {
    for (let begun = 0; round.done !== true; ) {
      const { tasks, done, total } = round.value;
      progress.update(done);
      const answers: SearchAnswer[] = [];
      const steps = tasks.map((task, i): Step => ({ index: begun + i, task }));
      const take = ({ index, answer }: Answered): void => {
        answers[index - begun] = answer;
        store?.append({ from: index, points: [answer] });
      };
      for (const { index } of steps) {
        const before = known.get(index);
        if (before !== undefined) answers[index - begun] = before;
      }
      const todo = steps.filter(({ index }) => answers[index - begun] === undefined);
      if (pool === undefined && todo.length > 1 && total >= 2 * worthThreads) pool = startPool(thread);
      if (pool !== undefined && todo.length > 1) {
        await pool.drain(todo.values(), take);
      } else {
        for (const { index, task } of todo) {
          take({ index, answer: searcher.answer(task) });
          await breathe();
        }
      }
      begun += tasks.length;
      round = rounds.next(answers);
    }
    return round.value;
  } finally {
    progress.stop();
    await pool?.end();
  }
}

/** Undefined where one thread is all there is. */
function startPool(data: MapThreadData): ThreadPool<Step, Answered> | undefined {
  const threads = Math.min(mostJobs(), threadsThatFit());
  return threads < 2 || !existsSync(builtWorker) ? undefined : new ThreadPool(builtWorker, data, threads, "search");
}
