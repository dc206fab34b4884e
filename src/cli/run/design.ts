import type { AttentionShape } from "../../attention/shape.js";
import type { Tile } from "../../attention/tile.js";
import { loadCascade } from "../../io/cascade-files.js";
import { specFiles } from "../../io/spec-files.js";
import { loadDesign } from "../../spec/load.js";
import { namedArithmetic } from "../arithmetic.js";
import { emulatedDesign, type RunDesign, tileOfDesign } from "./emulated-design.js";
import type { RunOptions } from "./options.js";

/**
 * The design that the options name, with its cascade or that of --cascade.
 * @throws UsageError for a design without one, SpecError or InputError for one that does not compute attention.
 */
export function designOfRun(options: Pick<RunOptions, "design" | "cascade" | "arithmetic" | "format">): RunDesign {
  const design = loadDesign(specFiles, options.design, "--design", { arithmetic: namedArithmetic(options) });
  return emulatedDesign(design, options.cascade === undefined ? design.cascade : loadCascade(options.cascade));
}

/** The tile of --array, else that of the design's mapping. */
export const tileOfRun = (design: RunDesign, options: RunOptions, shape: AttentionShape): Tile =>
  options.array ?? tileOfDesign(design, shape);
