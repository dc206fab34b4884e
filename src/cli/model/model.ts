import { UsageError } from "../../errors.js";
import { writeAtomically } from "../../io/atomic-write.js";
import { csvText } from "../../io/csv.js";
import { specFiles } from "../../io/spec-files.js";
import { unmasked } from "../../model/attention-point.js";
import { accountingLine, accountingText } from "../../model/corrections.js";
import { paperDesigns } from "../../model/evaluation.js";
import type { Patch } from "../../model/patch.js";
import { largestSize } from "../../model/sizes.js";
import { checkResult, jsonText } from "../../report/finite.js";
import { type ModelRequest, modelResults, modelTable } from "../../report/model-result.js";
import { modelText } from "../../report/model-text.js";
import { loadDesign, loadWorkload } from "../../spec/load.js";
import { type ArithmeticOptions, namedArithmetic } from "../arithmetic.js";
import { conflict } from "../conflict.js";
import { requireEnding, requireOwnPaths } from "../output-files.js";
import { parseSequence, parseWords } from "../values.js";
import { designsWith } from "./designs.js";
import { type MaskOption, maskingOf } from "./masking.js";
import { type AccountingOptions, accountingOfCommand, checkPaddings, type PhaseOptions, queriesOf } from "./options.js";
import { chargedUnder, chargesScores, type ScoreOptions, scoreChoice } from "./score-terms.js";
import { countsView, loopNestView, rooflineView } from "./views.js";

export interface ModelOptions extends AccountingOptions, ArithmeticOptions, PhaseOptions, ScoreOptions {
  readonly design?: readonly string[];
  readonly model?: readonly string[];
  readonly seq?: readonly string[];
  readonly batch?: number;
  readonly kvLens?: readonly number[];
  readonly leftPad?: readonly number[];
  readonly mask?: MaskOption;
  readonly layer?: boolean;
  readonly set?: readonly Patch[];
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly counts?: boolean;
  readonly loopNest?: boolean;
  readonly roofline?: string;
}

/** Models what was asked for and prints it. */
export async function runModel(options: ModelOptions): Promise<void> {
  refuseViews(options);
  if (options.json === true && options.csv === true) {
    throw conflict("--csv", "--json");
  }
  if (options.kvLens !== undefined && (options.seq ?? options.batch) !== undefined) {
    const other = options.seq === undefined ? "--batch" : "--seq";
    throw conflict("--kv-lens", other);
  }
  checkPaddings(options);
  const queries = queriesOf(options);
  const models = parseWords("--model", options.model ?? ["bert"]);
  const workloads = models.map(name => loadWorkload(specFiles, name, "--model"));
  const settings = options.set ?? [];
  const { designs, patches } = designsWith(
    parseWords("--design", options.design ?? paperDesigns),
    settings,
    namedArithmetic(options),
  );
  const asked = scoreChoice(options, workloads);
  const besides = settings.length + (chargesScores(asked, workloads) ? 1 : 0);
  const { accounting, byDefault } = accountingOfCommand(options, designs, besides);
  const charged = chargedUnder(accounting, asked, workloads);
  for (const note of charged.notes) process.stderr.write(`fusemax: ${note}\n`);
  if (options.layer === true) refuseFiles(options.mask);
  const masking = await maskingOf(options.mask);
  const request: ModelRequest = {
    designs,
    workloads: options.mask === false ? workloads.map(unmasked) : workloads,
    ...(masking === undefined ? {} : { masking }),
    lengths: lengthsOf(options),
    batch: options.batch,
    ...queries,
    ...(charged.scores === undefined ? {} : { scores: charged.scores }),
    ...(options.kvLens === undefined ? {} : { kvLens: options.kvLens }),
    ...(options.leftPad === undefined ? {} : { leftPad: options.leftPad }),
    product: options.layer === true ? loadDesign(specFiles, "product") : undefined,
    accounting,
    patches,
  };
  if (options.roofline !== undefined) {
    requireOwnPaths([], { "--roofline": options.roofline });
    const { text } = rooflineView(request, accountingText(accounting));
    await writeAtomically(options.roofline, [new TextEncoder().encode(text)]);
  }
  if (options.counts === true || options.loopNest === true) {
    const form = options.json === true ? "json" : options.csv === true ? "csv" : "text";
    const line = form === "csv" ? accountingText(accounting) : accountingLine(accounting, byDefault);
    const { text, notes } = options.counts === true ? countsView(request, form, line) : loopNestView(request, line);
    for (const note of notes) process.stderr.write(`fusemax: ${note}\n`);
    process.stdout.write(text);
    return;
  }
  const { results, failures, notes } = modelResults(request);
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

/** A mask of bits makes a sequence of each head, which the rest of a layer does not know. @throws UsageError */
function refuseFiles(masks: MaskOption = []): void {
  if (masks === false || !masks.some(({ kind }) => kind === "file" || kind === "blocks")) return;
  throw conflict("--layer", "a mask of a file", "give a pattern, or leave --layer out");
}

/** @throws UsageError for views that exclude each other or have no such form */
function refuseViews({ counts, loopNest, json, csv, layer, roofline }: ModelOptions): void {
  const view = counts === true ? "--counts" : loopNest === true ? "--loop-nest" : undefined;
  requireEnding("--roofline", roofline, [".svg"]);
  if (view === undefined) return;
  if (counts === true && loopNest === true) throw conflict(view, "--loop-nest");
  if (layer === true) throw conflict(view, "--layer");
  if (loopNest === true && (json ?? csv) !== undefined) throw conflict(view, json === true ? "--json" : "--csv");
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
