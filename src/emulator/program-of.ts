import { hasPlanes } from "../attention/mask.js";
import type { AttentionProblem } from "../attention/problem.js";
import { type Cascade, parseCascade } from "../einsum/cascade.js";
import { InputError } from "../errors.js";
import { formatOf } from "../numerics/format-of.js";
import { exponentFactor } from "../numerics/pe.js";
import { type LowerOptions, lower } from "../program/lower.js";
import { onePassProgram } from "../program/one-pass.js";
import { peTable } from "../program/pe-table.js";
import type { TileProgram } from "../program/program.js";
import { withScoreTerms, withSink, withSinkBetween } from "../program/score-terms.js";
import { writesOf } from "../program/steps.js";
import { isSplit } from "./kv-runs.js";
import { isOnePass, onePassSource, stateTensors } from "./one-pass.js";
import { threePass } from "./three-pass.js";

const parsed = new Map<string, Cascade>();
const lowered = new WeakMap<Cascade, Map<string, TileProgram>>();

/** The cascade of a problem, read once. @throws CascadeError */
export function cascadeOf({ cascade = onePassSource }: Pick<AttentionProblem, "cascade">): Cascade {
  const key = `${cascade.name}\n${cascade.text}`;
  const known = parsed.get(key) ?? parseCascade(cascade.text, cascade.name);
  parsed.set(key, known);
  return known;
}

/**
 * The tile program that an engine has to print for a problem; null where its kernels written by hand do: for FuseMax's own
 * cascade in a number format, on scores as the product leaves them, of which each query sees an interval, unless `always`.
 * Of split keys it is the program of a run.
 * @throws InputError for a cascade that is no program of tiles, or that cannot be had in the problem's arithmetic.
 */
export function programOf(problem: AttentionProblem, always = false): TileProgram | null {
  const cascade = cascadeOf(problem);
  if (!always && hasKernels(problem) && isOnePass(cascade)) return null;
  const programs = lowered.get(cascade) ?? new Map<string, TileProgram>();
  lowered.set(cascade, programs);
  const { arithmetic, scale, softcap, bias, sink = false } = problem;
  const key = [JSON.stringify(arithmetic), scale, softcap, bias !== undefined, sink, isSplit(problem)].join(" ");
  const program = programs.get(key) ?? programFor(problem, cascade);
  programs.set(key, program);
  return program;
}

/** Whether the kernels written by hand do for FuseMax's own cascade: for interval masks, and scores as the product leaves them. */
const hasKernels = (problem: AttentionProblem): boolean => {
  const { mask, softcap, bias, sink = false, states = false, arithmetic } = problem;
  const plain = !hasPlanes(mask) && softcap === undefined && bias === undefined && !sink && !states;
  return plain && !isSplit(problem) && formatOf(arithmetic) !== null;
};

/** The program of a problem with every value of a tile readable after it. @throws InputError likewise. */
export const programToDump = (problem: AttentionProblem): TileProgram =>
  programFor(problem, cascadeOf(problem), { keep: true });

function programFor(problem: AttentionProblem, cascade: Cascade, options: LowerOptions = {}): TileProgram {
  const { arithmetic, scale, softcap, bias, sink = false } = problem;
  const table = peTable(arithmetic);
  const terms = { softcap: softcap === undefined ? undefined : { cap: softcap, scale }, bias: bias !== undefined };
  const partial = isSplit(problem);
  if (isOnePass(cascade) && (partial || formatOf(arithmetic) === null)) {
    const program = onePassProgram(arithmetic, scale, { ...options, partial, terms });
    return sink ? withSink(program, 2 ** arithmetic.offset) : program;
  }
  if (partial) throw notMerged(cascade, problem);
  const plain = withScoreTerms(lower(cascade, arithmetic, scale, options), table, terms);
  if (isOnePass(cascade)) {
    const program = { ...plain, states: statesOf(plain, cascade) };
    return sink ? withSink(program, 1) : program;
  }
  if (!sink) return plain;
  const { passes, variables } = plain;
  const [maximum, denominator] = ["GM", "SD"].map(name =>
    variables.find(({ tensor, life }) => tensor === name && life === "row"),
  );
  if (cascade.name !== threePass.name || maximum === undefined || denominator === undefined) {
    throw new InputError({
      where: "sink",
      got: cascade.name,
      expected: "FuseMax's own cascade or attention-3-pass, whose maximum and denominator can begin with it",
      fix: "leave --design and --cascade out, or the sink",
    });
  }
  const n = passes.findIndex(({ tile }) => tile.some(step => writesOf(step).includes(maximum)));
  return withSinkBetween(plain, table, exponentFactor(scale), { n, maximum, denominator });
}

const notMerged = (cascade: Cascade, { kvSplits }: AttentionProblem): InputError =>
  new InputError({
    where: cascade.name,
    got: `keys split into ${kvSplits} runs`,
    expected: "attention in one pass, whose runs can be merged",
    fix: "leave the split out, or take FuseMax's own cascade",
  });

function statesOf({ variables }: TileProgram, cascade: Cascade): NonNullable<TileProgram["states"]> {
  const names = stateTensors(cascade);
  const [maximum, denominator] = [names.maximum, names.denominator].map(name =>
    variables.find(({ tensor, life }) => tensor === name && life === "row"),
  );
  if (maximum === undefined || denominator === undefined) throw new Error(`${cascade.name} has no states`);
  return { maximum, denominator };
}

/**
 * Keys of a tile as the engines walk them: the mapping's; where the cascade does not split the keys, any that hold whole
 * steps of a tensor core, which are cut from the tile's first key.
 */
export function tileKeys({ shape, tile }: AttentionProblem, { splitsKeys, products }: TileProgram): number {
  const { sum } = products.key;
  const step = sum.kind === "steps" ? sum.dot.block : 1;
  return Math.min(shape.keys, splitsKeys ? tile.m0 : step * Math.floor(256 / step));
}
