import type { ComponentChildren, ComponentType } from "preact";
import { useCallback, useEffect, useErrorBoundary, useRef, useState } from "preact/hooks";
import { announced } from "./announce.js";
import { isDesignFile } from "./design/own.js";
import type { PanelProps } from "./panels/props.js";
import { About } from "./parts/about.js";
import { Notes } from "./parts/notes.js";
import { Share } from "./parts/share.js";
import { initialState, type Panel, panels, type State, writeState } from "./state.js";
import { useStore } from "./store.js";
import { Story } from "./story/story.js";
import { useAddress } from "./use-address.js";

const titles: Readonly<Record<Panel, string>> = {
  cost: "Cost",
  sweep: "Sweep",
  design: "Design",
  cascade: "Cascade",
  derive: "Derive",
  schedule: "Schedule",
  numerics: "Numerics",
};

/** Panels are loaded when first opened, so that the first paint needs one of them only. */
const load: Readonly<Record<Panel, () => Promise<ComponentType<PanelProps>>>> = {
  cost: async () => (await import("./panels/cost.js")).CostPanel,
  sweep: async () => (await import("./panels/sweep.js")).SweepPanel,
  design: async () => (await import("./panels/design.js")).DesignPanel,
  cascade: async () => (await import("./panels/cascade.js")).CascadePanel,
  derive: async () => (await import("./panels/derive.js")).DerivePanel,
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

/** A part that could not be fetched: without a network, or because the site has been replaced since the page was opened. */
function NotLoaded({ panel }: { readonly panel: Panel }) {
  const [said, say] = useState("");
  const retry = async () => {
    say("Trying…");
    try {
      // The page itself, so that a newer one brings the newer names of its parts. Its settings are in the address.
      const { ok, status } = await fetch(location.pathname, { cache: "no-store" });
      if (ok) location.reload();
      else say(`The site answers with error ${status}. Try again later.`);
    } catch {
      say("There is no connection to the site yet.");
    }
  };
  return (
    <div class="notes" role="alert">
      <p>
        {titles[panel]} could not be loaded: there is no connection, or the site has been replaced since this page was
        opened.
      </p>
      <button type="button" onClick={() => void retry()}>
        Try again
      </button>{" "}
      <span role="status">{said}</span>
    </div>
  );
}

/** What screen readers are told: one sentence about the newest result. */
function Announcements() {
  const { sentence } = useStore(announced);
  return (
    <p class="hidden" role="status" data-announced>
      {sentence}
    </p>
  );
}

/** Takes files that are dropped anywhere on the page; else the browser would leave the page for the file. */
function useDrop(open: (panel: Panel) => void, take: (design: readonly File[]) => void): void {
  useEffect(() => {
    const drop = (event: DragEvent) => {
      if (event.dataTransfer?.types.includes("Files") !== true && event.type !== "drop") return;
      event.preventDefault();
      const files = event.dataTransfer?.files;
      if (event.type !== "drop" || files === undefined || files.length === 0) return;
      // The list is emptied once the event is over.
      const dropped = [...files];
      if (dropped.some(isDesignFile)) {
        take(dropped);
        return;
      }
      void import("./numerics/take-files.js").then(({ takeFiles }) => takeFiles(dropped));
      open("numerics");
    };
    for (const type of ["dragover", "drop"] as const) window.addEventListener(type, drop);
    return () => {
      for (const type of ["dragover", "drop"] as const) window.removeEventListener(type, drop);
    };
  }, [open, take]);
}

/** The name of the part in the window's title; a reader who opens another part is taken to its beginning. */
function usePart({ panel, story }: State): void {
  const before = useRef(panel);
  useEffect(() => {
    document.title = `${titles[panel]} – fusemax explorer`;
    // The story takes its readers to its own text.
    if (before.current !== panel && story === 0) document.getElementById("main")?.focus();
    before.current = panel;
  }, [panel, story]);
}

export function App() {
  const { state, notes, change, dismiss } = useAddress();
  const [loaded, setLoaded] = useState<Partial<Record<Panel, ComponentType<PanelProps>>>>({});
  const [missing, setMissing] = useState<Panel | null>(null);
  const { panel } = state;
  const open = useCallback((panel: Panel) => change({ panel }, true), [change]);
  const present = useRef(state);
  present.current = state;
  const take = useCallback(
    (files: readonly File[]) => {
      void import("./design/take-files.js")
        .then(({ takeDesign }) => takeDesign(files, present.current))
        .then(part => change({ ...part, panel: "design" }, true));
    },
    [change],
  );
  useDrop(open, take);
  usePart(state);

  useEffect(() => {
    if (loaded[panel] !== undefined) return;
    setMissing(null);
    load[panel]().then(
      component => setLoaded(before => ({ ...before, [panel]: component })),
      () => setMissing(panel),
    );
  }, [panel, loaded]);

  const Current = loaded[panel];
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById("charts")?.focus()}>
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
        <Share state={state} title={titles[panel]} />
      </header>
      <main id="main" tabIndex={-1} aria-label={titles[panel]}>
        <Notes notes={notes} dismiss={dismiss} />
        <Story state={state} change={change} />
        <Guard key={panel} panel={panel}>
          {Current !== undefined && <Current state={state} change={change} />}
          {Current === undefined && (missing === panel ? <NotLoaded panel={panel} /> : <p class="quiet">Loading…</p>)}
        </Guard>
      </main>
      <About />
      <Announcements />
    </>
  );
}
