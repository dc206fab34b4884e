import { type GenerateStretches, generateHere } from "../emulator/generate.js";
import { onThreads, threadCount } from "./threads.js";

/** Stretches that take as long as threads take to start. */
const fewStretches = 8;

/** Generated values on all cores, where that pays: they depend on seed, tensor and index alone, not on who makes them. */
export const generateOnThreads: GenerateStretches = stretches =>
  stretches.length <= fewStretches || threadCount() < 1
    ? generateHere(stretches)
    : onThreads("normal-worker.js", stretches);
