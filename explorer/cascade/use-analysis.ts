import { useThread } from "../use-thread.js";
import type { Analysis, AnalysisRequest } from "./analysis.js";

const startWorker = () => new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });

/** The analysis of the text as it is; null until the first is there. A newer text ends the analysis of an older one. */
export const useAnalysis = (name: string, text: string, shape: string): Analysis | null =>
  useThread<AnalysisRequest, Analysis>(
    startWorker,
    { name, text, shape },
    JSON.stringify([name, text, shape]),
    why => ({
      message: `Analysing this: ${why}; fusemax passes FILE has no such limit.`,
      excerpt: null,
    }),
  );
