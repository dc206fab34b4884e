import { type CostRequest, computeCost } from "./designs.js";

/** Evaluations that take longer than a frame: simulated schedules, searched mappings. */
addEventListener("message", ({ data }: MessageEvent<CostRequest>) => postMessage(computeCost(data)));
