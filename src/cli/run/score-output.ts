import type { AttentionProblem, Operands } from "../../attention/problem.js";
import { logSumExp } from "../../emulator/log-sum-exp.js";
import { scoreMatrix } from "../../emulator/score-matrix.js";
import { writeRanks } from "./outputs.js";
import type { ScoresOption } from "./scores-option.js";

/** Writes the scores of a run, [B, H, P, M]. @throws InputError for too many */
export async function writeScores(
  { path, stage }: ScoresOption,
  problem: AttentionProblem,
  operands: Operands,
): Promise<void> {
  const { batch, heads, queries, keys } = problem.shape;
  await writeRanks(path, `scores_${stage}`, [batch, heads, queries, keys], scoreMatrix(problem, operands, stage));
}

/** Writes the log-sum-exp of each row, [B, H, P]. */
export async function writeLse(
  path: string,
  problem: AttentionProblem,
  operands: Pick<Operands, "sinks">,
  states: ArrayLike<number>,
): Promise<void> {
  const { batch, heads, queries } = problem.shape;
  await writeRanks(path, "lse", [batch, heads, queries], logSumExp(problem, operands, states));
}
