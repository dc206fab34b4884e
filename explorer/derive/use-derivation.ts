import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Derived, DeriveRequest, FromDerive, ToDerive, Wrong } from "./request.js";

export interface Derivation {
  /** What was asked last and is there; null until the first is. */
  readonly derived: Derived | null;
  /** By step, how its values compare with the first's; empty until they are run. */
  readonly checks: readonly (string | null)[];
  readonly wrong: Wrong | null;
  /** How far a search is, from 0 to 1; null where there is none. */
  readonly searched: number | null;
  /** Looks for the laws that lead on to the fewest passes. */
  readonly search: (found: (laws: readonly string[]) => void) => void;
  readonly cancel: () => void;
}

const nothing = { derived: null, checks: [], wrong: null, searched: null };

/** Derives in a worker; a newer request ends what an older one still does. */
export function useDerivation(request: DeriveRequest): Derivation {
  const worker = useRef<Worker | null>(null);
  const asked = useRef({ id: 0, open: false, found: (_: readonly string[]): void => undefined });
  const [known, setKnown] = useState<Omit<Derivation, "search" | "cancel">>(nothing);
  const key = JSON.stringify(request);

  const ask = useCallback((what: ToDerive["ask"], wanted: DeriveRequest) => {
    // A thread that is at work answers nothing else.
    if (asked.current.open) end(worker);
    worker.current ??= new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    const id = asked.current.id + 1;
    asked.current = { ...asked.current, id, open: true };
    const done = (part: Partial<typeof known>, open = false) => {
      asked.current.open = open;
      setKnown(before => ({ ...before, searched: null, ...part }));
    };
    worker.current.onmessage = ({ data }: MessageEvent<FromDerive>) => {
      if (data.id !== id) return;
      if (data.type === "derived") done({ derived: data.derived, checks: [], wrong: null }, true);
      else if (data.type === "checked") done({ checks: data.checks });
      else if (data.type === "looking") done({ searched: Math.min(1, data.looked / data.budget) }, true);
      else if (data.type === "wrong") done({ wrong: data.wrong });
      else {
        done({});
        asked.current.found(data.laws);
      }
    };
    worker.current.onerror = event => {
      end(worker);
      done({ wrong: { message: `The derivation ended in an error: ${event.message}`, excerpt: null } });
    };
    worker.current.postMessage({ id, request: wanted, ask: what } satisfies ToDerive);
  }, []);

  useEffect(() => ask("steps", JSON.parse(key) as DeriveRequest), [key, ask]);
  useEffect(() => () => end(worker), []);
  const search = useCallback(
    (found: (laws: readonly string[]) => void) => {
      asked.current.found = found;
      setKnown(before => ({ ...before, searched: 0 }));
      ask("search", JSON.parse(key) as DeriveRequest);
    },
    [key, ask],
  );
  const cancel = useCallback(() => {
    end(worker);
    asked.current.open = false;
    setKnown(before => ({ ...before, searched: null }));
  }, []);
  return { ...known, search, cancel };
}

function end(worker: { current: Worker | null }): void {
  worker.current?.terminate();
  worker.current = null;
}
