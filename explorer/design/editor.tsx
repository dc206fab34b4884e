import type { ComponentType } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { EditorProps } from "./editor-props.js";

type Code = ComponentType<EditorProps & { readonly start: number | null }>;
let loaded: Code | null = null;

/** A file's text, to type in: in a plain field until the editor is there, and where it cannot be had. */
export function Editor(props: EditorProps) {
  const { file, text, edit, fault, describedBy } = props;
  const id = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const [Code, show] = useState<Code | null>(() => loaded);
  /** Where the cursor was in the plain field, as the editor took its place; null where it was elsewhere. */
  const [start, setStart] = useState<number | null>(null);
  useEffect(() => {
    if (loaded !== null) return;
    import("./code-editor.js").then(
      ({ CodeEditor }) => {
        loaded = CodeEditor;
        const { current } = field;
        if (current !== null && document.activeElement === current) setStart(current.selectionStart);
        show(() => CodeEditor);
      },
      () => undefined, // the plain field stays
    );
  }, []);
  if (Code !== null) return <Code {...props} start={start} />;
  return (
    <>
      <label for={id} class="hidden">
        Text of {file}
      </label>
      <textarea
        ref={field}
        id={id}
        class="code"
        name="designFile"
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
