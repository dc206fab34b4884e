import { createStore } from "../store.js";
import type { DroppedInputs } from "./files.js";
import type { FromRun, RunOutcome, RunRequest, Step } from "./request.js";
import type { Settings } from "./settings.js";

/** Files that take the place of generated inputs. They are no part of a link. */
export interface Dropped extends DroppedInputs {
  readonly files: readonly File[];
}

/** A result with what it is of. */
export interface Result extends RunOutcome {
  readonly settings: Settings;
}

/** A run that is wanted. */
export interface Wanted {
  readonly request: RunRequest;
  readonly settings: Settings;
}

/** What Numerics holds. It stays while another part of the page is open, a run under way included. */
export interface Session {
  /** What is under way, or null. */
  readonly step: Step | null;
  /** Why the last run failed, or null. */
  readonly failure: string | null;
  readonly results: readonly Result[];
  /** Results of the pinned settings; empty where they have not been run here. */
  readonly pinned: readonly Result[];
  readonly dropped: Dropped | null;
  /** Files that masks name. They are no part of a link either. */
  readonly maskFiles: readonly File[];
  /** What is wrong with the files given last. */
  readonly wrongFiles: string;
}

export const session = createStore<Session>({
  step: null,
  failure: null,
  results: [],
  pinned: [],
  dropped: null,
  maskFiles: [],
  wrongFiles: "",
});

let worker: Worker | null = null;

/** Ends the run under way; results that are there stay. */
export function cancelRun(): void {
  worker?.terminate();
  worker = null;
  session.set({ step: null });
}

function startWorker(): Worker | null {
  try {
    return new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  } catch {
    return null;
  }
}

/** Runs one after the other in a worker; what was under way is cancelled. Earlier results stay until the first new one. */
export function startRuns(wanted: readonly Wanted[], done: (results: readonly Result[]) => void): void {
  cancelRun();
  session.set({ failure: null });
  const waiting = [...wanted];
  let results: readonly Result[] = [];
  const next = () => {
    const first = waiting.shift();
    if (first === undefined) {
      cancelRun();
      done(results);
      return;
    }
    const { request, settings } = first;
    const thread = startWorker();
    if (thread === null) {
      session.set({ failure: "This browser starts no worker, in which runs are computed." });
      return;
    }
    worker = thread;
    const name = settings["arithmetic"] ?? request.problem.arithmetic.name;
    session.set({ step: { what: `Starting ${name}`, share: 0 } });
    const fail = (message: string) => {
      cancelRun();
      session.set({ failure: message });
    };
    thread.addEventListener("error", event => fail(`The worker could not go on: ${event.message}`));
    thread.addEventListener("message", ({ data }: MessageEvent<FromRun>) => {
      if (data.type === "step") session.set({ step: { ...data.step, what: `${name}: ${data.step.what}` } });
      else if (data.type === "failed") fail(data.message);
      else {
        results = [...results, { ...data.outcome, settings }];
        session.set({ results });
        thread.terminate();
        next();
      }
    });
    thread.postMessage(request);
  };
  next();
}
