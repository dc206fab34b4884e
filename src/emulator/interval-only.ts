import { hasPlanes } from "../attention/mask.js";
import type { AttentionProblem } from "../attention/problem.js";
import { DeviceError } from "../errors.js";

/** @throws DeviceError for a problem that only the engine `cpu` computes so far. */
export function requirePlainScores({ mask, softcap, bias, sink, states }: AttentionProblem, engine: string): void {
  if (!hasPlanes(mask) && softcap === undefined && bias === undefined && sink !== true && states !== true) return;
  throw new DeviceError({
    where: `engine ${engine}`,
    got: "a mask of bits, a bias, a soft-cap, sinks or a log-sum-exp",
    expected: "scores as the product leaves them",
    mend: "use --engine cpu",
  });
}
