import { emulate } from "../../src/emulator/emulate.js";
import type { Engine } from "../../src/emulator/engine.js";
import { goldenAttention } from "../../src/emulator/golden/attention.js";
import { FusemaxError } from "../../src/errors.js";
import type { ArithmeticCase } from "./random-case.js";
import { hexOf } from "./vectors.js";

/** The bits of an attention and the numerators that saturated, or what refused it. */
type Outcome = { readonly av: readonly string[]; readonly saturated: number } | { readonly refused: string };

const refusal = (error: unknown): Outcome => {
  if (error instanceof FusemaxError) return { refused: error.constructor.name };
  throw error;
};

export function goldenOutcome({ problem, inputs }: ArithmeticCase): Outcome {
  try {
    const { av, saturated } = goldenAttention(problem, inputs);
    return { av: hexOf(av), saturated: saturated.p };
  } catch (error) {
    return refusal(error);
  }
}

export async function engineOutcome({ problem, inputs }: ArithmeticCase, engine: Engine): Promise<Outcome> {
  try {
    const { av, saturated } = await emulate(problem, inputs, { engine });
    return { av: hexOf(av), saturated };
  } catch (error) {
    return refusal(error);
  }
}

/** What differs, with the case, in a few lines; null where nothing does. */
export function difference({ problem }: ArithmeticCase, wanted: Outcome, got: Outcome): string | null {
  if (JSON.stringify(wanted) === JSON.stringify(got)) return null;
  const { operands, ...arithmetic } = problem.arithmetic;
  const words = Object.entries(operands).map(
    ([name, { type, scale }]) => `${name} ${type.name} ${JSON.stringify(scale)}`,
  );
  const about = { ...problem, arithmetic, mask: { ...problem.mask, planes: problem.mask.planes?.length ?? 0 } };
  return [words.join(", "), JSON.stringify(about), firstDifference(wanted, got)].join("\n");
}

function firstDifference(wanted: Outcome, got: Outcome): string {
  if ("refused" in wanted || "refused" in got) {
    const word = (outcome: Outcome): string => ("refused" in outcome ? outcome.refused : "values");
    return `expected ${word(wanted)}, got ${word(got)}`;
  }
  const at = wanted.av.findIndex((bits, i) => bits !== got.av[i]);
  if (at < 0) return `expected ${wanted.saturated} saturated, got ${got.saturated}`;
  return `value ${at} of ${wanted.av.length}: expected ${wanted.av[at]}, got ${got.av[at]}`;
}
