import { paperDesigns } from "../../src/model/evaluation.js";
import { loadDesignSpec } from "../../src/spec/load.js";
import { bundledSpecs } from "../specs.js";
import { type OwnDesign, ownName, ownPath } from "./own.js";
import { saidOf } from "./source.js";

const shipped = new Map(
  bundledSpecs.names("designs").map(name => [name, loadDesignSpec(bundledSpecs, name).data] as const),
);

const paper: readonly string[] = paperDesigns;

export const isPaperDesign = (name: string): boolean => paper.includes(name);

/** The shipped designs of attention beside the paper's; those without a cascade compute matrix products. */
export const otherDesigns: readonly string[] = [...shipped]
  .filter(([name, { cascade }]) => cascade !== undefined && !isPaperDesign(name))
  .map(([name]) => name);

/** Every design that can be shown: the paper's in the order of its figures, the others, the visitor's own. */
export const allDesigns: readonly string[] = [...paper, ...otherDesigns, ownName];

/** Designs with a binding cycle by cycle, which can be simulated. */
export const scheduledDesigns: readonly string[] = [...paper, ...otherDesigns].filter(
  name => shipped.get(name)?.schedule !== undefined,
);

/** The paper's label; its figures call FuseMax whole "+Binding". */
export function designLabel(name: string, own: OwnDesign | null): string {
  if (name === ownName) return own === null ? "your design" : saidOf(own).label;
  const label = shipped.get(name)?.label ?? name;
  return name === "fusemax" ? `${label} (FuseMax)` : label;
}

/** The name in the design's file. */
export const nameOfDesign = (name: string, own: OwnDesign | null): string =>
  name === ownName && own !== null ? saidOf(own).name : name;

/** What the command line calls a design. */
export const argumentOf = (design: string): string => (design === ownName ? ownPath : design);

/** The place after those of the paper's five designs and of a roofline's roof. */
const ownSlot = 6;

/** The place of a design in the palette, the markers and the dashes: the same in every chart, whichever are beside it. */
export function designSlot(name: string): number {
  if (name === ownName) return ownSlot;
  return isPaperDesign(name) ? paper.indexOf(name) : ownSlot + 1 + otherDesigns.indexOf(name);
}
