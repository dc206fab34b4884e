import { workerData } from "node:worker_threads";
import { type ComparisonTask, rowComparer } from "../emulator/compared-rows.js";
import { answerTasks } from "./answer-tasks.js";

/** A worker thread that computes what emulated rows are compared with. */
answerTasks(rowComparer(workerData as ComparisonTask));
