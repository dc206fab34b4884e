import type { ArithmeticChoice } from "../../einsum/arithmetic.js";
import type { NamedAxes } from "../../einsum/axes.js";
import type { Cascade } from "../../einsum/cascade.js";
import type { EvaluatedCascade } from "../../einsum/evaluate.js";
import { rolesOf } from "../../einsum/roles.js";
import type { DenseTensor } from "../../einsum/tensor-store.js";
import { goldenAttention } from "../../emulator/golden/attention.js";
import { isOnePass } from "../../emulator/one-pass.js";
import { UsageError } from "../../errors.js";
import { onePassChoices } from "../../numerics/one-pass-choices.js";
import { choiceName } from "../arithmetic-choice.js";
import { givenInputs, outputOf, problemOf } from "./attention.js";
import type { UsedEngine } from "./on-engine.js";

/** Whether an arithmetic chooses what the text of FuseMax's cascade does not say: only attention as a whole has it. */
export const isGoldenAlone = (cascade: Cascade, choice: ArithmeticChoice): boolean =>
  typeof choice !== "string" && isOnePass(cascade) && onePassChoices(choice).length > 0;

/** @throws UsageError for a tensor to write that is not the output */
export function requireOutputAlone(cascade: Cascade, choice: ArithmeticChoice, writes: readonly NamedAxes[]): void {
  const { out } = rolesOf(cascade);
  const other = writes.find(({ name }) => name !== out);
  if (other === undefined) return;
  throw new UsageError({
    where: "--write",
    got: other.name,
    expected: `${out}, which alone is kept in arithmetic ${choiceName(choice)}`,
    fix: "fusemax run --dump writes the tensors of a tile",
  });
}

/** The output of FuseMax's cascade by the golden implementation of attention. @throws what `goldenAttention` throws */
export function evaluateGolden(
  cascade: Cascade,
  choice: ArithmeticChoice,
  sizes: ReadonlyMap<string, number>,
  inputs: Readonly<Record<string, DenseTensor>>,
  scale: number,
): { readonly evaluation: EvaluatedCascade; readonly used: UsedEngine } {
  if (typeof choice === "string") throw new Error(`${choice} is no arithmetic of a file`);
  const roles = rolesOf(cascade);
  const problem = problemOf(cascade, roles, sizes, choice, scale);
  const { av } = goldenAttention({ ...problem, kvSplits: 1 }, givenInputs(cascade, roles, inputs));
  const reason = "the golden implementation of attention in one pass";
  return {
    evaluation: outputOf(cascade, roles, problem, av),
    used: { name: "interpreter", adapter: null, reason },
  };
}
