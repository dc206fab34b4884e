import { paperDesigns } from "../../src/model/evaluation.js";
import { loadWorkload } from "../../src/spec/load.js";
import { CostCharts } from "../cost/charts.js";
import { bandwidthWords, workloadOf } from "../cost/designs.js";
import { designLabel, isPaperDesign, otherDesigns } from "../design/names.js";
import { ownName } from "../design/own.js";
import { Choice, LogSlider, Several, TextField } from "../parts/inputs.js";
import { Sheet } from "../parts/sheet.js";
import { bundledSpecs } from "../specs.js";
import { countedAs, customModel, type State } from "../state.js";
import type { PanelProps } from "./props.js";

const models: readonly (readonly [string, string])[] = [
  ...bundledSpecs.names("workloads").map(name => [name, loadWorkload(bundledSpecs, name).name] as const),
  [customModel, "sizes of your own"],
];

const labelled = (name: string, { own }: State): readonly [string, string] => [name, designLabel(name, own)];

export function CostPanel(props: PanelProps) {
  return (
    <div class="panel">
      <Controls {...props} />
      <CostCharts {...props} />
    </div>
  );
}

function Controls(props: PanelProps) {
  const { phases } = workloadOf(props.state);
  return (
    <Sheet label="What to compare">
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
      <Designs {...props} />
      <Choice
        {...props}
        field="accounting"
        label="Accounting"
        options={[
          ["default", "usual: as published for the paper's hardware, else corrected"],
          ["published", "as published"],
          ["corrected", "with its errors corrected"],
        ]}
      />
      <LogSlider {...props} field="rows" label="Array rows" least={8} most={1024} />
      <LogSlider {...props} field="columns" label="Array columns" least={8} most={1024} />
      <LogSlider {...props} field="buffer" label="Buffer" unit="× its own" least={1 / 64} most={64} />
      <LogSlider
        {...props}
        field="bandwidth"
        label="DRAM bandwidth"
        unit={bandwidthWords(countedAs(props.state))}
        least={25}
        most={6400}
        perOctave={2}
      />
      <LogSlider {...props} field="frequency" label="Clock" unit="MHz" least={117.5} most={3760} perOctave={2} />
    </Sheet>
  );
}

/** The paper's designs and the visitor's own; the other shipped ones are folded. */
function Designs(props: PanelProps) {
  const { state } = props;
  const first = [...paperDesigns, ...(state.own === null ? [] : [ownName])];
  const others = otherDesigns.filter(name => state.designs.includes(name));
  const isPapers = state.designs.every(isPaperDesign);
  return (
    <>
      <Several {...props} field="designs" label="Designs" options={first.map(name => labelled(name, state))} />
      <details class="field several">
        <summary>
          Other designs{others.length > 0 && `: ${others.map(name => designLabel(name, null)).join(", ")}`}
        </summary>
        <Several
          {...props}
          field="designs"
          label="Beside the paper's"
          options={otherDesigns.map(name => labelled(name, state))}
        />
      </details>
      {!isPapers && <p class="quiet">Hardware that is left at its default below is each design's own.</p>}
    </>
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
