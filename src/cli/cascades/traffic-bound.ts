import { writeAtomically } from "../../io/atomic-write.js";
import { loadCascade } from "../../io/cascade-files.js";
import { csvText } from "../../io/csv.js";
import { specFiles } from "../../io/spec-files.js";
import { unmasked } from "../../model/attention-point.js";
import { paperLengths } from "../../model/evaluation.js";
import { largestSize } from "../../model/sizes.js";
import { jsonText } from "../../report/finite.js";
import { trafficFigure, trafficTable, trafficText } from "../../report/traffic-bound.js";
import { trafficStudy } from "../../report/traffic-study.js";
import { loadWorkload } from "../../spec/load.js";
import { type ArithmeticOptions, namedArithmetic } from "../arithmetic.js";
import { conflict } from "../conflict.js";
import { loadDesignIn } from "../model/designs.js";
import { type MaskOption, maskingOf } from "../model/masking.js";
import { type AccountingOptions, accountingOfCommand, type PhaseOptions, queriesOf } from "../model/options.js";
import { requireEnding, requireOwnPaths } from "../output-files.js";
import { parseSequence, parseWords } from "../values.js";

export interface TrafficBoundOptions extends AccountingOptions, PhaseOptions, ArithmeticOptions {
  readonly model: string;
  readonly seq?: readonly string[];
  readonly batch?: number;
  readonly mask?: MaskOption;
  readonly buffer?: number;
  readonly cascade?: readonly string[];
  readonly design?: readonly string[];
  readonly chart?: string;
  readonly json?: boolean;
  readonly csv?: boolean;
}

const attentionCascades = ["attention-3-pass", "attention-3-pass-deferred", "attention-2-pass", "attention-1-pass"];

/** Computes the bounds, prints them and draws the chart where one was asked for. */
export async function runTrafficBound(options: TrafficBoundOptions): Promise<void> {
  if (options.json === true && options.csv === true) {
    throw conflict("--csv", "--json");
  }
  requireEnding("--chart", options.chart, [".svg"]);
  const workload = loadWorkload(specFiles, options.model, "--model");
  const designs = parseWords("--design", options.design ?? ["flat", "fusemax"]).map(name =>
    loadDesignIn(specFiles, name, { arithmetic: namedArithmetic(options) }),
  );
  const { accounting } = accountingOfCommand(options, designs, options.buffer === undefined ? 0 : 1);
  const masking = await maskingOf(options.mask);
  const study = trafficStudy({
    cascades: parseWords("--cascade", options.cascade ?? attentionCascades).map(loadCascade),
    designs,
    workload: options.mask === false ? unmasked(workload) : workload,
    ...(masking === undefined ? {} : { masking }),
    lengths:
      options.seq === undefined
        ? paperLengths
        : parseWords("--seq", options.seq).map(text => parseSequence("--seq", text, largestSize)),
    batch: options.batch ?? workload.batch,
    ...queriesOf(options),
    accounting,
    ...(options.buffer === undefined ? {} : { bufferBytes: options.buffer }),
  });
  requireOwnPaths([], { "--chart": options.chart });
  if (options.chart !== undefined) {
    await writeAtomically(options.chart, [new TextEncoder().encode(trafficFigure(study))]);
    process.stderr.write(`chart in ${options.chart}\n`);
  }
  process.stdout.write(
    options.json === true ? jsonText(study) : options.csv === true ? csvText(trafficTable(study)) : trafficText(study),
  );
}
