import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { readState, type State, writeState } from "./state.js";

/** Browsers refuse an address that changes hundreds of times in a few seconds, as a dragged slider would. */
const addressMilliseconds = 150;

function read(): ReturnType<typeof readState> {
  const fragment = location.hash.replace(/^#/, "");
  try {
    return readState(decodeURI(fragment));
  } catch {
    return readState(fragment); // a stray % that is no escape
  }
}

/** Keeps the page's state and its address the same: back and forward work, and a copied link shows the same page. */
export function useAddress() {
  const [{ state, notes }, set] = useState(read);
  const current = useRef(state);
  current.current = state;
  const gesture = useRef<{ timer: number | undefined } | null>(null);

  useEffect(() => {
    const follow = () => set(read());
    window.addEventListener("popstate", follow);
    return () => window.removeEventListener("popstate", follow);
  }, []);

  /** The first change of a gesture adds a step to the history, those after it change that step, `keep` ends it. */
  const change = useCallback((part: Partial<State>, keep = false) => {
    const next = { ...current.current, ...part };
    current.current = next;
    set(before => ({ state: next, notes: before.notes }));
    const address = () => `#${writeState(current.current)}`;
    if (gesture.current === null) {
      if (address() !== location.hash) history.pushState(null, "", address());
      if (!keep) gesture.current = { timer: undefined };
      return;
    }
    clearTimeout(gesture.current.timer);
    if (keep) {
      history.replaceState(null, "", address());
      gesture.current = null;
    } else {
      gesture.current.timer = window.setTimeout(() => history.replaceState(null, "", address()), addressMilliseconds);
    }
  }, []);

  const dismiss = useCallback(() => set(before => ({ ...before, notes: [] })), []);
  return { state, notes, change, dismiss };
}
