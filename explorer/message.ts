import { type FusemaxError, problemOf } from "../src/errors.js";

/** What the page calls the places that the library names as the command line does. */
const places: Readonly<Record<string, string>> = {
  "--seq": "Sequence length",
  "--phase": "Phase",
  "--mask": "Mask",
  "--window": "Window",
  "--causal": "Causal",
  "--kv-heads": "Key/value heads",
  "--model": "Model",
  "--shape": "Sizes",
  "--rank": "Rank",
  "--array": "Array",
  "--ports": "Buffer reads",
};

/** "specs/designs/flat.yaml:3:4" -> "flat.yaml:3:4": the visitor knows the file, not where it lies. */
const withoutFolders = (text: string): string => text.replace(/(?:[\w.-]+\/)+([\w.-]+\.(?:yaml|cascade))/g, "$1");

/** Options of the command line as the settings that the page has for them. */
const withoutOptions = (text: string): string =>
  text.replace(/--[a-z][a-z-]*/g, option => places[option] ?? option.slice(2).replaceAll("-", " "));

/** An error in the page's words: its own names of settings, no options of the command line. */
export function messageOf({ complaint: { where, fix, ...what } }: FusemaxError): string {
  const [place, sentence] = [where, problemOf(what)].map(text => withoutOptions(withoutFolders(text)));
  const hint = fix === undefined || /--\w/.test(fix) ? "" : `; ${withoutFolders(fix)}`;
  return `${place}: ${sentence}${hint}`;
}
