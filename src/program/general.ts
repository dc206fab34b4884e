import { InputError } from "../errors.js";
import type { ArithmeticSpec } from "../numerics/arithmetic.js";
import { onePassChoices } from "../numerics/one-pass-choices.js";

/** @throws InputError that names a field of an arithmetic which only FuseMax's own cascade can have */
export function requireGeneral(arithmetic: ArithmeticSpec, cascade: string): void {
  const [choice] = onePassChoices(arithmetic);
  if (choice === undefined) return;
  throw new InputError({
    where: cascade,
    got: `${choice.field}: ${choice.got} of arithmetic ${arithmetic.name}`,
    expected: `${choice.expected} for a cascade that is not attention in one pass (attention-1-pass)`,
    fix: "leave the field out, or take FuseMax's own cascade",
  });
}
