import { useEffect, useState } from "preact/hooks";
import type { ScheduleAnswer, ScheduleRequest } from "./request.js";

/** The worker's answer to the request as it is now, none to no request; the last one stays until then. A newer request ends an older one. */
export function useSchedule(request: ScheduleRequest | null): {
  readonly answer: ScheduleAnswer | null;
  readonly busy: boolean;
} {
  const key = JSON.stringify(request);
  const [known, setKnown] = useState<{ readonly key: string; readonly answer: ScheduleAnswer } | null>(null);
  useEffect(() => {
    if (request === null) return undefined;
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    const take = (answer: ScheduleAnswer) => {
      setKnown({ key, answer });
      worker.terminate();
    };
    worker.addEventListener("message", ({ data }: MessageEvent<ScheduleAnswer>) => take(data));
    worker.addEventListener("error", event =>
      take({ type: "failed", message: `The simulation failed: ${event.message}` }),
    );
    worker.postMessage(request);
    return () => worker.terminate();
  }, [key]);
  return request === null ? { answer: null, busy: false } : { answer: known?.answer ?? null, busy: known?.key !== key };
}
