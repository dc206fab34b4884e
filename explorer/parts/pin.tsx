import { fitsLink, keepHere } from "../design/link.js";
import type { PanelProps } from "../panels/props.js";
import { type State, withoutPin, writeState } from "../state.js";

interface PinProps extends PanelProps {
  readonly pinned: State | null;
  /** What of the settings matters to this part, in words. */
  readonly words: (state: State) => string;
  /** Told when what is pinned changes: where a part keeps more than settings of it. */
  readonly on?: (what: "pin" | "swap" | "unpin") => void;
}

/** Keeps the settings as they are beside those to come, or says which are kept. */
export function Pin({ state, change, pinned, words, on }: PinProps) {
  const pin = writeState(withoutPin(state));
  const go = (what: "pin" | "swap" | "unpin", part: Partial<State>) => {
    on?.(what);
    if (part.pinnedOwn != null && !fitsLink(part.pinnedOwn)) keepHere(part.pinnedOwn, "pinned");
    change(part, true);
  };
  if (pinned === null) {
    return (
      <p class="exports wide">
        <button type="button" onClick={() => go("pin", { pin, pinnedOwn: state.own })}>
          Pin these settings to compare
        </button>
      </p>
    );
  }
  // What is no part of a pin stays.
  const { panel, source, ownArithmetic, own, laws } = state;
  const swapped = { ...pinned, panel, source, ownArithmetic, laws, own: pinned.own ?? own, pin, pinnedOwn: own };
  return (
    <p class="exports wide notes">
      <span>
        Pinned: {words(pinned)}
        {pinned.own !== null && pinned.own !== own && "; of your design the text that it had then"}
      </span>
      <button type="button" onClick={() => go("swap", swapped)}>
        Swap
      </button>
      <button type="button" onClick={() => go("unpin", { pin: "", pinnedOwn: null })}>
        Unpin
      </button>
    </p>
  );
}
