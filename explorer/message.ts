import type { FusemaxError } from "../src/errors.js";

/** What the page calls the places that the library names as the command line does. */
const places: Readonly<Record<string, string>> = {
  "--seq": "Sequence length",
  "--phase": "Phase",
  "--mask": "Mask",
  "--shape": "Sizes",
  "--rank": "Rank",
  "--array": "Array",
  "--ports": "Buffer reads",
};

/** "specs/designs/flat.yaml:3:4" -> "flat.yaml:3:4": the visitor knows the file, not where it lies. */
const withoutFolders = (text: string): string => text.replace(/(?:[\w.-]+\/)+([\w.-]+\.(?:yaml|cascade))/g, "$1");

/** An error in the page's words: its own names of settings, no options of the command line. */
export function messageOf({ complaint: { where, got, expected, mend } }: FusemaxError): string {
  const place = places[where] ?? withoutFolders(where).replace(/^--/, "");
  const hint = mend === undefined || /--\w/.test(mend) ? "" : `; ${withoutFolders(mend)}`;
  return `${place}: got ${withoutFolders(got)}; expected ${withoutFolders(expected)}${hint}`;
}
