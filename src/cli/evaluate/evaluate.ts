import type { ArithmeticChoice } from "../../einsum/arithmetic.js";
import type { Cascade } from "../../einsum/cascade.js";
import { type EvaluatedCascade, requireOperations } from "../../einsum/evaluate.js";
import { pointsOf } from "../../einsum/points.js";
import type { SizeOf } from "../../einsum/shape.js";
import { type DenseTensor, interpretableElements, writtenShape } from "../../einsum/tensor-store.js";
import { InputError } from "../../errors.js";
import { loadCascade } from "../../io/cascade-files.js";
import { placeInTensor } from "../../numerics/coordinates.js";
import { hasInputScales } from "../../numerics/one-pass-choices.js";
import { evaluateOnThread } from "../../platform/evaluate-on-thread.js";
import { type EvaluationResult, evaluationText } from "../../report/evaluation.js";
import { jsonText } from "../../report/finite.js";
import { arithmeticChoice, choiceName } from "../arithmetic-choice.js";
import { requireFreeMemory } from "../free-memory.js";
import { requireEnding, requireOwnPaths } from "../output-files.js";
import { startProgress } from "../progress.js";
import { evaluateGolden, isGoldenAlone, requireOutputAlone } from "./golden.js";
import { type PlannedInputs, planInputs } from "./inputs.js";
import { evaluateOnEngine, planEngine, type UsedEngine } from "./on-engine.js";
import type { EvaluateOptions } from "./options.js";
import { orderOf, outputEndings, outputsOf, reported, requireOneTensor, writeOutputs } from "./outputs.js";
import { parseTensorArguments, parseWrites } from "./tensor-argument.js";

/** `fusemax evaluate`: refuses what can be refused before anything is computed, then computes, reports and writes. */
export async function evaluate(name: string, options: EvaluateOptions): Promise<void> {
  const cascade = loadCascade(name);
  const { scale = 1, output } = options;
  const choice = arithmeticChoice(options.arithmetic);
  const arithmetic = choiceName(choice);
  const json = options.json === true;
  const golden = isGoldenAlone(cascade, choice);
  // An engine says itself what it does not take of inputs with scales.
  const scaled = typeof choice !== "string" && hasInputScales(choice);
  if (!golden && !(scaled && options.engine !== "interpreter")) requireOperations(cascade, choice);
  const writes = parseWrites(options.write, cascade);
  for (const write of writes) orderOf(cascade, write);
  requireEnding("--output", output, outputEndings);
  requireOneTensor(output, writes);
  const engine = planEngine(cascade, choice, options, writes);
  if (golden) requireOutputAlone(cascade, choice, writes);
  const plan = await planInputs(cascade, options);
  requireMemory(cascade, plan);
  requireOwnPaths(inputPaths(cascade, options), { "--output": output });

  const inputs = await loadInputs(plan, json);
  const began = performance.now();
  const note = (line: string): void => void process.stderr.write(`${line}\n`);
  const { evaluation, used } =
    engine !== null
      ? await evaluateOnEngine(cascade, engine, plan.sizes, inputs, options, note)
      : golden
        ? evaluateGolden(cascade, choice, plan.sizes, inputs, scale)
        : { evaluation: await interpret(cascade, choice, plan, inputs, options), used: interpreter };
  const seconds = (performance.now() - began) / 1000;
  const outputs = outputsOf(cascade, evaluation, writes, choice === "float64");
  if (output !== undefined) await writeOutputs(output, outputs, { cascade: cascade.name, arithmetic });
  const tensors = Object.fromEntries(outputs.map(tensor => [tensor.name, reported(tensor)]));
  const result: EvaluationResult = {
    schema: "fusemax.evaluate/1",
    cascade: cascade.name,
    arithmetic,
    scale,
    engine: used,
    shape: Object.fromEntries(plan.sizes),
    inputs: Object.fromEntries([...plan.inputs].map(([input, { shape, from }]) => [input, { shape, from }])),
    tensors,
    notes: notesOf(evaluation, tensors),
    output: output ?? null,
    seconds,
  };
  process.stdout.write(json ? jsonText(result) : evaluationText(result));
}

/** All tensors are held in float64 at once, the inputs as given beside them. @throws UsageError, InputError */
function requireMemory(cascade: Cascade, { sizes, inputs }: PlannedInputs): void {
  const sizeOf: SizeOf = rank => sizes.get(cascade.ranks.byName(rank)?.name ?? rank);
  let elements = 0;
  for (const tensor of cascade.tensors.values()) {
    const own = inputs.get(tensor.name)?.shape;
    const shape = own ?? writtenShape(cascade, tensor, sizeOf);
    elements += (own === undefined ? 1 : 2) * interpretableElements(tensor.name, shape);
  }
  requireFreeMemory(8 * elements, `the shape of ${cascade.name}`, "take a smaller shape");
}

/** Files that are read, by the options that name them. */
function inputPaths(cascade: Cascade, { input, tensor = [] }: EvaluateOptions): [string, string][] {
  const single = [...parseTensorArguments(tensor, cascade)].map(
    ([name, { from }]) => [`--tensor ${name}`, from] as const,
  );
  const all = [["--input", input ?? null] as const, ...single];
  return all.flatMap(([option, path]) => (path === null ? [] : [[option, path]]));
}

async function loadInputs({ inputs }: PlannedInputs, json: boolean): Promise<Readonly<Record<string, DenseTensor>>> {
  const total = [...inputs.values()].reduce((sum, { shape }) => sum + elementsOf(shape), 0);
  const progress = await startProgress("loading inputs", "values", total, json);
  let loaded = 0;
  const onValues = (count: number): void => {
    loaded += count;
    progress.update(loaded);
  };
  try {
    const found: Record<string, DenseTensor> = {};
    for (const [name, { shape, from, load }] of inputs) {
      const data = await load(onValues);
      const at = data.findIndex(Number.isNaN);
      if (at >= 0) {
        const where = `${from}, ${placeInTensor(name, shape, at)}`;
        throw new InputError({ where, got: "NaN", expected: "numbers" });
      }
      found[name] = { shape, data };
    }
    return found;
  } finally {
    progress.stop();
  }
}

const interpreter: UsedEngine = { name: "interpreter", adapter: null, reason: "it computes any cascade" };

async function interpret(
  cascade: Cascade,
  format: ArithmeticChoice,
  { sizes }: PlannedInputs,
  inputs: Readonly<Record<string, DenseTensor>>,
  { scale = 1, json }: EvaluateOptions,
): Promise<EvaluatedCascade> {
  const points = pointsOf(cascade, sizes);
  const progress = await startProgress(`evaluating ${cascade.name}`, "points", points, json === true);
  try {
    const options = { format, scale, shape: Object.fromEntries(sizes) };
    return await evaluateOnThread(cascade, inputs, options, points, ({ pointsDone }) => progress.update(pointsDone));
  } finally {
    progress.stop();
  }
}

const elementsOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

function notesOf({ emptyQuotients }: EvaluatedCascade, tensors: EvaluationResult["tensors"]): readonly string[] {
  return [
    ...emptyQuotients.map(
      ({ tensor, points, first }) =>
        `${tensor} takes 0/0 as 0 at ${points} point${points === 1 ? "" : "s"}, first ${first}`,
    ),
    ...Object.entries(tensors).flatMap(([name, { infinite }]) =>
      infinite === 0
        ? []
        : `${name} holds ${infinite} infinite value${infinite === 1 ? "" : "s"}, which min, max, mean and rms leave out`,
    ),
  ];
}
