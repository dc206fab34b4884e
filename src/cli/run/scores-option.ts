import { type ScoreStage, scoreStages } from "../../emulator/score-matrix.js";

/** `--scores FILE[,STAGE]`. */
export interface ScoresOption {
  readonly path: string;
  readonly stage: ScoreStage;
}

/** FILE, or FILE,raw|capped|biased|softmax. */
export function parseScores(_: string, text: string): ScoresOption {
  const stage = scoreStages.find(name => text.toLowerCase().endsWith(`,${name}`));
  return stage === undefined ? { path: text, stage: "raw" } : { path: text.slice(0, -stage.length - 1), stage };
}
