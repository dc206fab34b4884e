import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import type { ArrayFrame, PeFrame } from "../../src/fusemax-array/frames.js";
import type { Timeline } from "../../src/model/schedule/timeline.js";
import { peGrid } from "../../src/report/pe-grid.js";
import type { Table } from "../../src/report/table.js";
import { plain } from "../../src/report/units.js";
import { arrayLabel, atWork, waterfall, waterfallMargins } from "../../src/report/waterfall.js";
import { argumentOf } from "../design/names.js";
import type { PanelProps } from "../panels/props.js";
import { Command } from "../parts/command.js";
import { DataTable } from "../parts/data-table.js";
import { save } from "../parts/save.js";
import { useTheme } from "../use-media.js";
import { simulatedDesign, steppedSeq, steppedWidth } from "./request.js";
import { useSchedule } from "./use-worker.js";

/** Cycles per second when played: slow enough to follow a value from PE to PE. */
const playedPerSecond = 2.5;

/** The PEs of a small array, cycle by cycle. */
export function Steps(props: PanelProps & { /** The failure that is said already. */ readonly said: string | null }) {
  const { state, change, said } = props;
  const id = useId();
  const theme = useTheme();
  const { answer } = useSchedule({ what: "steps", of: simulatedDesign(state), array: state.array });
  const [playing, play] = useState(false);
  const [chosen, choose] = useState<Place>({ row: 0, column: 0 });
  const lastCycle = answer?.type === "steps" ? answer.steps.frames.length - 1 : 0;
  useEffect(() => {
    if (!playing) return undefined;
    if (state.cycle >= lastCycle) {
      play(false);
      return undefined;
    }
    const timer = setTimeout(() => change({ cycle: state.cycle + 1 }), 1000 / playedPerSecond);
    return () => clearTimeout(timer);
  }, [playing, state.cycle, lastCycle, change]);
  if (answer === null) return null;
  if (answer.type !== "steps") {
    const message = answer.type === "failed" ? answer.message : "";
    return message === said ? null : <p class="notes wide wrong">{message}</p>;
  }
  const { frames, schedule, rows, columns } = answer.steps;
  const last = frames.length - 1;
  const cycle = Math.min(state.cycle, last);
  const frame = frames[cycle];
  const title = `${rows} x ${columns} PEs, cycle ${cycle}`;
  const svg = frame === undefined ? "" : peGrid([frame], schedule, title, "strip", theme);
  const go = (to: number) => change({ cycle: Math.min(last, Math.max(0, to)) }, true);
  return (
    <figure class="card wide" aria-labelledby={id}>
      <h2 id={id}>The processing elements, cycle by cycle</h2>
      <div class="steps">
        <label>
          Array{" "}
          <select
            name="array"
            value={state.array}
            onChange={event => change({ array: Number(event.currentTarget.value) }, true)}
          >
            {[2, 3, 4, 6, 8].map(side => (
              <option key={side} value={side}>
                {side} × {side}
              </option>
            ))}
          </select>
        </label>
        <button type="button" onClick={() => go(cycle - 1)} disabled={cycle === 0}>
          Back
        </button>
        <button type="button" onClick={() => go(cycle + 1)} disabled={cycle === last}>
          Forward
        </button>
        <button type="button" onClick={() => play(!playing)} disabled={cycle === last}>
          {playing ? "Pause" : "Play"}
        </button>
        <label class="grow">
          Cycle {cycle} of {last}
          <input
            type="range"
            name="cycle"
            min={0}
            max={last}
            value={cycle}
            onInput={event => change({ cycle: Number(event.currentTarget.value) })}
            onChange={event => change({ cycle: Number(event.currentTarget.value) }, true)}
          />
        </label>
      </div>
      {/* What a click does, the list of PEs below does for keys. */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: see above */}
      <section
        class="chart natural"
        data-chart="pes"
        aria-label={title}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        tabIndex={0}
        onClick={event => {
          const place = placeUnder(event, rows, columns);
          if (place !== null) choose(place);
        }}
        dangerouslySetInnerHTML={{ __html: svg }}
      />
      <Lit timeline={answer.steps.timeline} cycle={cycle} />
      {frame !== undefined && <Inside frame={frame} rows={rows} columns={columns} chosen={chosen} choose={choose} />}
      <figcaption>
        A register-level simulation of {steppedSeq} queries and keys, {steppedWidth} wide, that computes real values: in
        each PE its operation, the step and the tile; on each link the value that arrives in this cycle. The row with
        round corners is the 1D array. Below, the schedule that it follows, as the first column has it, this cycle lit.
        Click a PE for its registers. FuseMax, section V, Fig. 4 and 5.
      </figcaption>
      <p class="exports">
        <button type="button" onClick={() => save(`pes-${cycle}.svg`, "image/svg+xml", svg)}>
          Save SVG<span class="hidden"> of the PEs</span>
        </button>
      </p>
      <Command
        command={`npx fusemax trace --design ${argumentOf(state.design)} --array ${state.array}x${state.array} --head-dim ${steppedWidth} --seq ${steppedSeq} --accounting published --pe --cycles ${cycle}..${cycle} --out pes.svg`}
      />
    </figure>
  );
}

/** The schedule that the array follows, the cycle that is shown lit in it. */
function Lit({ timeline, cycle }: { readonly timeline: Timeline; readonly cycle: number }) {
  const frame = useRef<HTMLElement>(null);
  const theme = useTheme();
  const last = timeline.slices.reduce((end, slice) => Math.max(end, slice.end), 1);
  const width = Math.max(leastWaterfall, Math.round(last * pixelsPerCycle));
  const title = "The same cycles in the waterfall of this array";
  const svg = useMemo(() => waterfall(timeline, title, theme, width, cycle), [timeline, theme, width, cycle]);
  // The lit cycle stays in view while the array is played.
  useEffect(() => {
    const view = frame.current;
    if (view === null) return;
    const { left, right } = waterfallMargins;
    const at = left + ((width - left - right) * cycle) / last;
    const isSeen = at > view.scrollLeft + left && at < view.scrollLeft + view.clientWidth - right;
    if (!isSeen) view.scrollLeft = at - view.clientWidth / 2;
  }, [cycle, width, last]);
  return (
    <section
      ref={frame}
      class="chart natural"
      data-chart="lit"
      aria-label={`${title}, cycle ${cycle}: ${workWords(timeline, cycle)}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
      tabIndex={0}
      dangerouslySetInnerHTML={{ __html: svg }}
    />
  );
}

/** "2D array: BQK, SLNV; 1D array: nothing". */
const workWords = (timeline: Timeline, cycle: number): string =>
  Object.keys(timeline.streams)
    .map(array => {
      const einsums = atWork(timeline, array, cycle).map(({ einsum }) => einsum);
      return `${arrayLabel(array)}: ${einsums.join(", ") || "nothing"}`;
    })
    .join("; ");

const leastWaterfall = 900;
/** An Einsum of a small array takes four cycles and more: wide enough for its name. */
const pixelsPerCycle = 6;

/** A PE: rows from the top, the 1D array below the last. */
interface Place {
  readonly row: number;
  readonly column: number;
}

const placeName = ({ row, column }: Place, rows: number): string =>
  row === rows ? `1D array, ${column}` : `row ${row}, column ${column}`;

/** The PE whose box is under a click: boxes come row by row, after the background. */
function placeUnder(event: MouseEvent, rows: number, columns: number): Place | null {
  const frame = (event.currentTarget as Element).querySelector("svg");
  const boxes = [...(frame?.querySelectorAll("rect[rx]") ?? [])];
  const at = boxes.findIndex(box => {
    const { left, right, top, bottom } = box.getBoundingClientRect();
    return event.clientX >= left && event.clientX <= right && event.clientY >= top && event.clientY <= bottom;
  });
  return at < 0 || at >= (rows + 1) * columns ? null : { row: Math.floor(at / columns), column: at % columns };
}

interface InsideProps {
  readonly frame: ArrayFrame;
  readonly rows: number;
  readonly columns: number;
  readonly chosen: Place;
  readonly choose: (place: Place) => void;
}

/** What one PE does and holds in the cycle that is shown. */
function Inside({ frame, rows, columns, chosen, choose }: InsideProps) {
  const places = Array.from({ length: (rows + 1) * columns }, (_, i) => ({
    row: Math.floor(i / columns),
    column: i % columns,
  }));
  const at = Math.min(chosen.row, rows) * columns + Math.min(chosen.column, columns - 1);
  const place = places[at] ?? { row: 0, column: 0 };
  const pe = place.row === rows ? frame.peRow[place.column] : frame.grid[place.row]?.[place.column];
  const name = placeName(place, rows);
  return (
    <div class="inside">
      <label>
        Inside the PE{" "}
        <select
          name="pe"
          value={at}
          onChange={event => choose(places[Number(event.currentTarget.value)] ?? { row: 0, column: 0 })}
        >
          {places.map((one, i) => (
            <option key={placeName(one, rows)} value={i}>
              {placeName(one, rows)}
            </option>
          ))}
        </select>
      </label>
      {pe !== undefined && <DataTable caption={`Inside the PE of ${name}`} table={peTable(pe)} />}
    </div>
  );
}

function peTable({ instruction, west, north, below, registers }: PeFrame): Table {
  const arrives = (from: string, value: PeFrame["west"]) =>
    value === null ? [] : [[from, `${value.tensor} ${value.index} = ${plain(value.value)}`]];
  const does =
    instruction === null
      ? "nothing"
      : `${instruction.einsum}, step ${instruction.step}, tile ${instruction.tile.index}`;
  return {
    columns: ["what", "is"],
    rows: [
      ["computes", does],
      ...arrives("arrives from the west", west),
      ...arrives("arrives from above", north),
      ...arrives("arrives from below", below),
      ...registers.map((register, i) => [`register ${i}`, register]),
    ],
  };
}
