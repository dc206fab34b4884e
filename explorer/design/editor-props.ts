import type { Fault } from "./check.js";

/** What an editor of a file is given, the plain field or CodeMirror. */
export interface EditorProps {
  readonly file: string;
  readonly text: string;
  readonly edit: (text: string, keep: boolean) => void;
  /** What is wrong with this file; null where nothing is. */
  readonly fault: Fault | null;
  readonly describedBy: string;
}
