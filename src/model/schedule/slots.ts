import { SpecError } from "../../errors.js";
import { type Dataflow, slotsOf } from "../../spec/schedule/dataflow.js";

/** Issue slots of an epoch: hundreds of times those of any published one. */
export const mostSlots = 2 ** 20;

/** Throws SpecError for an Einsum whose tile alone has more slots than an epoch may have. */
export function checkSlots(einsum: Dataflow): void {
  if (!(slotsOf(einsum) <= mostSlots)) throw tooManySlots(slotsOf(einsum));
}

export const tooManySlots = (slots: number): SpecError =>
  new SpecError({
    where: "schedule",
    got: `an epoch of ${slots} slots or more`,
    expected: `at most ${mostSlots}`,
    fix: "narrower queries, keys and values, or quicker operations",
  });
