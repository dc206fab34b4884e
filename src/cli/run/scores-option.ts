import { type ScoreStage, scoreStages } from "../../emulator/score-matrix.js";
import { UsageError } from "../../errors.js";

/** `--scores FILE[,STAGE]`. */
export interface ScoresOption {
  readonly path: string;
  readonly stage: ScoreStage;
}

/** FILE, or FILE,raw|capped|biased|softmax. */
export function parseScores(option: string, text: string): ScoresOption {
  const stage = scoreStages.find(name => text.toLowerCase().endsWith(`,${name}`));
  if (stage !== undefined) return { path: text.slice(0, -stage.length - 1), stage };
  const [, other] = /,([^,./\\]*)$/.exec(text) ?? [];
  if (other === undefined) return { path: text, stage: "raw" };
  const expected = `one of ${scoreStages.join(", ")}`;
  throw new UsageError({ where: `${option} FILE,STAGE`, got: `the stage "${other}"`, expected });
}
