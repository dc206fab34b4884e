import { UsageError } from "../../errors.js";
import { parseLengths, parseSize, parseWindow } from "../values.js";

/** To which corner of the scores a pattern about a query's own place is aligned: the last query and key, or the first. */
export type Corner = "bottom-right" | "top-left";

/** One `--mask`: a pattern by name, or a file. */
export type MaskChoice =
  | { readonly kind: "causal"; readonly corner: Corner }
  | { readonly kind: "window"; readonly left: number; readonly right: number; readonly corner: Corner }
  | { readonly kind: "prefix"; readonly keys: number }
  | { readonly kind: "document"; readonly lengths: readonly number[] }
  | { readonly kind: "blocks"; readonly path: string; readonly queries: number; readonly keys: number }
  | { readonly kind: "file"; readonly path: string };

const patterns = "causal, causal:top-left, window:l,r, prefix:n, document:LENGTHS, blocks:FILE,SIZE, or a file";

/**
 * `causal | causal:top-left | window:l,r[:top-left] | prefix:n | document:LENGTHS | blocks:FILE,SIZE`, or the path of a
 * file; `file:PATH` where it would be read as a pattern.
 * @throws UsageError
 */
export function parseMask(option: string, text: string): MaskChoice {
  const [name = "", ...rest] = text.split(":");
  const of = rest.join(":");
  switch (name.toLowerCase()) {
    case "causal":
      return { kind: "causal", corner: rest.length === 0 ? "bottom-right" : parseCorner(option, text, of) };
    case "window": {
      const [sides = "", ...corner] = rest;
      const { left, right } = parseWindow(`${option} window`, sides);
      return { kind: "window", left, right, corner: parseCorner(option, text, corner[0] ?? "bottom-right") };
    }
    case "prefix":
      if (!/^\s*\d+[KMG]?\s*$/i.test(of)) throw wrong(option, text, "prefix:N with N keys from 0 up");
      return { kind: "prefix", keys: of.trim() === "0" ? 0 : parseSize(`${option} prefix`, of) };
    case "document": {
      const lengths = parseLengths(option, of);
      if (lengths.includes(0)) throw wrong(option, text, "documents of at least one token each");
      return { kind: "document", lengths };
    }
    case "blocks": {
      const match = /^(.+),\s*(\d+[KMG]?)(?:x(\d+[KMG]?))?$/i.exec(of);
      if (match === null) throw wrong(option, text, "blocks:FILE,SIZE with SIZE scores square a bit, or SIZExSIZE");
      const queries = parseSize(option, match[2] ?? "");
      return { kind: "blocks", path: match[1] ?? "", queries, keys: parseSize(option, match[3] ?? match[2] ?? "") };
    }
    case "file":
      if (of === "") throw wrong(option, text, "file:PATH");
      return { kind: "file", path: of };
    default:
      // A file of tensors has an ending; a word without one is a pattern that there is not.
      if (!/[./\\]/.test(text)) throw wrong(option, text, patterns);
      return { kind: "file", path: text };
  }
}

function parseCorner(option: string, text: string, corner: string): Corner {
  if (corner === "top-left" || corner === "bottom-right") return corner;
  throw wrong(option, text, `the corner top-left or bottom-right; masks are ${patterns}`);
}

const wrong = (option: string, text: string, expected: string): UsageError =>
  new UsageError({ where: option, got: text === "" ? "nothing" : `"${text}"`, expected });

/** A choice as it is written. */
export function maskInWords(choice: MaskChoice): string {
  switch (choice.kind) {
    case "causal":
      return `causal, ${choice.corner}`;
    case "window":
      return `window ${choice.left},${choice.right}${choice.corner === "top-left" ? ", top-left" : ""}`;
    case "prefix":
      return `prefix ${choice.keys}`;
    case "document":
      return `documents ${choice.lengths.join(",")}`;
    case "blocks":
      return `blocks of ${choice.queries} x ${choice.keys} in ${choice.path}`;
    case "file":
      return choice.path;
  }
}
