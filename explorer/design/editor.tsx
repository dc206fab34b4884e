import { useId } from "preact/hooks";
import type { Fault } from "./check.js";

export interface EditorProps {
  readonly file: string;
  readonly text: string;
  readonly edit: (text: string, keep: boolean) => void;
  /** What is wrong with this file; null where nothing is. */
  readonly fault: Fault | null;
  readonly describedBy: string;
}

/** A file's text, to type in. */
export function Editor({ file, text, edit, fault, describedBy }: EditorProps) {
  const id = useId();
  return (
    <>
      <label for={id} class="hidden">
        Text of {file}
      </label>
      <textarea
        id={id}
        name="designFile"
        rows={24}
        spellcheck={false}
        wrap="off"
        value={text}
        aria-invalid={fault !== null}
        aria-describedby={describedBy}
        onInput={event => edit(event.currentTarget.value, false)}
        onChange={event => edit(event.currentTarget.value, true)}
      />
    </>
  );
}
