import { useEffect, useMemo, useState } from "preact/hooks";
import { csvText } from "../../src/io/csv.js";
import { duration } from "../../src/report/units.js";
import { announce } from "../announce.js";
import { ownName } from "../design/own.js";
import type { PanelProps } from "../panels/props.js";
import { Command } from "../parts/command.js";
import { DataTable } from "../parts/data-table.js";
import { Chart, type Context } from "../parts/figure.js";
import { Gradually } from "../parts/gradually.js";
import { Pin } from "../parts/pin.js";
import { save } from "../parts/save.js";
import { Term } from "../parts/term.js";
import { countedAs, customModel, pinnedOf, type State, writeSize } from "../state.js";
import { Beginnings } from "../story/story.js";
import { beside, busyLargest, differenceTable, ratiosCaption, usefulShare } from "./beside.js";
import {
  componentsCaption,
  dutiesCaption,
  energyCaption,
  lengthCaption,
  rooflineCaption,
  speedupCaption,
  subjectOf,
  trafficCaption,
  useCaption,
  utilizationCaption,
} from "./captions.js";
import { chosenDesigns, costCommands, workloadFile, workloadText } from "./command.js";
import {
  baselines,
  energyFigure,
  kneeOf,
  lengthFigure,
  relativeFigure,
  rooflineFigure,
  rooflinePoint,
  sweptLengths,
  trafficFigure,
  useFigure,
  utilizationFigure,
} from "./figures.js";
import type { CostPoint } from "./known-costs.js";
import { Machine } from "./machine.js";
import { boundNames, largestArrayOf, solved } from "./shares.js";
import { costNumbers, costTable } from "./tables.js";
import { type Shown, useCosts, type Wanted } from "./use-costs.js";
import { costWords, problemsOf, workloadWords } from "./words.js";

/** What charts are of, for their files. */
function contextOf(state: State): Context {
  const { model, scope, phase, masked, batch, seq, rows, columns, buffer, bandwidth, frequency } = state;
  return {
    ...{ model, scope, phase, mask: masked, batch, seq: writeSize(seq), accounting: countedAs(state) },
    ...{ rows, columns, bufferTimes: buffer, bandwidthGBs: bandwidth, frequencyMHz: frequency },
  };
}

/** Designs with the baselines, some of them twice named, at some lengths. */
const wantedOf = (names: readonly string[], lengths: readonly number[], of?: State): readonly Wanted[] =>
  lengths.flatMap(seq => [...new Set(names)].map(design => ({ design, seq, ...(of === undefined ? {} : { of }) })));

/** What some settings cost: of the chosen designs, and of the baselines. */
interface Costs {
  readonly state: State;
  readonly points: readonly CostPoint[];
  readonly bases: readonly CostPoint[];
}

/** The costs of what is shown: of the page's settings, or of those that are pinned; null where there are none. */
function costsOf({ points, requests }: Shown, names: readonly string[], pinned: boolean): Costs | null {
  const own = points.filter((_, i) => (requests[i]?.pinned ?? false) === pinned);
  const state = requests.find(request => (request.pinned ?? false) === pinned)?.state;
  const pick = (list: readonly string[]) => list.flatMap(name => own.filter(({ design }) => design === name));
  return state === undefined ? null : { state, points: pick(names), bases: pick(baselines) };
}

const figuresOf = ({ points, bases }: Pick<Costs, "points" | "bases">, all: readonly CostPoint[]) => ({
  speedup: relativeFigure(points, bases, "speedup"),
  energy: relativeFigure(points, bases, "energy"),
  utilization: utilizationFigure(points),
  use: useFigure(points),
  components: energyFigure(points),
  traffic: trafficFigure(points, all),
  roofline: rooflineFigure(points),
});

export function CostCharts(props: PanelProps) {
  const { state } = props;
  const names = useMemo(() => chosenDesigns(state), [state.designs.join()]);
  const pinned = useMemo(() => pinnedOf(state), [state.pin, state.pinnedOwn]);
  const shown = useMemo(() => {
    const all = [...names, ...baselines];
    return [...wantedOf(all, [state.seq]), ...(pinned === null ? [] : wantedOf(all, [pinned.seq], pinned))];
  }, [names, state.seq, pinned]);
  const swept = useMemo(() => wantedOf(["unfused", ...names], sweptLengths), [names]);
  const costs = useCosts(state, shown, swept);
  const [now, before] = useMemo(
    () => [costsOf(costs.now, names, false), costsOf(costs.now, names, true)],
    [costs.now.points, names],
  );
  const { state: of, points, bases } = now ?? { state, points: [], bases: [] };
  const old = before?.points ?? null;
  const figures = useMemo(() => {
    const all = [...points, ...(before?.points ?? [])];
    const own = figuresOf({ points, bases }, all);
    const others = before === null ? null : figuresOf(before, all);
    const both = (name: keyof typeof own) => beside(own[name], others?.[name] ?? null);
    return Object.fromEntries((Object.keys(own) as (keyof typeof own)[]).map(name => [name, both(name)])) as typeof own;
  }, [points, bases, before]);
  const subject = useMemo(() => subjectOf(points), [points]);
  const oldSubject = useMemo(() => (old === null ? undefined : subjectOf(old)), [old]);
  const problems = problemsOf(costs.now.points);
  const workload = workloadWords(of);
  const isLayer = of.scope === "layer";
  const context = contextOf(of);
  const isThere = solved(points).length > 0 || problems.length > 0;
  const [isWhole, setWhole] = useState(false);
  return (
    <div
      class={costs.now.stale ? "charts stale" : "charts"}
      id="charts"
      tabIndex={-1}
      aria-busy={costs.busy || !isWhole}
    >
      {state.story === 0 && (
        <section class="wide opening">
          <p>
            What does <Term of="attention" />, the heart of language models, cost on a chip, and why? This page computes
            it for five accelerators, up to <a href="https://arxiv.org/abs/2406.10491">FuseMax</a> (MICRO 2024): time,
            energy, memory traffic, and every bit of the result. Move a slider, or begin with the story.
          </p>
          <Beginnings {...props} />
        </section>
      )}
      <Pin {...props} pinned={pinned} words={costWords} />
      {isThere ? (
        <Lead state={of} points={points} bases={bases} isSettled={!costs.now.stale} />
      ) : (
        <p class="lead wide">{workload}: …</p>
      )}
      {problems.length > 0 && (
        <div class="notes wide" role="status">
          {problems.map(problem => (
            <p key={problem}>{problem}</p>
          ))}
        </div>
      )}
      <Gradually begins={isThere} onAll={() => setWhole(true)}>
        {subject !== undefined && <Machine of={subject} state={of} context={context} />}
        {oldSubject !== undefined && before !== null && (
          <Machine of={oldSubject} state={before.state} context={contextOf(before.state)} pinned />
        )}
        <Chart figure={figures.speedup} context={context} file="speedup">
          How many times faster each design computes {workload} than Unfused, which writes every intermediate to DRAM,
          and than FLAT, the best design before FuseMax. The dashed line is the baseline itself.{" "}
          {speedupCaption(points, bases)}
          {ratiosCaption(points, old, "Latency", e => e.latencySeconds)}{" "}
          {isLayer
            ? "To attention a layer adds its projections and its feed-forward layer: matrix products, for which all designs need about the same time. Normalization and activations are left out. FuseMax, section VI, Fig. 10 (end to end)."
            : "FuseMax, section VI, Fig. 8."}
        </Chart>
        <Chart figure={figures.energy} context={context} file="energy">
          The energy of each design as a share of the two baselines'. {energyCaption(points, bases)}
          {ratiosCaption(points, old, "Energy", e => e.energyPj)} FuseMax, section VI,{" "}
          {isLayer ? "Fig. 11 (end to end)" : "Fig. 9"}.
        </Chart>
        <Chart figure={figures.utilization} context={context} file="utilization">
          The share of the cycles of all processing elements in which they do something{dutiesCaption(points)}.{" "}
          {utilizationCaption(points)}
          {ratiosCaption(points, old, "Busy share of the largest array", busyLargest)}{" "}
          {isLayer && "While a layer's matrix products run, the 1D array rests. "}
          Sections V and VI, Fig. 6.
        </Chart>
        <Chart figure={figures.use} context={context} file="cycles">
          Why the {largestArrayOf(points)} is not busier: scores of computed tiles that a mask hides, columns and rows
          without a query, key or feature, waits for DRAM, and waits for other arrays or in the binding's order.{" "}
          {useCaption(points)}
          {ratiosCaption(points, old, "Useful share", usefulShare)} More bandwidth helps the waits for DRAM, a smaller
          array the empty rows and columns, a better binding the other waits. Sections V and VI.
        </Chart>
        <Chart figure={figures.components} context={context} file="energy-by-component">
          Where the energy goes: accesses to DRAM, to the global buffer and to register files, and operations in either
          array, times the energy of each in 45 nm. {componentsCaption(points)}
          {ratiosCaption(points, old, "Energy", e => e.energyPj)} Section VI.
        </Chart>
        <Chart figure={figures.traffic} context={context} file="traffic">
          Bytes between DRAM and the chip{isLayer && ", the layer's matrices included"}. {trafficCaption(points)}
          {ratiosCaption(points, old, "Traffic", e => e.trafficBytes)} The 1-pass cascade reads K and V once for each
          block of queries that the buffer holds, and never spills scores. Sections III and IV.
        </Chart>
        <Chart figure={figures.roofline} context={context} file="roofline">
          Left of the roof's knee DRAM limits the {largestArrayOf(points)}, right of it the number of its processing
          elements. {rooflineCaption(points, kneeOf, point => rooflinePoint(point).intensity)} A design well below the
          roof is limited by something else: another array, or arrays that wait for each other. A multiply-accumulate is
          one operation here.
        </Chart>
        <Sweep later={costs.later} names={names} />
        <section class="card wide">
          <h2>The numbers</h2>
          <DataTable caption={`Cost of ${workload}`} table={costTable(points, of.scope)} />
          {old !== null && (
            <>
              <h3>Against what is pinned</h3>
              <DataTable caption="Now and pinned" table={differenceTable(points, old)} />
            </>
          )}
          <p class="exports">
            <button
              type="button"
              onClick={() => save("cost.csv", "text/csv", csvText(costNumbers(points, bases, of.scope)))}
            >
              Save CSV of the numbers
            </button>
            {state.model === customModel && (
              <button type="button" onClick={() => save(workloadFile, "text/yaml", workloadText(state))}>
                Save {workloadFile} for it
              </button>
            )}
          </p>
          {costCommands(of).map(command => (
            <Command key={command} command={command} />
          ))}
        </section>
      </Gradually>
    </div>
  );
}

interface LeadProps {
  readonly state: State;
  readonly points: readonly CostPoint[];
  readonly bases: readonly CostPoint[];
  /** The points are those of the settings as they are. */
  readonly isSettled: boolean;
}

/** What is seen, and what FuseMax makes of it. */
function Lead({ state, points, bases, isSettled }: LeadProps) {
  const workload = workloadWords(state);
  const [own] = solved(points.filter(({ design }) => design === ownName));
  const [fusemax] = solved(points.filter(({ design }) => design === "fusemax"));
  const shown = own ?? fusemax;
  const compared = own !== undefined && fusemax !== undefined ? [...bases, fusemax] : bases;
  const faster = solved(compared).map(({ label, evaluation: { latencySeconds } }) => {
    const times = latencySeconds / (shown?.evaluation.latencySeconds ?? latencySeconds);
    return `${times.toPrecision(3)} times as fast as ${label}`;
  });
  const result =
    shown === undefined
      ? speedupCaption(points, bases)
      : `${own?.label ?? "FuseMax"} takes ${[duration(shown.evaluation.latencySeconds).replace(" ", "\u00a0"), ...faster].join(", ")}; limited by: ${
          boundNames[shown.evaluation.bound] ?? shown.evaluation.bound
        }.`;
  useEffect(() => {
    if (isSettled) announce(`${workload}: ${result}`);
  }, [workload, result, isSettled]);
  return (
    <p class="lead wide">
      {workload}: {result} <Term of="accounting">Accounting</Term>: {countedAs(state)}.
    </p>
  );
}

function Sweep({ later, names }: { readonly later: Shown; readonly names: readonly string[] }) {
  const { points, requests, stale } = later;
  const of = requests[0]?.state;
  const scope = of?.scope ?? "attention";
  const figure = useMemo(() => lengthFigure(points, names, of?.seq), [points, names, of?.seq]);
  return (
    <Chart figure={figure} context={of === undefined ? {} : contextOf(of)} file="speedup-by-length" stale={stale}>
      The same comparison from 1K to 1M tokens; the upright line is the length chosen above.{" "}
      {lengthCaption(points, names)}{" "}
      {scope === "layer" && "The longer the sequence, the larger attention's part of a layer. "}
      Short sequences may have too few query tiles to fill the machine; once FLAT's rows of scores no longer fit its
      buffer they spill to DRAM, while FuseMax's tiles stay the same size. Section VI, Fig.{" "}
      {scope === "layer" ? "10" : "8"}.
    </Chart>
  );
}
