import { UsageError } from "../../errors.js";
import { csvText } from "../../io/csv.js";
import { specFiles } from "../../io/spec-files.js";
import { unmasked } from "../../model/attention-point.js";
import { accountingLine, accountingText } from "../../model/corrections.js";
import { paperDesigns } from "../../model/evaluation.js";
import type { Patch } from "../../model/patch.js";
import { largestSize } from "../../model/sizes.js";
import { checkResult, jsonText } from "../../report/finite.js";
import { modelResults, modelTable } from "../../report/model-result.js";
import { modelText } from "../../report/model-text.js";
import { loadDesign, loadWorkload } from "../../spec/load.js";
import { parseSequence, parseWords } from "../values.js";
import { designsWith } from "./designs.js";
import { type AccountingOptions, accountingOfCommand, type PhaseOptions, queriesOf } from "./options.js";

export interface ModelOptions extends AccountingOptions, PhaseOptions {
  readonly design?: readonly string[];
  readonly model?: readonly string[];
  readonly seq?: readonly string[];
  readonly batch?: number;
  readonly kvLens?: readonly number[];
  readonly mask: boolean;
  readonly layer?: boolean;
  readonly set?: readonly Patch[];
  readonly json?: boolean;
  readonly csv?: boolean;
}

/** Models what was asked for and prints it. */
export function runModel(options: ModelOptions): void {
  if (options.json === true && options.csv === true) {
    throw new UsageError({ where: "--csv", got: "--json beside it", expected: "one of the two" });
  }
  if (options.kvLens !== undefined && (options.seq ?? options.batch) !== undefined) {
    const other = options.seq === undefined ? "--batch" : "--seq";
    throw new UsageError({ where: "--kv-lens", got: `${other} beside it`, expected: "one of the two" });
  }
  const queries = queriesOf(options);
  const models = parseWords("--model", options.model ?? ["bert"]);
  const workloads = models.map(name => loadWorkload(specFiles, name, "--model"));
  const settings = options.set ?? [];
  const { designs, patches } = designsWith(parseWords("--design", options.design ?? paperDesigns), settings);
  const { accounting, byDefault } = accountingOfCommand(options, designs, settings.length);
  const { results, failures, notes } = modelResults({
    designs,
    workloads: options.mask ? workloads : workloads.map(unmasked),
    lengths: lengthsOf(options),
    batch: options.batch,
    ...queries,
    ...(options.kvLens === undefined ? {} : { kvLens: options.kvLens }),
    product: options.layer === true ? loadDesign(specFiles, "product") : undefined,
    accounting,
    patches,
  });
  for (const note of notes) process.stderr.write(`fusemax: ${note}\n`);
  process.stdout.write(
    options.json === true
      ? jsonText({
          schema: "fusemax.model/1",
          accounting: accounting.name,
          corrections: accounting.corrections,
          results,
          failures,
        })
      : options.csv === true
        ? csvText(modelTable(results, accountingText(accounting)))
        : modelText(checkResult(results, "results"), failures, workloads, accountingLine(accounting, byDefault)),
  );
}

function lengthsOf({ seq, kvLens }: ModelOptions): readonly number[] | undefined {
  if (kvLens !== undefined) {
    const longest = Math.max(...kvLens);
    if (longest >= 1 && longest <= largestSize) return [longest];
    const got = `a longest sequence of ${longest}`;
    throw new UsageError({ where: "--kv-lens", got, expected: "one of 1 to 2^40 keys" });
  }
  return seq && parseWords("--seq", seq).map(text => parseSequence("--seq", text, largestSize));
}
