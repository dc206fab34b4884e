import { useId } from "preact/hooks";
import { loadWorkload } from "../../src/spec/load.js";
import type { PanelProps } from "../panels/props.js";
import { Choice, LogSlider, Several, TextField } from "../parts/inputs.js";
import { bundledSpecs } from "../specs.js";
import { noModel } from "../state.js";
import { useStore } from "../store.js";
import { arithmeticNames, ownFile, textOf } from "./arithmetics.js";
import { modelOf } from "./attention.js";
import { session } from "./session.js";
import { takeFiles } from "./take-files.js";

const models: readonly (readonly [string, string])[] = [
  [noModel, "none: sizes of your own"],
  ...bundledSpecs.names("workloads").map(name => [name, loadWorkload(bundledSpecs, name).name] as const),
];

/** The model whose heads, widths, mask and cap are taken. */
export function Model(props: PanelProps) {
  const change: PanelProps["change"] = (part, keep) => {
    const { runModel = noModel } = part;
    const keys = runModel === noModel ? undefined : modelOf(runModel).crossKeys;
    props.change({ ...part, ...(keys === undefined ? {} : { keys }) }, keep);
  };
  return <Choice {...props} change={change} field="runModel" label="Model" options={models} />;
}

export function Generated(props: PanelProps) {
  const isOwn = props.state.runModel === noModel;
  return (
    <>
      <LogSlider {...props} field="queries" label="Queries" least={1} most={4096} />
      <LogSlider {...props} field="keys" label="Keys" least={1} most={2 ** 17} />
      {isOwn && (
        <>
          <TextField {...props} field="runHeads" label="Heads" />
          <TextField {...props} field="kvHeads" label="Key/value heads" unit="0: as many" />
          <TextField {...props} field="E" label="Width E of queries and keys" />
          <TextField {...props} field="F" label="Width F of values" />
        </>
      )}
      <LogSlider {...props} field="spread" label="Spread of the scores" least={1 / 64} most={64} />
      <TextField {...props} field="seed" label="Seed" />
    </>
  );
}

/** Which arithmetics to run side by side, and one of the visitor's own. */
export function Arithmetics({ wrong, ...props }: PanelProps & { readonly wrong: string | null }) {
  const { state, change } = props;
  const id = useId();
  const isOwn = state.ownArithmetic !== "";
  const names = [...state.arithmetics, ...(isOwn ? ["one of your own"] : [])].join(", ");
  return (
    <>
      <details class="field several">
        <summary>Arithmetic: {names}</summary>
        <Several {...props} field="arithmetics" label="Run side by side" options={arithmeticNames.map(n => [n, n])} />
      </details>
      <details class="field" open={isOwn}>
        <summary>An arithmetic of your own</summary>
        {isOwn ? (
          <>
            <label for={id}>{ownFile}</label>
            <textarea
              id={id}
              name="ownArithmetic"
              rows={14}
              spellcheck={false}
              wrap="off"
              value={state.ownArithmetic}
              aria-invalid={wrong !== null}
              aria-describedby={`${id}-said`}
              onInput={event => change({ ownArithmetic: event.currentTarget.value })}
              onChange={event => change({ ownArithmetic: event.currentTarget.value }, true)}
            />
            <p id={`${id}-said`} class="wrong" role="status">
              {wrong}
            </p>
            <button type="button" onClick={() => change({ ownArithmetic: "" }, true)}>
              Without it
            </button>
          </>
        ) : (
          <button type="button" onClick={() => change({ ownArithmetic: textOf(state.arithmetics[0] ?? "bf16") }, true)}>
            Edit a copy of {state.arithmetics[0]}
          </button>
        )}
      </details>
    </>
  );
}

export function Files() {
  const id = useId();
  const { dropped, wrongFiles } = useStore(session);
  if (dropped !== null) {
    const { batch, heads, kvHeads, queries, keys, headDim, valueDim } = dropped.shape;
    return (
      <div class="field">
        <p>
          {dropped.files.map(({ name }) => name).join(", ")}: Q [{batch}, {heads}, {queries}, {headDim}], K [{batch},{" "}
          {kvHeads}, {keys}, {headDim}], V [{batch}, {kvHeads}, {keys}, {valueDim}].
        </p>
        <button type="button" onClick={() => session.set({ dropped: null })}>
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
        name="inputFiles"
        multiple
        accept=".npy,.safetensors"
        aria-describedby={wrongFiles === "" ? undefined : `${id}-wrong`}
        onChange={event => void takeFiles(event.currentTarget.files)}
      />
      {wrongFiles !== "" && (
        <p class="wrong" id={`${id}-wrong`} role="alert">
          {wrongFiles}
        </p>
      )}
    </div>
  );
}
