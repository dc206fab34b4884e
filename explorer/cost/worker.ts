import type { CostRequest } from "./designs.js";
import { timedCost } from "./known-costs.js";

/** Evaluations that take longer than a frame: simulated schedules, searched mappings. */
addEventListener("message", ({ data }: MessageEvent<CostRequest>) => postMessage(timedCost(data)));
