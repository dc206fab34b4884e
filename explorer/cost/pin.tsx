import type { PanelProps } from "../panels/props.js";
import { type State, withoutPin, writeState } from "../state.js";
import { workloadWords } from "./words.js";

/** Keeps the settings as they are beside those to come, or says which are kept. */
export function Pin({ state, change, pinned }: PanelProps & { readonly pinned: State | null }) {
  if (pinned === null) {
    return (
      <p class="exports wide">
        <button type="button" onClick={() => change({ pin: writeState(withoutPin(state)) }, true)}>
          Pin these settings to compare
        </button>
      </p>
    );
  }
  return (
    <p class="exports wide notes">
      <span>
        Pinned: {workloadWords(pinned)}. {hardwareWords(pinned)}
      </span>
      <button type="button" onClick={() => change({ ...pinned, pin: writeState(withoutPin(state)) }, true)}>
        Swap
      </button>
      <button type="button" onClick={() => change({ pin: "" }, true)}>
        Unpin
      </button>
    </p>
  );
}

const hardwareWords = ({ rows, columns, buffer, bandwidth, frequency }: State): string =>
  `Array ${rows} × ${columns}, buffer × ${buffer}, ${bandwidth} GB/s, ${frequency} MHz.`;
