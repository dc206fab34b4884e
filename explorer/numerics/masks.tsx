import { useEffect, useId, useRef } from "preact/hooks";
import type { PanelProps } from "../panels/props.js";
import { Choice, TextField } from "../parts/inputs.js";
import { useStore } from "../store.js";
import { session } from "./session.js";

interface MasksProps extends PanelProps {
  /** The mask as it is, in words; null where it is wrong. */
  readonly words: string | null;
}

/** Which keys a query sees, in the patterns of the command line; all that is named intersects. */
export function Masks({ words, ...props }: MasksProps) {
  const id = useId();
  const { maskFiles } = useStore(session);
  const details = useRef<HTMLDetailsElement>(null);
  // What is wrong is shown, and stays open once it is corrected: under the fingers.
  useEffect(() => {
    if (words === null && details.current !== null) details.current.open = true;
  }, [words]);
  return (
    <details ref={details} class="field">
      <summary>Mask: {words ?? "?"}</summary>
      <div class="folded">
        <Choice
          {...props}
          field="mask"
          label="Causal"
          options={[
            ["model", "as the model does"],
            ["causal", "yes"],
            ["none", "no"],
          ]}
        />
        <TextField {...props} field="window" label="Window" unit="left,right" />
        <TextField {...props} field="masks" label="Other masks" unit="one after the other" />
        <p class="quiet">
          <code>causal:top-left</code>, <code>window:l,r</code>, <code>prefix:n</code>, <code>document:100,156</code>,{" "}
          <code>blocks:mask.npy,64</code>, or a file of truth values. A query sees what all of them show.
        </p>
        <label for={id}>Files that they name</label>
        <input
          id={id}
          type="file"
          name="maskFiles"
          multiple
          accept=".npy,.safetensors"
          onChange={event => session.set({ maskFiles: [...(event.currentTarget.files ?? [])] })}
        />
        {maskFiles.length > 0 && <p class="quiet">{maskFiles.map(({ name }) => name).join(", ")}</p>}
        <TextField {...props} field="softcap" label="Cap of the scores" unit="0: the model's" />
      </div>
    </details>
  );
}
