import { useCallback, useEffect, useId, useMemo, useRef } from "preact/hooks";
import { csvText } from "../../src/io/csv.js";
import { lengthLabel } from "../../src/report/units.js";
import { waterfall, waterfallColours, waterfallMargins } from "../../src/report/waterfall.js";
import { announce } from "../announce.js";
import { beside } from "../cost/beside.js";
import { argumentOf, designLabel, scheduledDesigns } from "../design/names.js";
import { ownName } from "../design/own.js";
import { Command } from "../parts/command.js";
import { DataTable } from "../parts/data-table.js";
import { Chart, Numbers } from "../parts/figure.js";
import { Choice, LogSlider, TextField } from "../parts/inputs.js";
import { Pin } from "../parts/pin.js";
import { save } from "../parts/save.js";
import { Sheet } from "../parts/sheet.js";
import { Term } from "../parts/term.js";
import { comparison, cyclesCaption, pinnedTable, slicesTable, usesFigure } from "../schedule/figures.js";
import { type Machine, type Simulated, simulatedDesign } from "../schedule/request.js";
import { Steps } from "../schedule/steps.js";
import { useSchedule } from "../schedule/use-worker.js";
import { Zoomable } from "../schedule/zoom.js";
import { pinnedOf, type State, writeSize } from "../state.js";
import { useTheme, useWidth } from "../use-media.js";
import type { PanelProps } from "./props.js";

/** FuseMax first, and the visitor's design last. */
const designsOf = ({ own }: State): readonly (readonly [string, string])[] =>
  ["fusemax", ...scheduledDesigns.filter(name => name !== "fusemax"), ...(own === null ? [] : [ownName])].map(
    name => [name, designLabel(name, own)] as const,
  );
const models = [
  ["bert", "BERT"],
  ["trxl", "TrXL"],
  ["t5", "T5"],
  ["xlm", "XLM"],
] as const;
/** A waterfall narrower than this has no room for its labels. */
const leastWidth = 900;

export function SchedulePanel(props: PanelProps) {
  const { state } = props;
  const pinned = useMemo(() => pinnedOf(state), [state.pin, state.pinnedOwn]);
  const { answer, busy } = useSchedule({ what: "timeline", machine: machineOf(state) });
  // A simulation of other settings stays in view, dimmed, until that of these is there.
  const isStale = busy && answer !== null;
  const other = useSchedule(pinned === null ? null : { what: "timeline", machine: machineOf(pinned) }).answer;
  return (
    <div class="panel">
      <Sheet label="What to simulate">
        <Choice {...props} field="design" label="Design" options={designsOf(state)} />
        <Choice {...props} field="scheduleModel" label="Model" options={models} />
        <LogSlider {...props} field="scheduleSeq" label="Sequence length" least={256} most={2 ** 20} />
        <Choice
          {...props}
          field="memory"
          label="Memory"
          options={[
            ["dram", "DRAM"],
            ["ideal", "ideal: no waits"],
          ]}
        />
        <Choice
          {...props}
          field="ports"
          label="Buffer reads"
          options={[
            ["1", "1 row per cycle"],
            ...["2", "3", "4"].map(ports => [ports, `${ports} rows per cycle`] as const),
            ["unlimited", "no limit"],
          ]}
        />
        <TextField {...props} field="epoch" label="First epoch to draw" />
        <TextField {...props} field="epochs" label="Epochs to draw" />
      </Sheet>
      <div class={isStale ? "charts stale" : "charts"} id="charts" tabIndex={-1} aria-busy={busy}>
        <p class="lead wide">
          When does each array do what, and when does it wait? The schedule of a design, simulated cycle by cycle over
          the whole attention: the pipeline's filling and draining, results that have to come from the other array,
          loads from DRAM and reads of the buffer. Below, the processing elements of a small array of the same design,
          with the numbers that go through them; play them, or go from cycle to cycle.
        </p>
        {answer === null && <p class="quiet">Simulating…</p>}
        {answer?.type === "failed" && (
          <p class="notes wide wrong" role="status">
            {designLabel(state.design, state.own)} cannot be simulated cycle by cycle: {answer.message}.
          </p>
        )}
        <Pin {...props} pinned={pinned} words={scheduleWords} />
        {other?.type === "failed" && <p class="notes wide wrong">Pinned: {other.message}</p>}
        {answer?.type === "timeline" && (
          <Waterfall simulated={answer.simulated} pinned={other?.type === "timeline" ? other.simulated : null} />
        )}
        {/* Not before what stands above it, which would push it down. */}
        {answer !== null && <Steps {...props} said={answer.type === "failed" ? answer.message : null} />}
      </div>
    </div>
  );
}

const machineOf = (state: State): Machine => {
  const { scheduleModel, scheduleSeq, memory, ports, epoch, epochs } = state;
  return { ...simulatedDesign(state), scheduleModel, scheduleSeq, memory, ports, epoch, epochs };
};

const scheduleWords = ({ design, own, scheduleModel, scheduleSeq, memory, ports }: State): string =>
  `${designLabel(design, own)}, ${scheduleModel.toUpperCase()} ${lengthLabel(scheduleSeq)}, memory ${memory}, buffer reads ${ports}.`;

const commandFor = (command: string, { design, scheduleModel, scheduleSeq, memory, ports }: Machine): string =>
  [
    `npx fusemax ${command} --design ${argumentOf(design)} --model ${scheduleModel} --seq ${writeSize(scheduleSeq)} --memory ${memory} --accounting published`,
    ...(ports === "unlimited" ? [] : [`--ports ${ports}`]),
  ].join(" ");

interface WaterfallProps {
  readonly simulated: Simulated;
  readonly pinned: Simulated | null;
}

function Waterfall({ simulated, pinned }: WaterfallProps) {
  const id = useId();
  const card = useRef<HTMLElement>(null);
  const width = useWidth(card);
  const theme = useTheme();
  const { timeline, machine } = simulated;
  const { scheduleModel, scheduleSeq, design, own, memory, ports } = machine;
  const { first, last } = timeline.epochs;
  const title = `${designLabel(design, own)}, ${scheduleModel.toUpperCase()} ${lengthLabel(scheduleSeq)}: epochs ${first} to ${last}`;
  const draw = useCallback((wide: number) => waterfall(timeline, title, theme, wide), [timeline, title, theme]);
  const figure = useMemo(
    () => beside(usesFigure(simulated), pinned === null ? null : usesFigure(pinned)),
    [simulated, pinned],
  );
  const context = { design, model: scheduleModel, seq: writeSize(scheduleSeq), memory, ports };
  const caption = cyclesCaption(simulated);
  useEffect(() => announce(`${title}: ${caption}`), [title, caption]);
  return (
    <>
      <figure class="card wide" ref={card} aria-labelledby={id}>
        <h2 id={id}>Waterfall</h2>
        <ul class="legend" aria-label="Einsums by colour">
          {waterfallColours(timeline, theme).map(([name, background]) => (
            <li key={name}>
              <span style={{ background }} />
              {name}
            </li>
          ))}
        </ul>
        {width !== null && (
          <Zoomable
            label={title}
            least={Math.max(leastWidth, width - 30)}
            draw={draw}
            margins={waterfallMargins}
            file="waterfall"
          />
        )}
        <figcaption>
          What both arrays do over some <Term of="epoch">epochs</Term>, with real cycle numbers: each stream of
          interleaved Einsums in a row, the cycles in which an array issues nothing below it, with the cause. Point at a
          bar for its tile and cycles. Buttons, plus and minus zoom, the wheel with Ctrl; dragging and arrow keys pan.
          FuseMax, section V, Fig. 4.
        </figcaption>
        <Numbers title="Waterfall" table={() => slicesTable(simulated)} />
        <p class="exports">
          <button type="button" onClick={() => save("waterfall.svg", "image/svg+xml", waterfall(timeline, title))}>
            Save SVG<span class="hidden"> of Waterfall</span>
          </button>
          <button type="button" onClick={() => save("waterfall.csv", "text/csv", csvText(slicesTable(simulated)))}>
            Save CSV<span class="hidden"> of Waterfall</span>
          </button>
        </p>
        <Command command={commandFor(`trace --epochs ${first}..${last} --out waterfall.svg`, machine)} />
      </figure>
      {pinned !== null && (
        <section class="card">
          <h2>Against the pinned settings</h2>
          <DataTable caption="Now and pinned" table={pinnedTable(simulated.result, pinned.result)} />
        </section>
      )}
      <section class="card">
        <h2>Against the published evaluation</h2>
        <DataTable caption="Simulated and published" table={comparison(simulated)} />
        <p class="quiet">
          The published evaluation takes the longer of two busy times; the simulation has the pipeline's fill and drain,
          dependences, DRAM and buffer ports as well. That is why their cycles differ. Sections V and VI.
        </p>
        <Command command={commandFor("schedule", machine)} />
      </section>
      <Chart figure={figure} context={context} file="cycles">
        The cycles of either array, from the first load to the last result: those in which it issues an operation, and
        why it issues none in the others. {caption} FuseMax, section V.
      </Chart>
    </>
  );
}
