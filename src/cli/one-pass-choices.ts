import type { Cascade } from "../einsum/cascade.js";
import { isOnePass } from "../emulator/one-pass.js";
import { UsageError } from "../errors.js";
import type { ArithmeticSpec } from "../numerics/arithmetic.js";
import { onePassChoices } from "../numerics/one-pass-choices.js";

/**
 * Refuses choices of an arithmetic that have a meaning in FuseMax's cascade alone, for another one.
 * @param where who names the arithmetic
 * @throws UsageError that names the first of them
 */
export function refuseOnePassChoices(arithmetic: ArithmeticSpec, cascade: Cascade, where: string): void {
  const [choice] = isOnePass(cascade) ? [] : onePassChoices(arithmetic);
  if (choice === undefined) return;
  throw new UsageError({
    where,
    got: `${choice.field}: ${choice.got} with the cascade ${cascade.name}`,
    expected: `${choice.expected}, or FuseMax's cascade`,
    fix: "elsewhere only types, scales of inputs, accumulator, dot and exp.coefficients have a meaning",
  });
}
