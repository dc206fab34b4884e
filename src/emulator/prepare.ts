import type { BitPlane } from "../attention/bit-plane.js";
import type { Masked } from "../attention/mask.js";
import type { AttentionProblem, Operands } from "../attention/problem.js";
import { InputError } from "../errors.js";
import { type AttentionInputs, roundOperands } from "./operands.js";
import { roundBias, roundSink } from "./score-operands.js";
import { validateProblem } from "./validate.js";

/** An attention as engines take it. */
export interface Prepared {
  /** The problem as given, with what the inputs say: a bias' sizes and what it hides, and whether there are sinks. */
  readonly problem: AttentionProblem;
  readonly operands: Operands;
}

/** The problem with a plane more in its mask. */
export const withHidden = <P extends Masked>(problem: P, hidden: BitPlane | null): P =>
  hidden === null
    ? problem
    : { ...problem, mask: { ...problem.mask, planes: [...(problem.mask.planes ?? []), hidden] } };

/** Bias and sinks, rounded, and the problem that they make. */
export function prepareScores(
  given: AttentionProblem,
  inputs: Pick<AttentionInputs, "bias" | "sink">,
): { readonly problem: AttentionProblem; readonly operands: Pick<Operands, "addends" | "sinks"> } {
  const { shape, scale } = given;
  const units = { scale, accumulator: given.arithmetic.accumulator };
  const rounded = inputs.bias === undefined ? null : roundBias(inputs.bias, shape, units);
  const sink = inputs.sink === undefined ? null : roundSink(inputs.sink, shape, units);
  return {
    problem: withHidden(
      {
        ...given,
        ...(rounded === null ? {} : { bias: rounded.addends.sizes }),
        ...(sink === null ? {} : { sink: true }),
      },
      rounded?.hidden ?? null,
    ),
    operands: {
      ...(rounded === null ? {} : { addends: rounded.addends }),
      ...(sink === null ? {} : { sinks: sink }),
    },
  };
}

/**
 * Rounds the inputs of a problem to what its engine reads, into arrays from `allocate` (see `Engine.allocate`).
 * @throws InputError for a problem outside the contract, and for values that no operand can have.
 */
export function prepare(
  given: AttentionProblem,
  inputs: AttentionInputs,
  allocate?: (length: number) => Float32Array,
): Prepared {
  validateProblem(given);
  const { problem, operands } = prepareScores(given, inputs);
  requireGiven(problem, operands);
  return {
    problem,
    operands: { ...roundOperands(inputs, problem.shape, problem.arithmetic, allocate, problem.mask), ...operands },
  };
}

/** @throws InputError where a problem says that there is a bias or a sink, and the operands have none. */
function requireGiven({ bias, sink }: AttentionProblem, operands: Pick<Operands, "addends" | "sinks">): void {
  for (const [where, missing] of [
    ["bias", bias !== undefined && operands.addends === undefined],
    ["sink", sink === true && operands.sinks === undefined],
  ] as const) {
    if (missing) throw new InputError({ where, got: "no values", expected: `the ${where} that the problem speaks of` });
  }
}
