import { type ArithmeticSpec, choices, defaultChoices } from "./arithmetic.js";

/** A choice that has a meaning in one-pass attention alone, with what any other cascade has in its place. */
export interface OnePassChoice {
  readonly field: string;
  readonly got: string;
  readonly expected: string;
}

/**
 * What an arithmetic chooses beyond types, scales of inputs, accumulator, `dot` and the coefficients of `exp`: steps of
 * one-pass attention, which other cascades do not have.
 */
export function onePassChoices(arithmetic: ArithmeticSpec): readonly OnePassChoice[] {
  const { exp, operands } = arithmetic;
  const chosen = choices
    .filter(field => field !== "dot" && arithmetic[field] !== defaultChoices[field])
    .map(field => ({ field, got: String(arithmetic[field]), expected: String(defaultChoices[field]) }));
  return [
    ...(operands.p.scale === "none"
      ? []
      : [{ field: "operands.p.scale", got: inWords(operands.p.scale), expected: "none" }]),
    ...chosen,
    ...(exp.fused ? [{ field: "exp.fused", got: "true", expected: "false" }] : []),
  ];
}

/** Whether inputs have scales: attention's alone, which says what they multiply. */
export const hasInputScales = ({ operands: { q, k, v } }: ArithmeticSpec): boolean =>
  [q, k, v].some(({ scale }) => scale !== "none");

const inWords = (scale: unknown): string => (typeof scale === "string" ? scale : JSON.stringify(scale));
