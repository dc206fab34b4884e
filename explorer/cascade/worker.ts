import { type AnalysisRequest, analyse } from "./analysis.js";

/** The analysis in a thread of its own: however large the text, the page stays alive. */
addEventListener("message", ({ data }: MessageEvent<AnalysisRequest>) => postMessage(analyse(data)));
