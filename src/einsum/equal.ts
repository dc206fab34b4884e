import { NumericsError, UsageError } from "../errors.js";
import { coordinatesOf } from "../numerics/coordinates.js";
import type { ArithmeticChoice } from "./arithmetic.js";
import type { Cascade } from "./cascade.js";
import { type EvaluatedCascade, evaluateCascade } from "./evaluate.js";
import { type InputCase, inputCases } from "./input-cases.js";
import { jointShapes } from "./joint-shape.js";
import type { Shape } from "./shape.js";
import type { DenseTensor } from "./tensor-store.js";

export interface EqualOptions {
  readonly shape?: Shape;
  /** Numbers the random inputs. */
  readonly seed?: number;
  /** How many random inputs are tried beside the adversarial ones. */
  readonly trials?: number;
  /** The largest difference that still counts as equal, relative to the largest value of the output. */
  readonly tolerance?: number;
  readonly format?: ArithmeticChoice;
  readonly scale?: number;
}

/** Where two outputs are furthest apart. */
export interface Difference {
  readonly tensor: string;
  readonly coordinates: readonly number[];
  readonly values: readonly [number, number];
  /** |a - b| over the largest value of the output; infinite where only one is finite. */
  readonly relative: number;
}

export interface EqualCase {
  readonly name: string;
  readonly difference: Difference | null;
  readonly equal: boolean;
  /** Whether either gives a finite value at all: an input on which neither does tells nothing. */
  readonly tells: boolean;
  /** What the interpreter said about either cascade, and outputs that are not finite in both. */
  readonly notes: readonly string[];
}

export interface CaseWithInputs extends EqualCase {
  readonly inputs: Readonly<Record<string, DenseTensor>>;
}

export interface EqualReport {
  readonly names: readonly [string, string];
  /** The outputs compared, by their names in either cascade. */
  readonly outputs: readonly (readonly [string, string])[];
  /** Outputs that only one of the cascades has, by its name: they are not compared. */
  readonly notCompared: readonly (readonly [cascade: string, output: string])[];
  readonly shapes: readonly [ReadonlyMap<string, number>, ReadonlyMap<string, number>];
  readonly tolerance: number;
  readonly cases: readonly EqualCase[];
  /** False where they differ, and where nothing finite was there to compare on any input. */
  readonly equal: boolean;
  /** The first case in which they differ, with its inputs, or null. */
  readonly firstDiffering: CaseWithInputs | null;
  /** The case with the largest difference of all, with its inputs. */
  readonly largest: CaseWithInputs | null;
}

/** Two orders of summation of a few thousand float64 terms differ by less, relative to the largest. */
export const defaultTolerance = 1e-9;

/**
 * Runs two cascades on the same random and adversarial inputs and compares the outputs that they share. This refutes
 * equality or makes it likely; it does not prove it.
 * @throws UsageError where they have different inputs or no output in common.
 * @example
 * ```ts
 * import { compareCascades, loadCascade } from "fusemax/node";
 *
 * const shape = { E: 4, F: 4, M0: 4, M1: 2, P: 3 };
 * const { equal } = compareCascades(loadCascade("attention-3-pass"), loadCascade("attention-1-pass"), { shape });
 * console.log(equal); // true
 * ```
 */
export function compareCascades(a: Cascade, b: Cascade, options: EqualOptions = {}): EqualReport {
  const { seed = 1, trials = 8, tolerance = defaultTolerance } = options;
  const outputs = commonOutputs(a, b);
  const { shapes, inputShapes } = jointShapes(a, b, options.shape ?? {});
  const run = (cascade: Cascade, inputs: Readonly<Record<string, DenseTensor>>, sizes: ReadonlyMap<string, number>) =>
    evaluateCascade(cascade, inputs, {
      shape: Object.fromEntries(sizes),
      ...(options.format === undefined ? {} : { format: options.format }),
      ...(options.scale === undefined ? {} : { scale: options.scale }),
    });
  const compare = ({ name, inputs }: InputCase): EqualCase => {
    try {
      const [x, y] = [run(a, inputs, shapes[0]), run(b, inputs, shapes[1])];
      const differences = outputs.map(([p, q]) => differenceOf(p, x.tensors.get(p), y.tensors.get(q)));
      const difference = differences.reduce((most, d) => (d.relative > most.relative ? d : most));
      const finite = outputs.map(([p, q]) => [x.tensors.get(p), y.tensors.get(q)].map(t => finiteCount(t)));
      const lacking = outputs.flatMap(([p], i) =>
        finite[i]?.every(count => count < (x.tensors.get(p)?.data.length ?? 0)) ? [`${p} is not finite in both`] : [],
      );
      return {
        name,
        difference,
        equal: difference.relative <= tolerance,
        tells: finite.flat().some(count => count > 0),
        notes: [...emptyNotes(a, x), ...emptyNotes(b, y), ...lacking],
      };
    } catch (error) {
      if (!(error instanceof NumericsError)) throw error;
      return { name, difference: null, equal: false, tells: true, notes: [error.message] };
    }
  };
  const cases: EqualCase[] = [];
  // Of thousands of cases the inputs of two are asked for.
  let firstDiffering: CaseWithInputs | null = null;
  let largest: CaseWithInputs | null = null;
  for (const inputCase of inputCases(inputShapes, trials, seed)) {
    const compared = compare(inputCase);
    cases.push(compared);
    const { inputs } = inputCase;
    if (!compared.equal) firstDiffering ??= { ...compared, inputs };
    const { difference } = compared;
    if (difference !== null && (largest === null || difference.relative > (largest.difference?.relative ?? 0))) {
      largest = { ...compared, inputs };
    }
  }
  return {
    names: [a.name, b.name],
    outputs,
    notCompared: [
      ...aloneIn(
        a,
        outputs.map(([x]) => x),
      ),
      ...aloneIn(
        b,
        outputs.map(([, y]) => y),
      ),
    ],
    shapes,
    tolerance,
    cases,
    equal: firstDiffering === null && cases.some(({ tells }) => tells),
    firstDiffering,
    largest,
  };
}

const finiteCount = (tensor: DenseTensor | undefined): number =>
  Array.from(tensor?.data ?? []).filter(Number.isFinite).length;

const aloneIn = (cascade: Cascade, compared: readonly string[]): (readonly [string, string])[] =>
  cascade.outputs.filter(output => !compared.includes(output)).map(output => [cascade.name, output]);

const emptyNotes = (cascade: Cascade, { emptyQuotients }: EvaluatedCascade): string[] =>
  emptyQuotients.map(({ tensor, first }) => `${cascade.name}: ${tensor} takes 0/0 as 0, first ${first}`);

/** Outputs of one name, or the only output of each. */
function commonOutputs(a: Cascade, b: Cascade): (readonly [string, string])[] {
  const common = a.outputs.filter(name => b.outputs.includes(name)).map(name => [name, name] as const);
  const [p, q] = [a.outputs[0], b.outputs[0]];
  const pairs =
    common.length === 0 && a.outputs.length === 1 && b.outputs.length === 1 && p !== undefined && q !== undefined
      ? [[p, q] as const]
      : common;
  for (const [x, y] of pairs) {
    const [left, right] = [a.tensors.get(x)?.indices.length, b.tensors.get(y)?.indices.length];
    if (left === right) continue;
    throw new UsageError({
      where: `the outputs ${x} of ${a.name} and ${y} of ${b.name}`,
      got: `${left} and ${right} ranks`,
      expected: "the same number of ranks",
    });
  }
  if (pairs.length > 0) return pairs;
  throw new UsageError({
    where: `${a.name} and ${b.name}`,
    got: `the outputs ${a.outputs.join(", ")} and ${b.outputs.join(", ")}`,
    expected: "an output of the same name in both",
    fix: "an output is a tensor that no other Einsum reads: rename one of them",
  });
}

function differenceOf(tensor: string, a: DenseTensor | undefined, b: DenseTensor | undefined): Difference {
  if (a === undefined || b === undefined || a.data.length !== b.data.length) {
    throw new UsageError({
      where: `the output ${tensor}`,
      got: `shapes [${a?.shape.join(",")}] and [${b?.shape.join(",")}]`,
      expected: "the same shape in both cascades",
    });
  }
  const largest = Math.max(largestFinite(a.data), largestFinite(b.data));
  let [at, most] = [0, -1];
  for (let i = 0; i < a.data.length; i += 1) {
    const [x, y] = [a.data[i] as number, b.data[i] as number];
    const apart = Object.is(x, y) || x === y ? 0 : Math.abs(x - y);
    // Only one of them finite, or infinities of different signs, or one NaN: not equal at any tolerance.
    const relative = Number.isFinite(apart) ? (apart === 0 ? 0 : apart / largest) : Number.POSITIVE_INFINITY;
    if (relative > most) [at, most] = [i, relative];
  }
  const coordinates = coordinatesOf(a.shape, at);
  return { tensor, coordinates, values: [a.data[at] as number, b.data[at] as number], relative: Math.max(0, most) };
}

function largestFinite(values: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < values.length; i += 1) {
    const x = Math.abs(values[i] as number);
    if (Number.isFinite(x) && x > largest) largest = x;
  }
  return largest;
}
