import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, lintGutter, setDiagnostics } from "@codemirror/lint";
import { EditorState, type Extension, type Text } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "preact/hooks";
import type { Fault } from "./check.js";
import type { EditorProps } from "./editor-props.js";

/** In the page's colours, of which each scheme has its own. */
const look = EditorView.theme({
  "&": { height: "var(--editor-height)", color: "var(--ink)", backgroundColor: "var(--card)", fontSize: "0.9rem" },
  "&.cm-editor": { border: "1px solid var(--quiet)", borderRadius: "5px" },
  "&.cm-editor.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: 'ui-monospace, "DejaVu Sans Mono", Consolas, monospace', overflow: "auto" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-content:focus-visible": { outline: "3px solid var(--accent)", outlineOffset: "-3px" },
  ".cm-gutters": { color: "var(--quiet)", backgroundColor: "var(--shade)", borderColor: "var(--line)" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--wrong)" },
  ".cm-tooltip": { color: "var(--ink)", backgroundColor: "var(--card)", border: "1px solid var(--quiet)" },
});

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--accent)" },
  { tag: [tags.comment, tags.lineComment], color: "var(--quiet)", fontStyle: "italic" },
  { tag: [tags.string, tags.special(tags.string)], color: "light-dark(#7a3e00, #ffc48a)" },
]);

const isYaml = (file: string): boolean => /\.ya?ml$/i.test(file);

function extensionsFor(file: string, describedBy: string, tell: (text: string, keep: boolean) => void): Extension {
  return [
    lineNumbers(),
    lintGutter(),
    history(),
    indentUnit.of("  "),
    // Tab leaves the editor, as it leaves every other field.
    keymap.of([...defaultKeymap, ...historyKeymap]),
    ...(isYaml(file) ? [yaml()] : []),
    syntaxHighlighting(colours),
    look,
    EditorView.contentAttributes.of({
      "aria-label": `Text of ${file}`,
      "aria-describedby": describedBy,
      spellcheck: "false",
      tabindex: "0",
    }),
    EditorView.updateListener.of(({ docChanged, state, transactions }) => {
      const isOurs = transactions.some(transaction => transaction.isUserEvent("outside"));
      if (docChanged && !isOurs) tell(state.doc.toString(), false);
    }),
    EditorView.domEventHandlers({ blur: (_, { state }) => tell(state.doc.toString(), true) }),
  ];
}

/** The fault as a mark from its place to the end of its word, or of its line. */
function diagnosticsOf(doc: Text, fault: Fault | null): readonly Diagnostic[] {
  if (fault === null) return [];
  const line = doc.line(Math.min(Math.max(1, fault.line), doc.lines));
  const from = Math.min(line.from + fault.column - 1, line.to);
  const [word = ""] = /^[\w.-]+/.exec(line.text.slice(from - line.from)) ?? [];
  return [{ from, to: word === "" ? line.to : from + word.length, severity: "error", message: fault.message }];
}

/** A file's text in CodeMirror, the fault marked at its line. */
export function CodeEditor({
  file,
  text,
  edit,
  fault,
  describedBy,
  start,
}: EditorProps & { readonly start: number | null }) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const tell = useRef(edit);
  tell.current = edit;
  useEffect(() => {
    if (place.current === null) return undefined;
    const told = { text };
    const made = new EditorView({
      parent: place.current,
      state: EditorState.create({
        doc: text,
        selection: { anchor: Math.min(start ?? 0, text.length) },
        extensions: extensionsFor(file, describedBy, (now, keep) => {
          if (now === told.text) return;
          if (!keep) told.text = now;
          tell.current(now, keep);
        }),
      }),
    });
    view.current = made;
    if (start !== null) made.focus();
    return () => {
      view.current = null;
      made.destroy();
    };
  }, [file]);
  useEffect(() => {
    const { current } = view;
    if (current === null || current.state.doc.toString() === text) return;
    // Another design, or a step back in the history.
    current.dispatch({ changes: { from: 0, to: current.state.doc.length, insert: text }, userEvent: "outside" });
  }, [text]);
  useEffect(() => {
    const { current } = view;
    if (current === null) return;
    current.dispatch(setDiagnostics(current.state, [...diagnosticsOf(current.state.doc, fault)]));
    current.contentDOM.setAttribute("aria-invalid", String(fault !== null));
  }, [fault, file]);
  return <div ref={place} class="code" data-file={file} />;
}
