import type { AttentionProblem } from "../attention/problem.js";
import { type Cascade, parseCascade } from "../einsum/cascade.js";
import { lower } from "../program/lower.js";
import type { TileProgram } from "../program/program.js";
import { isOnePass } from "./one-pass.js";

const parsed = new Map<string, Cascade>();
const lowered = new WeakMap<Cascade, Map<string, TileProgram>>();

/** The cascade of a problem, read once; null where it has none of its own. @throws CascadeError */
export function cascadeOf({ cascade }: AttentionProblem): Cascade | null {
  if (cascade === undefined) return null;
  const key = `${cascade.name}\n${cascade.text}`;
  const known = parsed.get(key) ?? parseCascade(cascade.text, cascade.name);
  parsed.set(key, known);
  return known;
}

/**
 * The tile program that an engine has to print for a problem; null where its kernels written by hand do: for FuseMax's own
 * cascade, unless `always`.
 * @throws InputError for a cascade that is no program of tiles.
 */
export function programOf(problem: AttentionProblem, always = false): TileProgram | null {
  const cascade = cascadeOf(problem);
  if (cascade === null || (!always && isOnePass(cascade))) return null;
  const programs = lowered.get(cascade) ?? new Map<string, TileProgram>();
  lowered.set(cascade, programs);
  const key = `${JSON.stringify(problem.arithmetic)} ${problem.scale}`;
  const program = programs.get(key) ?? lower(cascade, problem.arithmetic, problem.scale);
  programs.set(key, program);
  return program;
}

/** Keys of a tile as the engines walk them: the mapping's, or any where the cascade does not split the keys. */
export function tileKeys({ shape, tile }: AttentionProblem, program: TileProgram): number {
  return Math.min(shape.keys, program.splitsKeys ? tile.m0 : 256);
}
