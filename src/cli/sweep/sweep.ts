import { extname } from "node:path";
import { UsageError } from "../../errors.js";
import { writeAtomically } from "../../io/atomic-write.js";
import { withFileLock } from "../../io/file-lock.js";
import { specFiles } from "../../io/spec-files.js";
import { accountingLine, accountingText } from "../../model/corrections.js";
import { largestSize } from "../../model/sizes.js";
import { checkSweep, type Measure, measures, type SweepRequest, sweepSize } from "../../model/sweep.js";
import { type ArithmeticOptions, namedArithmetic } from "../arithmetic.js";
import { type AccountingOptions, accountingOfCommand, type PhaseOptions, queriesOf } from "../model/options.js";
import { requireOwnPaths } from "../output-files.js";
import { startProgress } from "../progress.js";
import { bytesInWords, parseWords } from "../values.js";
import { evaluateAll } from "./evaluate-all.js";
import { sweepIdentity } from "./identity.js";
import { openJournal } from "./journal.js";
import { emptyPoints, type Points, putBlock } from "./points.js";
import { readSweep, type SweepNames } from "./request.js";
import { pieces, sweepChart, sweepCsv, sweepFront, sweepJson } from "./results.js";
import { parseValues } from "./values.js";

export interface SweepOptions extends AccountingOptions, ArithmeticOptions, PhaseOptions {
  readonly design?: readonly string[];
  readonly model?: readonly string[];
  readonly seq?: readonly string[];
  readonly batch?: number;
  readonly set: readonly string[];
  readonly pareto: string;
  readonly out?: readonly string[];
  readonly resume?: string;
  readonly json?: boolean;
}

/** More points than this are refused: their table alone would fill the memory. */
const mostPoints = 5_000_000;
const kinds = [".csv", ".json", ".svg"];

/** Sweeps, with progress on stderr, and writes the results. */
export async function runSweep(options: SweepOptions): Promise<void> {
  const named = {
    designs: parseWords("--design", options.design ?? ["fusemax"]),
    workloads: parseWords("--model", options.model ?? ["bert"]),
    lengths: lengthsOf(options.seq ?? ["4K"]),
    batch: options.batch,
    ...queriesOf(options),
    axes: options.set.map(parseAxis),
    arithmetic: namedArithmetic(options),
  };
  if (options.batch !== undefined && named.axes.some(({ path }) => path === "workload.batch")) {
    throw new UsageError({ where: "--batch", got: "--set workload.batch beside it", expected: "one of the two" });
  }
  const objectives = objectivesOf(options.pareto);
  const out = options.out ?? [];
  const odd = out.find(file => !kinds.includes(extname(file).toLowerCase()));
  if (odd !== undefined)
    throw new UsageError({ where: "--out", got: `"${odd}"`, expected: `a name that ends in ${kinds.join(", ")}` });
  if (options.json === true && out.length > 0) {
    throw new UsageError({
      where: "--json",
      got: "--out beside it",
      expected: "one of the two",
      mend: "or --out FILE.json",
    });
  }
  const read = readSweep(specFiles, named);
  const { accounting, byDefault } = accountingOfCommand(options, read.designs, named.axes.length);
  const [names, request] = [
    { ...named, accounting },
    { ...read, accounting },
  ];
  const size = sweepSize(request);
  if (size > mostPoints) {
    throw new UsageError({
      where: "--set",
      got: `${size.toLocaleString("en-US")} points`,
      expected: `at most ${mostPoints.toLocaleString("en-US")}`,
    });
  }
  for (const note of checkSweep(request)) process.stderr.write(`fusemax: ${note}\n`);
  requireOwnPaths([], { "--out": out, "--resume": options.resume });
  const points = await withFileLock(options.resume, () => evaluatePoints(request, names, size, options.resume));
  const front = sweepFront(request, points, objectives);
  const results = { request, points, front, objectives };
  const estimated = points.estimated.reduce((n, flag) => n + flag, 0);
  if (estimated > 0) {
    process.stderr.write(
      `fusemax: CACTI's table lacks the buffer of ${estimated} of ${size} points; its energy and area are interpolated or extrapolated\n`,
    );
  }
  if (out.length === 0) {
    const lines = options.json === true ? sweepJson(results) : sweepCsv(results);
    for (const piece of pieces(lines)) process.stdout.write(piece);
  }
  for (const file of out) {
    const kind = extname(file).toLowerCase();
    const counted = accountingText(accounting);
    const lines =
      kind === ".csv" ? sweepCsv(results) : kind === ".json" ? sweepJson(results) : [sweepChart(results, counted)];
    await writeAtomically(file, encoded(pieces(lines)));
  }
  if (out.length > 0) {
    const failed = points.errors.size === 0 ? "" : `, ${points.errors.size} of them could not be mapped`;
    process.stdout.write(
      `${accountingLine(accounting, byDefault)}\n${size} points${failed}; ${front.reduce((n, f) => n + f, 0)} on the Pareto front; in ${out.join(", ")}\n`,
    );
  }
}

/** Evaluates the points that the file `resume` does not hold yet, with progress on stderr. */
async function evaluatePoints(
  request: SweepRequest,
  names: SweepNames,
  size: number,
  resume: string | undefined,
): Promise<Points> {
  const journal = resume === undefined ? undefined : await openJournal(resume, sweepIdentity(request));
  const points = emptyPoints(size);
  let done = 0;
  for (const block of journal?.finished ?? []) {
    putBlock(points, block);
    done += block.points.length;
  }
  if (journal !== undefined && journal.droppedBytes > 0) {
    process.stderr.write(
      `fusemax: ${resume}: ${bytesInWords(journal.droppedBytes)} cut short or damaged, computed again\n`,
    );
  }
  if (done > 0) process.stderr.write(`fusemax: ${done} of ${size} points were finished before\n`);
  const progress = await startProgress("sweep", "points", size, false, done);
  try {
    await evaluateAll(request, names, size, journal?.finished ?? [], block => {
      journal?.append(block);
      putBlock(points, block);
      done += block.points.length;
      progress.update(done);
    });
  } finally {
    progress.stop();
  }
  return points;
}

function* encoded(texts: Iterable<string>): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  for (const text of texts) yield encoder.encode(text);
}

function parseAxis(text: string) {
  const [path = "", values, ...more] = text.split("=");
  if (values === undefined || more.length > 0 || path === "") {
    throw new UsageError({
      where: "--set",
      got: `"${text}"`,
      expected: "FIELD=VALUES, such as architecture.parameters.D=64,128,256",
    });
  }
  return { path, values: parseValues(`--set ${path}`, values) };
}

function lengthsOf(words: readonly string[]): readonly number[] {
  const lengths = parseValues("--seq", words.join(","));
  const odd = lengths.find(length => !Number.isInteger(length) || length < 1 || length > largestSize);
  if (odd === undefined) return lengths;
  throw new UsageError({ where: "--seq", got: String(odd), expected: "whole numbers from 1 to 1T" });
}

function objectivesOf(text: string): readonly Measure[] {
  const names = parseWords("--pareto", [text]);
  const unknown = names.find(name => !(measures as readonly string[]).includes(name));
  if (unknown !== undefined) {
    throw new UsageError({
      where: "--pareto",
      got: `"${unknown}"`,
      expected: `some of ${measures.join(", ")}`,
    });
  }
  return names as readonly Measure[];
}
