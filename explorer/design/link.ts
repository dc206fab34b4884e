import { deflateSync, inflateSync, strFromU8, strToU8 } from "fflate";
import { z } from "zod/mini";
import { type OwnDesign, ownDesign } from "./own.js";

/** A design whose files take more characters of a link stays out of it: longer links are cut by what they pass through. */
export const longestDesignLink = 6000;

/** What a link says in the place of a design that it cannot carry: the browser in which it was made has it. */
export const keptHere = "kept";

const written = z.tuple([z.string(), z.record(z.string().check(z.maxLength(100)), z.string())]);
/** Files take up to a hundredth of their room in a link; a link that says more is not one of ours. */
const mostBytes = 2 ** 20;

const packed = new WeakMap<OwnDesign, string>();

/** Its files in the letters of an address: compressed, base64url. */
export function packDesign(own: OwnDesign): string {
  const before = packed.get(own);
  if (before !== undefined) return before;
  const bytes = deflateSync(strToU8(JSON.stringify([own.base, own.files])), { level: 9 });
  const text = btoa(strFromU8(bytes, true)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  packed.set(own, text);
  return text;
}

/** The design of a link; undefined where it is none. */
export function unpackDesign(text: string): OwnDesign | undefined {
  try {
    const bytes = strToU8(atob(text.replaceAll("-", "+").replaceAll("_", "/")), true);
    const read = written.safeParse(JSON.parse(strFromU8(inflateSync(bytes, { out: new Uint8Array(mostBytes) }))));
    return read.success ? ownDesign(...read.data) : undefined;
  } catch {
    return undefined; // cut, or never one of ours
  }
}

/** Whether a link can carry it. */
export const fitsLink = (own: OwnDesign): boolean => packDesign(own).length <= longestDesignLink;

/** What is kept: the design that is worked on, and the one that is pinned. */
export type KeptPlace = "design" | "pinned";
const nameOf = (place: KeptPlace): string => `fusemax.${place}`;

/** Keeps a design that no link can carry in this browser. */
export function keepHere(own: OwnDesign, place: KeptPlace): void {
  try {
    localStorage.setItem(nameOf(place), JSON.stringify([own.base, own.files]));
  } catch {
    // No storage, or none left: the page says that it is no part of the link.
  }
}

/** The design that is kept in this browser; undefined without one. */
export function designKeptHere(place: KeptPlace): OwnDesign | undefined {
  try {
    const read = written.safeParse(JSON.parse(globalThis.localStorage?.getItem(nameOf(place)) ?? "null"));
    return read.success ? ownDesign(...read.data) : undefined;
  } catch {
    return undefined;
  }
}
