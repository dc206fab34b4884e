import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { FromRun, RunOutcome, RunRequest, Step } from "./request.js";

export interface Runs {
  /** What is under way, or null. */
  readonly step: Step | null;
  /** Why the last run failed, or null. */
  readonly failure: string | null;
  readonly outcomes: readonly RunOutcome[];
  /** Runs one after the other; what was under way is cancelled, earlier outcomes are dropped. */
  readonly start: (requests: readonly RunRequest[]) => void;
  readonly cancel: () => void;
}

/** Runs in a worker, one at a time. */
export function useRun(): Runs {
  const worker = useRef<Worker | null>(null);
  const [step, setStep] = useState<Step | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const [outcomes, setOutcomes] = useState<readonly RunOutcome[]>([]);

  const cancel = useCallback(() => {
    worker.current?.terminate();
    worker.current = null;
    setStep(null);
  }, []);

  const start = useCallback(
    (requests: readonly RunRequest[]) => {
      cancel();
      setFailure(null);
      setOutcomes([]);
      const waiting = [...requests];
      const next = () => {
        const request = waiting.shift();
        if (request === undefined) return cancel();
        const thread = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
        worker.current = thread;
        setStep({ what: `Starting ${request.problem.arithmetic.name}`, share: 0 });
        const fail = (message: string) => {
          cancel();
          setFailure(message);
        };
        thread.addEventListener("error", event => fail(`The worker could not go on: ${event.message}`));
        thread.addEventListener("message", ({ data }: MessageEvent<FromRun>) => {
          if (data.type === "step") {
            setStep({ ...data.step, what: `${request.problem.arithmetic.name}: ${data.step.what}` });
          } else if (data.type === "failed") fail(data.message);
          else {
            setOutcomes(before => [...before, data.outcome]);
            thread.terminate();
            next();
          }
        });
        thread.postMessage(request);
      };
      next();
    },
    [cancel],
  );

  useEffect(() => cancel, [cancel]);
  return { step, failure, outcomes, start, cancel };
}
