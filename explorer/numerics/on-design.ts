import type { AttentionProblem } from "../../src/attention/problem.js";
import { refuseOnePassChoices } from "../../src/cli/one-pass-choices.js";
import { emulatedDesign, sourceOf, tileOfDesign } from "../../src/cli/run/emulated-design.js";
import { loadDesign } from "../../src/spec/load.js";
import { designLabel } from "../design/names.js";
import { loadOwn } from "../design/source.js";
import { bundledSpecs } from "../specs.js";
import type { RunOfDesign } from "./request.js";

/**
 * The problem in a design's cascade, tile and arithmetic, as `run --design` has it.
 * @throws SpecError, CascadeError, InputError or UsageError where its files are wrong, or are not attention
 */
export function problemOnDesign(problem: AttentionProblem, { name, own }: RunOfDesign): AttentionProblem {
  const loaded = own === null ? loadDesign(bundledSpecs, name) : loadOwn(own);
  const design = emulatedDesign(loaded);
  const arithmetic = loaded.arithmetic.data;
  refuseOnePassChoices(arithmetic, design.cascade, `the arithmetic ${arithmetic.name}`);
  return { ...problem, arithmetic, tile: tileOfDesign(design, problem.shape), ...sourceOf(design) };
}

/** What is computed instead of what is set. */
export function wordsOfDesign({ tile, cascade, arithmetic }: AttentionProblem, { name, own }: RunOfDesign): string {
  const text = cascade === undefined ? "FuseMax's cascade" : `the cascade ${cascade.name}`;
  return `Computed as ${designLabel(name, own)} computes it: ${text}, tiles of ${tile.m0} keys and ${tile.p0} queries, ${arithmetic.name}.`;
}
