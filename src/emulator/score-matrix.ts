import { maskOf } from "../attention/mask.js";
import type { AttentionProblem, Operands } from "../attention/problem.js";
import { allRows } from "../attention/rows.js";
import { InputError, NumericsError } from "../errors.js";
import { accumulatorRounder, flushTiny, roundToOperand } from "../numerics/rounding.js";
import { softmaxOf } from "./golden/softmax.js";
import { RowRunner } from "./javascript/row-runner.js";
import { isSplit } from "./kv-runs.js";
import { isOnePass } from "./one-pass.js";
import { cascadeOf, programToDump, tileKeys } from "./program-of.js";

/** Scores as the product leaves them, capped, with their bias, and as shares of their softmax. */
export const scoreStages = ["raw", "capped", "biased", "softmax"] as const;
export type ScoreStage = (typeof scoreStages)[number];

/** The most scores that are handed out: 64 MiB of them. */
export const mostScores = 2 ** 24;

/** @throws InputError for more scores than are handed out, and for shares that the run's arithmetic makes in parts. */
export function requireScores(problem: AttentionProblem, stage: ScoreStage): void {
  const { shape } = problem;
  if (stage === "softmax") requireShares(problem);
  const { batch, heads, queries, keys } = shape;
  const scores = batch * heads * queries * keys;
  if (scores <= mostScores) return;
  throw new InputError({
    where: "scores",
    got: `${scores} of them, [${batch}, ${heads}, ${queries}, ${keys}]`,
    expected: `at most ${mostScores}`,
    fix: "take fewer queries, keys or heads",
  });
}

/** @throws InputError where a row's shares are not its numerators by its one sum */
function requireShares(problem: AttentionProblem): void {
  const { arithmetic } = problem;
  const { scale } = arithmetic.operands.p;
  const cascade = cascadeOf(problem);
  const refusals: readonly (readonly [refused: boolean, got: string, fix: string])[] = [
    [isSplit(problem), "shares of keys that are split into runs", "leave --kv-splits out"],
    [
      scale !== "none",
      `shares of numerators with scales, p's ${scale} in arithmetic ${arithmetic.name}`,
      "take an arithmetic without",
    ],
    // No other leaves a row's maximum and denominator behind.
    [!isOnePass(cascade), `shares of the cascade ${cascade.name}`, "take FuseMax's own cascade"],
  ];
  const refusal = refusals.find(([refused]) => refused);
  if (refusal === undefined) return;
  const [, got, fix] = refusal;
  const expected = "shares of one sum of unscaled numerators, or scores before the softmax (raw, capped, biased)";
  throw new InputError({ where: "scores", got, expected, fix });
}

/**
 * The scores of a problem, [B, H, P, M], as the array computes them: in score units (times the scale), -inf where the mask
 * hides one; or each row's softmax under its last maximum, rA(SLN / RD), +0 where it is hidden.
 * @throws InputError for those that `requireScores` refuses, NumericsError where a value leaves its range.
 */
export function scoreMatrix(given: AttentionProblem, operands: Operands, stage: ScoreStage): Float32Array {
  requireScores(given, stage);
  // Runs of keys share their scores.
  const problem: AttentionProblem = { ...given, kvSplits: 1 };
  const { shape, scale } = problem;
  const { softcap: _softcap, bias: _bias, ...raw } = problem;
  const { bias: _, ...capped } = problem;
  const upTo = { raw, capped, biased: problem, softmax: { ...problem, states: true } }[stage];
  const program = programToDump(upTo);
  const variable = program.passes
    .flatMap(({ tile }) => tile)
    .flatMap(step => (step.kind === "product" && step.over === "E" ? [step.to] : []))[0];
  if (variable === undefined) throw new Error(`${program.name} has no scores`);
  const at = program.variables.indexOf(variable);
  const [mask, m0] = [maskOf(problem), tileKeys(problem, program)];
  const { keys, valueDim } = shape;
  const out = new Float32Array(allRows(problem).end * keys).fill(stage === "softmax" ? 0 : Number.NEGATIVE_INFINITY);
  let row = 0;
  const runner = new RowRunner(upTo, operands, program, {
    mostRows: 1,
    onTile: (pass, m1, memory, placeOf) => {
      if (!pass.tile.some(step => step.kind === "product" && step.to === variable)) return;
      const placed = variable.life === "whole" ? (m: number) => m : placeOf;
      for (let m = m1 * m0; m < Math.min(keys, (m1 + 1) * m0); m += 1) {
        const score = memory.values[at]?.values[placed(m)] as number;
        if (mask.sees(row, m)) out[row * keys + m] = stage === "softmax" ? score : scale * score;
      }
    },
  });
  const share = stage === "softmax" ? shareOf(problem) : null;
  const [av, states] = [new Float32Array(valueDim), new Float32Array(2)];
  for (; row < allRows(problem).end; row += 1) {
    const fault = runner.run({ start: row, end: row + 1 }, av, share === null ? {} : { states });
    if (fault !== null) {
      throw new NumericsError({
        where: `${fault.place.tensor} of row ${row}`,
        got: "a value out of range",
        expected: `values within the range of the ${problem.arithmetic.accumulator} accumulator`,
      });
    }
    if (share === null) continue;
    for (let m = 0; m < keys; m += 1) {
      if (mask.sees(row, m)) out[row * keys + m] = share(out[row * keys + m] as number, states[0] ?? 0, states[1] ?? 1);
    }
  }
  return out;
}

/** rA(SLN / RD) of a score under a maximum. */
function shareOf({ arithmetic, scale }: AttentionProblem): (score: number, rm: number, rd: number) => number {
  const softmax = softmaxOf(arithmetic, scale);
  const toA = accumulatorRounder(arithmetic.accumulator);
  return (score, rm, rd) =>
    flushTiny(toA(roundToOperand(softmax.numerator(score, rm, "SLN"), arithmetic.operands.p.type) / rd));
}
