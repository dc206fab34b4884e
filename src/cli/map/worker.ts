import { parentPort, workerData } from "node:worker_threads";
import { specFiles } from "../../io/spec-files.js";
import type { Accounting } from "../../model/accounting.js";
import { Searcher, type SearchTask } from "../../model/mapper/searcher.js";
import { type MapNames, problemOf, readMap } from "./request.js";

/** What a thread of a search is told. */
export interface MapThreadData {
  readonly names: MapNames;
  readonly accounting: Accounting;
}

// A thread that answers the steps of a search: a SearchTask in, a SearchAnswer out.

const { names, accounting } = workerData as MapThreadData;
const searcher = new Searcher(problemOf(readMap(specFiles, names), accounting, names));

parentPort?.on("message", ({ index, task }: { readonly index: number; readonly task: SearchTask }) => {
  parentPort?.postMessage({ index, answer: searcher.answer(task) });
});
