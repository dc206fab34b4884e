import type { State } from "../state.js";

/** What every panel gets: the state, and a way to change some of it. */
export interface PanelProps {
  readonly state: State;
  /** `keep` adds a step to the browser's history; without it (a slider on its way) the address is only updated. */
  readonly change: (part: Partial<State>, keep?: boolean) => void;
}
