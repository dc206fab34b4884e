import { useEffect, useMemo, useRef } from "preact/hooks";
import { heatMap } from "../../src/report/heat-map.js";
import { announce } from "../announce.js";
import { beside } from "../cost/beside.js";
import { costWords, workloadWords } from "../cost/words.js";
import { allDesigns, designLabel } from "../design/names.js";
import { ownName } from "../design/own.js";
import { Command } from "../parts/command.js";
import { Card, Chart } from "../parts/figure.js";
import { Choice } from "../parts/inputs.js";
import { Pin } from "../parts/pin.js";
import { Sheet } from "../parts/sheet.js";
import { pinnedOf } from "../state.js";
import { frontFigure, measures, ratioMap, sweepMap, sweepTable } from "../sweep/figures.js";
import { type Grid, gridOf, type KnobName, knobs, sweepCommand } from "../sweep/grid.js";
import { type Sweep, useSweep } from "../sweep/use-sweep.js";
import { useTheme, useWidth } from "../use-media.js";
import type { PanelProps } from "./props.js";

const knobChoices = (Object.keys(knobs) as KnobName[]).map(name => [name, knobs[name].label] as const);
const measureChoices = Object.entries(measures).map(([name, { label }]) => [name, label] as const);

export function SweepPanel(props: PanelProps) {
  const { state } = props;
  const { story: _, pin: __, panel: ___, sweepShow: ____, own, file: _____, pinnedOwn: ______, ...swept } = state;
  const id = state.sweepDesign === ownName ? own?.id : null;
  const grid = useMemo(() => gridOf(state), [JSON.stringify([swept, id])]);
  const sweep = useSweep(grid);
  const pinned = useMemo(() => pinnedOf(state), [state.pin, state.pinnedOwn]);
  const { sweepX, sweepY } = state;
  // The same two settings crossed, all others as pinned.
  const pinnedGrid = useMemo(
    () => (pinned === null ? null : gridOf({ ...pinned, sweepX, sweepY })),
    [pinned, sweepX, sweepY],
  );
  const before = useSweep(pinnedGrid);
  const accounting = grid.requests[0]?.state.accounting ?? "";
  const title = `${designLabel(state.sweepDesign, state.own)}: ${knobs[grid.y].label} over ${knobs[grid.x].label}`;
  const front = useMemo(() => {
    const words = `${title}, area and latency`;
    const now = frontFigure(grid, sweep.results, words);
    return beside(now, pinnedGrid === null ? null : frontFigure(pinnedGrid, before.results, words));
  }, [grid, sweep.results, pinnedGrid, before.results, title]);
  const context = { model: state.model, seq: state.seq, design: state.sweepDesign, accounting };
  const command = sweepCommand(state, grid);
  useEffect(() => {
    if (!sweep.busy && sweep.done === grid.requests.length) announce(`${title}: ${sweep.done} points computed`);
  }, [sweep.busy, sweep.done, title]);
  return (
    <div class="panel">
      <Sheet label="What to sweep">
        <Choice {...props} field="sweepX" label="Across" options={knobChoices} />
        <Choice {...props} field="sweepY" label="Down" options={knobChoices} />
        <Choice {...props} field="sweepShow" label="Show" options={measureChoices} />
        <Choice
          {...props}
          field="sweepDesign"
          label="Design"
          options={allDesigns
            .filter(name => name !== ownName || state.own !== null)
            .map(name => [name, designLabel(name, state.own)])}
        />
        <p class="quiet">Everything else is as set under Cost: {workloadWords(state)}.</p>
        <Progress sweep={sweep} of={grid.requests.length} />
      </Sheet>
      <div class="charts" id="charts" tabIndex={-1} aria-busy={sweep.busy}>
        <p class="lead wide">
          How does a design answer to two settings at once? A cell of the map is one choice of both, computed as under
          Cost. Beside it stand their areas and latencies: on the line are the cells that no other beats in both.
        </p>
        <Pin {...props} pinned={pinned} words={of => `${designLabel(of.sweepDesign, of.own)}, ${costWords(of)}`} />
        <SweepMap grid={grid} sweep={sweep} pinned={null} show={state.sweepShow} title={title} context={context} />
        {pinnedGrid !== null && (
          <SweepMap grid={grid} sweep={sweep} pinned={before} show={state.sweepShow} title={title} context={context} />
        )}
        <Chart figure={front} context={context} file="sweep-front">
          Each point is a cell of the map: its area and its latency. The line joins those that no other beats in both.
          Accounting: {accounting}.
        </Chart>
        {command !== null && (
          <section class="card wide">
            <h2>The same points on the command line</h2>
            <Command command={command} />
          </section>
        )}
      </div>
    </div>
  );
}

function Progress({ sweep: { done, busy, stop }, of }: { readonly sweep: Sweep; readonly of: number }) {
  return (
    <div class="run">
      <label class="progress">
        <span>
          {done} of {of} points
        </span>
        <progress max={of} value={done} />
      </label>
      <button type="button" onClick={stop} disabled={!busy}>
        Stop
      </button>
    </div>
  );
}

interface MapProps {
  readonly grid: Grid;
  readonly sweep: Sweep;
  /** The sweep to compare with; null to show what there is now. */
  readonly pinned: Sweep | null;
  readonly show: keyof typeof measures;
  readonly title: string;
  readonly context: Readonly<Record<string, string | number>>;
}

function SweepMap({ grid, sweep: { results }, pinned, show, title, context }: MapProps) {
  const drawing = useRef<HTMLDivElement>(null);
  const width = useWidth(drawing);
  const theme = useTheme();
  const others = pinned?.results ?? null;
  const map = useMemo(() => {
    const words = `${title}, ${measures[show].label}`;
    return others === null
      ? sweepMap(grid, results, show, words)
      : ratioMap(grid, results, others, show, `${words}, now over pinned`);
  }, [grid, results, others, show, title]);
  const svg = useMemo(
    () => (width === null ? "" : heatMap({ ...map, heading: false, width: Math.max(width, 360), theme })),
    [map, width, theme],
  );
  const missing = results.filter(result => typeof result === "string").length;
  return (
    <Card
      title={map.title}
      svg={svg}
      exported={() => heatMap(map)}
      table={() => sweepTable(grid, results)}
      context={context}
      file={pinned === null ? "sweep" : "sweep-pinned"}
      drawing={drawing}
    >
      A cell is one choice of the two settings; the frame is about the settings as they are.{" "}
      {missing > 0 && `${missing} cells have no value: the design cannot compute them. `}
      Point at a cell, or go from cell to cell with the arrow keys, for its value.
    </Card>
  );
}
