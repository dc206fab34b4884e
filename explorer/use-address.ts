import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { readState, type State, settled, writeState } from "./state.js";

/** Browsers refuse an address that changes hundreds of times in a few seconds, as a dragged slider would. */
const addressMilliseconds = 150;

/** Changes of the same settings that follow each other within this time are one step of the history. */
const gestureMilliseconds = 1000;

/** The last change: of which settings, when, and what is still to be written into the address. */
interface Gesture {
  timer: number | undefined;
  readonly fields: string;
  readonly at: number;
}

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
  const gesture = useRef<Gesture>({ timer: undefined, fields: "", at: Number.NEGATIVE_INFINITY });

  useEffect(() => {
    const follow = () => set(read());
    window.addEventListener("popstate", follow);
    return () => window.removeEventListener("popstate", follow);
  }, []);

  /**
   * A change of other settings than the last, or some time after it, adds a step to the history; what follows at once (a slider
   * on its way, one key after the other) changes that step.
   */
  const change = useCallback((part: Partial<State>, keep = false) => {
    const { state: next, notes: changed } = settled({ ...current.current, ...part });
    current.current = next;
    set(before => ({ state: next, notes: changed.length > 0 ? changed : before.notes }));
    const address = () => `#${writeState(current.current)}`;
    const fields = Object.keys(part).join();
    const { timer, fields: before, at } = gesture.current;
    clearTimeout(timer);
    const goesOn = fields === before && performance.now() - at < gestureMilliseconds;
    gesture.current = { timer: undefined, fields, at: performance.now() };
    if (!goesOn) {
      if (address() !== location.hash) history.pushState(null, "", address());
    } else if (keep) {
      history.replaceState(null, "", address());
    } else {
      gesture.current.timer = window.setTimeout(() => history.replaceState(null, "", address()), addressMilliseconds);
    }
  }, []);

  const dismiss = useCallback(() => set(before => ({ ...before, notes: [] })), []);
  return { state, notes, change, dismiss };
}
