import { useMemo } from "preact/hooks";
import { paperDesigns } from "../../src/model/evaluation.js";
import { seconds } from "../../src/report/units.js";
import { loadWorkload } from "../../src/spec/load.js";
import type { PanelProps } from "../app.js";
import { costCommand, workloadFile, workloadText } from "../cost/command.js";
import { bandwidthUnit, designLabel, workloadOf } from "../cost/designs.js";
import {
  baselines,
  energyFigure,
  lengthFigure,
  relativeFigure,
  rooflineFigure,
  sweptLengths,
  trafficFigure,
  useFigure,
  utilizationFigure,
} from "../cost/figures.js";
import type { CostPoint } from "../cost/known-costs.js";
import { boundNames, solved } from "../cost/shares.js";
import { costNumbers, costTable } from "../cost/tables.js";
import { type Shown, useCosts } from "../cost/use-costs.js";
import { problemsOf, workloadWords } from "../cost/words.js";
import { Command } from "../parts/command.js";
import { DataTable } from "../parts/data-table.js";
import { Chart, save } from "../parts/figure.js";
import { Choice, LogSlider, Several, TextField } from "../parts/inputs.js";
import { bundledSpecs } from "../specs.js";
import { countedAs, customModel, type State } from "../state.js";

const models: readonly (readonly [string, string])[] = [
  ...bundledSpecs.names("workloads").map(name => [name, loadWorkload(bundledSpecs, name).name] as const),
  [customModel, "sizes of your own"],
];

const designs: readonly (readonly [string, string])[] = paperDesigns.map(name => [name, designLabel(name)]);

/** Every design that the state names and that there is, in the paper's order. */
const chosenDesigns = (state: State): readonly string[] => paperDesigns.filter(name => state.designs.includes(name));

export function CostPanel(props: PanelProps) {
  return (
    <div class="panel">
      <Controls {...props} />
      <Charts state={props.state} />
    </div>
  );
}

function Controls(props: PanelProps) {
  const { phases } = workloadOf(props.state);
  return (
    <form class="controls" aria-label="What to compare" onSubmit={event => event.preventDefault()}>
      <Choice {...props} field="model" label="Model" options={models} />
      {props.state.model === customModel && (
        <>
          <TextField {...props} field="heads" label="Heads" />
          <TextField {...props} field="headDim" label="Width E of queries and keys" />
          <TextField {...props} field="valueDim" label="Width F of values" />
        </>
      )}
      <Choice
        {...props}
        field="scope"
        label="Scope"
        options={[
          ["attention", "attention"],
          ["layer", "a whole layer"],
        ]}
      />
      {props.state.model === customModel && props.state.scope === "layer" && <LayerSizes state={props.state} />}
      <Choice
        {...props}
        field="phase"
        label="Phase"
        options={[
          ["prefill", "prefill", !phases.includes("prefill")],
          ["decode", "decode", !phases.includes("decode")],
        ]}
      />
      {props.state.model !== customModel && (
        <Choice
          {...props}
          field="masked"
          label="Mask"
          options={[
            ["model", "the model's"],
            ["none", "none"],
          ]}
        />
      )}
      <LogSlider {...props} field="seq" label="Sequence length" least={1024} most={2 ** 20} />
      <LogSlider {...props} field="batch" label="Batch" least={1} most={1024} />
      <Several {...props} field="designs" label="Designs" options={designs} />
      <Choice
        {...props}
        field="accounting"
        label="Accounting"
        options={[
          ["default", "as published for the paper's hardware, else mended"],
          ["published", "as published"],
          ["corrected", "with its errors mended"],
        ]}
      />
      <LogSlider {...props} field="rows" label="Array rows" least={8} most={1024} />
      <LogSlider {...props} field="columns" label="Array columns" least={8} most={1024} />
      <LogSlider {...props} field="buffer" label="Buffer" unit="× its own" least={1 / 64} most={64} />
      <LogSlider {...props} field="bandwidth" label="DRAM bandwidth" unit="GB/s" least={25} most={6400} perOctave={2} />
      <LogSlider {...props} field="frequency" label="Clock" unit="MHz" least={117.5} most={3760} perOctave={2} />
    </form>
  );
}

/** The sizes that a layer takes where only attention's are typed in. */
function LayerSizes({ state }: { readonly state: State }) {
  const { modelDim, feedForward } = workloadOf(state);
  return (
    <p class="quiet">
      Width of the model: heads × E = {modelDim}; of its feed-forward layer: four times that, {feedForward}.
    </p>
  );
}

function Charts({ state }: { readonly state: State }) {
  const names = useMemo(() => chosenDesigns(state), [state.designs.join()]);
  const shown = useMemo(
    () => [...new Set([...names, ...baselines])].map(design => ({ design, seq: state.seq })),
    [names, state.seq],
  );
  const swept = useMemo(
    () => sweptLengths.flatMap(seq => [...new Set(["unfused", ...names])].map(design => ({ design, seq }))),
    [names],
  );
  const costs = useCosts(state, shown, swept);
  const of = costs.now.requests[0]?.state ?? state;
  const [points, bases] = useMemo(() => {
    const pick = (list: readonly string[]) =>
      list.flatMap(name => costs.now.points.filter(({ design }) => design === name));
    return [pick(names), pick(baselines)];
  }, [costs.now.points, names]);
  const figures = useMemo(
    () => ({
      speedup: relativeFigure(points, bases, "speedup"),
      energy: relativeFigure(points, bases, "energy"),
      utilization: utilizationFigure(points),
      use: useFigure(points),
      components: energyFigure(points),
      traffic: trafficFigure(points),
      roofline: rooflineFigure(points, of, of.bandwidth * bandwidthUnit(countedAs(of))),
    }),
    [points, bases],
  );
  const problems = problemsOf(costs.now.points);
  const numbers = () => costNumbers(points, bases, of.scope);
  const workload = workloadWords(of);
  const isLayer = of.scope === "layer";
  return (
    <div class={costs.now.stale ? "charts stale" : "charts"} aria-busy={costs.busy}>
      <Lead workload={workload} points={points} bases={bases} accounting={countedAs(of)} />
      {problems.length > 0 && (
        <div class="notes wide" role="status">
          {problems.map(problem => (
            <p key={problem}>{problem}</p>
          ))}
        </div>
      )}
      <Chart figure={figures.speedup} table={numbers} file="speedup">
        How many times faster each design computes {workload} than Unfused, which writes every intermediate to DRAM, and
        than FLAT, the best design before FuseMax. The dashed line is the baseline itself.{" "}
        {isLayer
          ? "To attention a layer adds its projections and its feed-forward layer: matrix products, for which all designs need about the same time. The shorter the sequence, the more they level the designs. Normalization and activations are left out. FuseMax, section VI, Fig. 10 (end to end)."
          : "FuseMax, section VI, Fig. 8."}
      </Chart>
      <Chart figure={figures.energy} table={numbers} file="energy">
        The energy of each design as a share of the two baselines'. FuseMax, section VI,{" "}
        {isLayer ? "Fig. 11 (end to end)" : "Fig. 9"}.
      </Chart>
      <Chart figure={figures.utilization} table={numbers} file="utilization">
        The share of the cycles of all processing elements in which they do something: the 2D array multiplies, the 1D
        array does what it cannot. FuseMax keeps both busy by working on several tiles at a time.{" "}
        {isLayer && "While a layer's matrix products run, the 1D array rests. "}
        Sections V and VI, Fig. 6.
      </Chart>
      <Chart figure={figures.use} table={numbers} file="cycles">
        Why the 2D array is not busier: scores of computed tiles that a mask hides, columns and rows without a query,
        key or feature, waits for DRAM, and waits for the 1D array or in the binding's order. More bandwidth helps the
        one, a smaller array the other, a better binding the last. Sections V and VI.
      </Chart>
      <Chart figure={figures.components} table={numbers} file="energy-by-component">
        Where the energy goes: DRAM, the global buffer, register files, and arithmetic in either array. Accesses and
        operations times the energy of each, in 45 nm. Section VI.
      </Chart>
      <Chart figure={figures.traffic} table={numbers} file="traffic">
        Bytes between DRAM and the chip{isLayer && ", the layer's matrices included"}. The 1-pass cascade reads K and V
        once for each block of queries that the buffer holds, and never spills scores. Sections III and IV.
      </Chart>
      <Chart figure={figures.roofline} table={numbers} file="roofline">
        Left of the roof's knee DRAM limits the 2D array, right of it the number of its processing elements. A design
        well below the roof is limited by something else: the 1D array, or arrays that wait for each other. A
        multiply-accumulate is one operation here.
      </Chart>
      <Sweep later={costs.later} names={names} />
      <section class="card wide">
        <h2>The numbers</h2>
        <DataTable caption={`Cost of ${workload}`} table={costTable(points, of.scope)} />
        <Command command={costCommand(of)} />
        {state.model === customModel && (
          <button type="button" onClick={() => save(workloadFile, "text/yaml", workloadText(state))}>
            Save {workloadFile} for it
          </button>
        )}
      </section>
    </div>
  );
}

interface LeadProps {
  readonly workload: string;
  readonly points: readonly CostPoint[];
  readonly bases: readonly CostPoint[];
  readonly accounting: "published" | "corrected";
}

/** What is seen, and what FuseMax makes of it. */
function Lead({ workload, points, bases, accounting }: LeadProps) {
  const [fusemax] = solved(points.filter(({ design }) => design === "fusemax"));
  const faster = solved(bases).map(({ label, evaluation: { latencySeconds } }) => {
    const times = latencySeconds / (fusemax?.evaluation.latencySeconds ?? latencySeconds);
    return `${times.toPrecision(3)} times as fast as ${label}`;
  });
  return (
    <p class="lead wide">
      What {workload} costs on accelerators from Unfused, step by step, to{" "}
      <a href="https://arxiv.org/abs/2406.10491">FuseMax</a> (MICRO 2024).{" "}
      {fusemax !== undefined &&
        `FuseMax takes ${[seconds(fusemax.evaluation.latencySeconds).replace(" ", "\u00a0"), ...faster].join(", ")}; limited by: ${
          boundNames[fusemax.evaluation.bound] ?? fusemax.evaluation.bound
        }. `}
      Accounting: {accounting}.
    </p>
  );
}

function Sweep({ later, names }: { readonly later: Shown; readonly names: readonly string[] }) {
  const { points, requests, stale } = later;
  const scope = requests[0]?.state.scope ?? "attention";
  const figure = useMemo(() => lengthFigure(points, names), [points, names]);
  return (
    <Chart figure={figure} table={() => costNumbers(points, [], scope)} file="speedup-by-length" stale={stale}>
      The same comparison from 1K to 1M tokens.{" "}
      {scope === "layer" && "The longer the sequence, the larger attention's part of a layer. "}
      Short sequences have too few query tiles to fill the machine; at long ones FLAT's rows of scores no longer fit its
      buffer and spill to DRAM, while FuseMax's tiles stay the same size. Section VI, Fig.{" "}
      {scope === "layer" ? "10" : "8"}.
    </Chart>
  );
}
