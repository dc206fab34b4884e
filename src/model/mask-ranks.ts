import { SpecError } from "../errors.js";
import type { Sizes } from "./sizes.js";
import type { Program } from "./symbols.js";

/** What a rank's coordinates are to a mask: sequences of the batch, rows of queries, keys; undefined: nothing. */
export type MaskRole = "batch" | "queries" | "keys" | undefined;

/** The roles that a mask couples, in the order in which their ranks come first in a nest. */
export const coupledRoles = ["batch", "queries", "keys"] as const;

const sizeOfRole = { batch: "B", queries: "queries", keys: "M" } as const satisfies Record<string, keyof Sizes>;

/** Sizes to try a mapping's formulas at: powers of two, of queries and keys so many that they fill any array. */
const few = 64;
const many = 2 ** 20;
const trial: Readonly<Record<keyof Sizes, number>> = {
  ...{ B: few, H: few, E: few, F: few, M: many, queries: many, group: few },
  ...{ modelDim: few, feedForward: few, valuesInKeys: 0 },
};
/** What everything else that an evaluation sets is at the trial: sides of arrays, blocks, rows of tables. */
const otherInputs = 1;

/**
 * Finds the roles of ranks by what their sizes follow, whatever their names are: a rank of queries has twice the coordinates
 * for twice the queries, and no others for more keys or sequences.
 * @param inputs the slots that an evaluation sets, sizes apart
 * @returns the role of the rank whose size is in a slot
 */
export function maskRoles(program: Program, inputs: readonly number[]): (slot: number) => MaskRole {
  const tried = (doubled?: keyof Sizes): Float64Array => {
    const values = new Float64Array(program.size);
    for (const slot of inputs) values[slot] = otherInputs;
    for (const [name, size] of Object.entries(trial))
      values[program.inputSlot(name)] = name === doubled ? 2 * size : size;
    program.run(values);
    return values;
  };
  const once = tried();
  const twice = coupledRoles.map(role => tried(sizeOfRole[role]));
  return slot => {
    const factors = twice.map(values => (values[slot] as number) / (once[slot] as number));
    const follows = coupledRoles.filter((_, i) => factors[i] !== 1);
    const [role] = follows;
    return role !== undefined && follows.length === 1 && factors[coupledRoles.indexOf(role)] === 2 ? role : undefined;
  };
}

interface MaskedEinsum {
  readonly ranks: readonly { readonly name: string; readonly role: MaskRole }[];
  readonly at: (path: readonly string[]) => string;
}

/**
 * Checks that a mask has ranks to act on, one of each role in an Einsum. Throws SpecError.
 * @param ragged whether sequences differ, so that each needs a coordinate of its own
 */
export function checkMaskable(einsums: readonly MaskedEinsum[], ragged: boolean, at: () => string): void {
  const has = ({ ranks }: MaskedEinsum, wanted: MaskRole): boolean => ranks.some(({ role }) => role === wanted);
  for (const einsum of einsums) {
    for (const wanted of coupledRoles) {
      const names = einsum.ranks.filter(({ role }) => role === wanted).map(({ name }) => name);
      if (names.length < 2) continue;
      const got = `two ranks of ${words[wanted]} in one Einsum, ${names.join(" and ")}`;
      throw new SpecError({ where: einsum.at(["loops"]), got, expected: "one for a mask to act on" });
    }
    if (!ragged || has(einsum, "batch") || !(has(einsum, "queries") || has(einsum, "keys"))) continue;
    const got = "no rank of the sequences, whose lengths differ";
    throw new SpecError({ where: einsum.at(["loops"]), got, expected: "a rank whose size is B" });
  }
  if (einsums.some(einsum => has(einsum, "queries") && has(einsum, "keys"))) return;
  const missing = (["queries", "keys"] as const).filter(wanted => !einsums.some(einsum => has(einsum, wanted)));
  throw new SpecError({
    where: at(),
    got: `a mask, but ${missing.length === 0 ? "no Einsum with both queries and keys" : `no rank of ${missing.map(role => words[role]).join(" or ")}`}`,
    expected: "a rank whose size follows the workload's `queries`, and one whose size follows its M",
    fix: "give their sizes under symbols (P: queries), or take away the mask",
  });
}

const words = { batch: "sequences", queries: "queries", keys: "keys" } as const;
