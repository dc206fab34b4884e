import type { Tile } from "../../attention/tile.js";
import { breather } from "../../emulator/breathe.js";
import { emulate } from "../../emulator/emulate.js";
import type { Engine, EngineName } from "../../emulator/engine.js";
import { goldenAttention } from "../../emulator/golden/attention.js";
import { bitDifference } from "../../emulator/invariance/difference.js";
import type { GivenAttention } from "../../emulator/invariance/part.js";
import { type Compute, inParts, type Variant, variantsOf } from "../../emulator/invariance/variants.js";
import { DeviceError, NumericsError, UsageError } from "../../errors.js";
import { hashOfValues } from "../../io/hash-of-values.js";
import { chooseEngine } from "../../platform/choose-engine.js";
import { jsonText } from "../../report/finite.js";
import { type InvarianceResult, type InvarianceRow, invarianceText, judged } from "../../report/invariance.js";
import { startProgress } from "../progress.js";
import { loadInputs } from "../run/inputs.js";
import type { RunOptions } from "../run/options.js";
import { planRun } from "../run/plan.js";
import { noteOnStderr } from "../run/run-attention.js";

/** What `fusemax invariance` is asked for: the attention and the machine of `run`, of FuseMax's own cascade. */
export type InvarianceOptions = Omit<RunOptions, "design" | "cascade" | "check">;

/** Sizes at which every way takes a second or so, with several tiles of keys. */
const defaultSizes = { seq: 128, heads: 4, kvHeads: 2, batch: 2 } as const;
const defaultArray: Tile = { m0: 32, p0: 32 };

/** What one value at a time computes in some seconds: multiply-accumulates of the scores that there are. */
const mostGolden = 2 ** 26;

/** `fusemax invariance`: the same attention computed in other ways, and which of them change bits. Returns the exit code. */
export async function runInvariance(asked: InvarianceOptions): Promise<number> {
  const options = withDefaults(asked);
  const plan = await planRun(options);
  const { problem, pieces, addends } = plan;
  requireFew(problem.shape);
  if (Object.keys(plan.scales).length > 0) {
    throw new UsageError({ where: "--input", got: "operands with scales", expected: "values before they are scaled" });
  }
  for (const line of plan.notes) noteOnStderr(line);
  const given: GivenAttention = {
    problem: plan.asked,
    inputs: { ...(await loadInputs(pieces, problem.shape)), ...addends },
  };
  const engine = (await chooseEngine(options.engine, given.problem.arithmetic)).engine;
  try {
    const base = await computeOn(engine)(given);
    const rows: InvarianceRow[] = [];
    const variants = [...enginesBeside(given, engine), ...variantsOf(given)];
    const progress = await startProgress("computing", "ways", variants.length, options.json === true);
    try {
      for (const [i, variant] of variants.entries()) {
        rows.push(await compared(variant, base, computeOn(engine)));
        progress.update(i + 1);
      }
    } finally {
      progress.stop();
    }
    const { shape, tile, arithmetic, kvSplits = 1 } = given.problem;
    const result: InvarianceResult = {
      schema: "fusemax.invariance/1",
      base: {
        engine: engine.name,
        arithmetic: arithmetic.name,
        tile,
        kvSplits,
        shape: [shape.batch, shape.heads, shape.queries, shape.keys],
        sha256: await hashOfValues(base),
      },
      rows,
      ...judged(rows),
    };
    process.stdout.write(options.json === true ? jsonText(result, 2) : invarianceText(result));
    return 0;
  } finally {
    await engine.close();
  }
}

function withDefaults(options: InvarianceOptions): RunOptions {
  const { model, q, input, seq, qLen, kvLen, batch, heads, kvHeads } = options;
  const sized = [model, q, input, seq, qLen, kvLen, batch, heads, kvHeads].some(given => given !== undefined);
  return {
    ...(sized ? {} : defaultSizes),
    array: defaultArray,
    ...options,
    design: "fusemax",
    check: "none",
  };
}

/** @throws UsageError for more than is computed one value at a time */
function requireFew({ batch, heads, queries, keys, headDim, valueDim }: GivenAttention["problem"]["shape"]): void {
  const macs = batch * heads * queries * keys * (headDim + valueDim);
  if (macs <= mostGolden) return;
  throw new UsageError({
    where: "the workload",
    got: `${macs.toLocaleString("en-US")} multiply-accumulates`,
    expected: `at most ${mostGolden.toLocaleString("en-US")}: some ways are computed one value at a time`,
    fix: "take fewer queries, keys or heads, such as --seq 256 --heads 4",
  });
}

const goldenName = "the golden implementation";

/** Computes on an engine. */
const computeOn =
  (engine: Engine): Compute =>
  async given =>
    (await emulate(given.problem, given.inputs, { engine })).av;

/** One value at a time, a part after the other, so that Ctrl-C is heard. */
async function golden(given: GivenAttention): Promise<Float32Array> {
  const breathe = breather();
  return inParts(given, async ({ problem, inputs }) => {
    await breathe();
    return goldenAttention({ ...problem, kvSplits: problem.kvSplits ?? 1 }, inputs).av;
  });
}

/** The other engines, and the golden implementation. */
function enginesBeside(given: GivenAttention, base: Engine): readonly Variant[] {
  const others = (["cpu", "wasm", "webgpu"] as const).filter(name => name !== base.name);
  return [
    ...others.map(
      (name): Variant => ({
        varied: "engine",
        value: name,
        compute: () => computedOn(name, given),
      }),
    ),
    { varied: "engine", value: goldenName, compute: () => golden(given) },
  ];
}

async function computedOn(name: EngineName, given: GivenAttention): Promise<Float32Array> {
  const { engine } = await chooseEngine(name, given.problem.arithmetic);
  try {
    return (await emulate(given.problem, given.inputs, { engine })).av;
  } finally {
    await engine.close();
  }
}

async function compared(
  { varied, value, compute, why }: Variant,
  base: Float32Array,
  on: Compute,
): Promise<InvarianceRow> {
  if (compute === null) return { varied, value, difference: null, why: why ?? "it means nothing here" };
  try {
    return { varied, value, difference: bitDifference(base, await compute(on)), why: null };
  } catch (error) {
    // An engine that is not there, or a value that leaves its range in this order of sums alone.
    if (!(error instanceof DeviceError || error instanceof NumericsError)) throw error;
    return { varied, value, difference: null, why: error.complaint.got };
  }
}
