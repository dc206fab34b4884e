import type { ComponentChildren, ComponentType } from "preact";
import { useEffect, useErrorBoundary, useState } from "preact/hooks";
import { Notes } from "./parts/notes.js";
import { initialState, type Panel, panels, type State, writeState } from "./state.js";
import { useAddress } from "./use-address.js";

/** What every panel gets: the state, and a way to change some of it. */
export interface PanelProps {
  readonly state: State;
  /** `keep` adds a step to the browser's history; without it (a slider on its way) the address is only updated. */
  readonly change: (part: Partial<State>, keep?: boolean) => void;
}

const titles: Readonly<Record<Panel, string>> = {
  cost: "Cost",
  cascade: "Cascade",
  schedule: "Schedule",
  numerics: "Numerics",
};

/** Panels are loaded when first opened, so that the first paint needs one of them only. */
const load: Readonly<Record<Panel, () => Promise<ComponentType<PanelProps>>>> = {
  cost: async () => (await import("./panels/cost.js")).CostPanel,
  cascade: async () => (await import("./panels/cascade.js")).CascadePanel,
  schedule: async () => (await import("./panels/schedule.js")).SchedulePanel,
  numerics: async () => (await import("./panels/numerics.js")).NumericsPanel,
};

/** Whatever goes wrong in one part, the others go on. */
function Guard({ panel, children }: { readonly panel: Panel; readonly children: ComponentChildren }) {
  const [error, reset] = useErrorBoundary();
  if (error === undefined) return <>{children}</>;
  const startAnew = () => {
    location.hash = writeState({ ...initialState, panel });
    reset();
  };
  return (
    <div class="notes" role="alert">
      <p>This part of the page ended in an error: {String(error)}</p>
      <button type="button" onClick={startAnew}>
        Start it anew
      </button>
    </div>
  );
}

export function App() {
  const { state, notes, change, dismiss } = useAddress();
  const [loaded, setLoaded] = useState<Partial<Record<Panel, ComponentType<PanelProps>>>>({});
  const [failure, setFailure] = useState<string | null>(null);
  const { panel } = state;

  useEffect(() => {
    if (loaded[panel] !== undefined) return;
    load[panel]().then(
      component => setLoaded(before => ({ ...before, [panel]: component })),
      (error: unknown) => setFailure(`This part of the page could not be loaded: ${String(error)}`),
    );
  }, [panel, loaded]);

  const Current = loaded[panel];
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById("main")?.focus()}>
        Skip to the charts
      </button>
      <header class="top">
        <h1>
          fusemax <small>explorer</small>
        </h1>
        <nav aria-label="Parts of the explorer">
          {panels.map(key => (
            <a
              key={key}
              href={`#${writeState({ ...state, panel: key })}`}
              aria-current={key === panel ? "page" : undefined}
            >
              {titles[key]}
            </a>
          ))}
        </nav>
      </header>
      <main id="main" tabIndex={-1} aria-label={titles[panel]}>
        <Notes notes={failure === null ? notes : [...notes, failure]} dismiss={dismiss} />
        <Guard key={panel} panel={panel}>
          {Current === undefined ? <p class="quiet">Loading…</p> : <Current state={state} change={change} />}
        </Guard>
      </main>
    </>
  );
}
