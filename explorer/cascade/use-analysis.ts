import { useEffect, useRef, useState } from "preact/hooks";
import type { Analysis } from "./analysis.js";

/** Longer than any cascade within the limits was seen to take. */
const patienceMilliseconds = 10_000;

/** The analysis of the text as it is; null until the first is there. A newer text ends the analysis of an older one. */
export function useAnalysis(name: string, text: string, shape: string): Analysis | null {
  const worker = useRef<Worker | null>(null);
  const [analysis, setAnalysis] = useState<Analysis | null>(null);
  useEffect(() => {
    worker.current ??= new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    const thread = worker.current;
    let waiting = true;
    const end = () => {
      thread.terminate();
      worker.current = null;
    };
    const take = ({ data }: MessageEvent<Analysis>) => {
      waiting = false;
      clearTimeout(timer);
      setAnalysis(data);
    };
    const fail = (message: string) => {
      waiting = false;
      end();
      setAnalysis({ message, excerpt: null });
    };
    const timer = setTimeout(
      () => fail("This takes too long to analyse in a page; fusemax passes FILE has no such limit."),
      patienceMilliseconds,
    );
    thread.addEventListener("message", take, { once: true });
    thread.onerror = event => fail(`The analysis ended in an error: ${event.message}`);
    thread.postMessage({ name, text, shape });
    return () => {
      clearTimeout(timer);
      thread.removeEventListener("message", take);
      if (waiting) end();
    };
  }, [name, text, shape]);
  useEffect(() => () => worker.current?.terminate(), []);
  return analysis;
}
