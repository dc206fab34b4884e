import { useId, useState } from "preact/hooks";
import { tensorBytes } from "../../src/emulator/validate.js";
import { type FormatName, formatNames } from "../../src/numerics/format.js";
import { bytes } from "../../src/report/units.js";
import type { PanelProps } from "../app.js";
import { runCommand } from "../numerics/command.js";
import { type DroppedInputs, openFiles } from "../numerics/files.js";
import { mostTensorBytes, problemOf, type RunRequest, shapeOf } from "../numerics/request.js";
import { ErrorMap, Formats, Histogram } from "../numerics/results.js";
import { type Runs, useRun } from "../numerics/use-run.js";
import { Command } from "../parts/command.js";
import { Choice, LogSlider, TextField } from "../parts/inputs.js";
import type { State } from "../state.js";

export function NumericsPanel(props: PanelProps) {
  const runs = useRun();
  const [shown, show] = useState<FormatName | null>(null);
  const [dropped, setDropped] = useState<Dropped | null>(null);
  const [wrongFiles, setWrongFiles] = useState("");
  const take = async (list: FileList | null | undefined) => {
    const files = [...(list ?? [])];
    if (files.length === 0) return;
    setWrongFiles("");
    try {
      setDropped({ files, ...(await openFiles(files)) });
    } catch (error) {
      setWrongFiles(error instanceof Error ? error.message : String(error));
    }
  };
  const drop = (event: DragEvent) => {
    event.preventDefault(); // else the browser leaves the page for the file
    if (event.type === "drop") void take(event.dataTransfer?.files);
  };
  const outcome = runs.outcomes.find(({ format }) => format === shown) ?? runs.outcomes[0];
  return (
    // What is dropped can be chosen by keyboard as well.
    // biome-ignore lint/a11y/noStaticElementInteractions: see above
    <div class="panel" onDragOver={drop} onDrop={drop}>
      <Controls {...props} {...{ runs, dropped, setDropped, take, wrongFiles }} />
      <div class="charts">
        <Progress runs={runs} />
        {outcome === undefined ? (
          <section class="card wide">
            <h2>Every bit of the array</h2>
            <p>
              The emulator computes attention as FuseMax's processing elements do: the same tiles, the same number
              formats, each operation rounded as the hardware rounds it. It runs here, on your GPU, or in WebAssembly on
              your processor, and gives the same bits on both. Choose a workload and press Run.
            </p>
          </section>
        ) : (
          <>
            <Formats outcomes={runs.outcomes} shown={outcome} show={show} />
            <ErrorMap outcome={outcome} />
            <Histogram outcome={outcome} />
          </>
        )}
        <section class="card wide">
          <h2>The same run on the command line</h2>
          <p class="quiet">It prints the same sha256 of the same bits.</p>
          <Command command={runCommand(props.state, dropped?.options ?? null)} />
        </section>
      </div>
    </div>
  );
}

/** Files that take the place of generated inputs. They are no part of a link. */
interface Dropped extends DroppedInputs {
  readonly files: readonly File[];
}

const requestOf = (state: State, dropped: Dropped | null, format: FormatName): RunRequest => ({
  problem: problemOf(state, dropped?.shape ?? shapeOf(state), format),
  engine: state.engine,
  seed: state.seed,
  spread: state.spread,
  files: dropped?.files ?? null,
});

interface ControlsProps extends PanelProps {
  readonly runs: Runs;
  readonly dropped: Dropped | null;
  readonly setDropped: (dropped: Dropped | null) => void;
  readonly take: (files: FileList | null | undefined) => Promise<void>;
  /** What is wrong with the files chosen last. */
  readonly wrongFiles: string;
}

function Controls(props: ControlsProps) {
  const { state, runs, dropped } = props;
  const size = tensorBytes(dropped?.shape ?? shapeOf(state));
  const tooLarge = size > mostTensorBytes;
  const busy = runs.step !== null;
  const run = (names: readonly FormatName[]) => {
    if (!tooLarge && !busy) runs.start(names.map(name => requestOf(state, dropped, name)));
  };
  return (
    <form
      class="controls"
      aria-label="What to run"
      onSubmit={event => {
        event.preventDefault();
        run([state.format]);
      }}
    >
      <Files {...props} />
      {dropped === null && <Generated {...props} />}
      <Choice
        {...props}
        field="mask"
        label="Mask"
        options={[
          ["none", "none"],
          ["causal", "causal"],
        ]}
      />
      <LogSlider {...props} field="m0" label="Array rows (keys a tile)" least={1} most={1024} />
      <Choice {...props} field="format" label="Format" options={formatNames.map(name => [name, name])} />
      <Choice
        {...props}
        field="engine"
        label="Engine"
        options={[
          ["auto", "GPU, if any"],
          ["webgpu", "WebGPU on anything"],
          ["wasm", "WebAssembly"],
          ["cpu", "plain twin (slow)"],
        ]}
      />
      {tooLarge && (
        <p class="wrong" role="alert">
          Inputs and output take {bytes(size)}; a tab holds at most {bytes(mostTensorBytes)}. Use fewer heads, keys or
          queries.
        </p>
      )}
      <div class="exports run">
        <button type="submit" disabled={tooLarge || busy}>
          Run
        </button>
        <button type="button" disabled={tooLarge || busy} onClick={() => run(formatNames)}>
          Run every format
        </button>
      </div>
    </form>
  );
}

function Generated(props: PanelProps) {
  return (
    <>
      <LogSlider {...props} field="queries" label="Queries" least={1} most={4096} />
      <LogSlider {...props} field="keys" label="Keys" least={1} most={2 ** 17} />
      <TextField {...props} field="runHeads" label="Heads" />
      <TextField {...props} field="E" label="Width E of queries and keys" />
      <TextField {...props} field="F" label="Width F of values" />
      <LogSlider {...props} field="spread" label="Spread of the scores" least={1 / 64} most={64} />
      <TextField {...props} field="seed" label="Seed" />
    </>
  );
}

function Files({ dropped, setDropped, take, wrongFiles }: ControlsProps) {
  const id = useId();
  if (dropped !== null) {
    const { batch, heads, kvHeads, queries, keys, headDim, valueDim } = dropped.shape;
    return (
      <div class="field">
        <p>
          {dropped.files.map(({ name }) => name).join(", ")}: Q [{batch}, {heads}, {queries}, {headDim}], K [{batch},{" "}
          {kvHeads}, {keys}, {headDim}], V [{batch}, {kvHeads}, {keys}, {valueDim}].
        </p>
        <button type="button" onClick={() => setDropped(null)}>
          Make inputs instead
        </button>
      </div>
    );
  }
  return (
    <div class="field drop">
      <label for={id}>
        Your own Q, K and V: q.npy, k.npy, v.npy or one .safetensors, chosen or dropped on the page
      </label>
      <input
        id={id}
        type="file"
        multiple
        accept=".npy,.safetensors"
        aria-describedby={wrongFiles === "" ? undefined : `${id}-wrong`}
        onChange={event => void take(event.currentTarget.files)}
      />
      {wrongFiles !== "" && (
        <p class="wrong" id={`${id}-wrong`} role="alert">
          {wrongFiles}
        </p>
      )}
    </div>
  );
}

function Progress({ runs: { step, failure, outcomes, cancel } }: { readonly runs: Runs }) {
  const notes = [...new Set(outcomes.flatMap(outcome => outcome.notes))];
  if (step === null && failure === null && notes.length === 0) return null;
  return (
    <div class="notes wide" role="status">
      {step !== null && (
        <div class="progress">
          <label>
            {step.what}
            {step.engine !== undefined && <span class="unit"> ({step.engine})</span>}
            <progress max={1} value={step.share} />
          </label>
          <button type="button" onClick={cancel}>
            Cancel
          </button>
        </div>
      )}
      {failure !== null && <p class="wrong">{failure}</p>}
      {notes.map(note => (
        <p key={note}>{note}</p>
      ))}
    </div>
  );
}
