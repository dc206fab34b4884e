import { type CheckRequest, checkDesign } from "./check.js";

/** The check in a thread of its own: whatever the texts say, the page stays alive. */
addEventListener("message", ({ data }: MessageEvent<CheckRequest>) => postMessage(checkDesign(data)));
