import { UsageError } from "../../errors.js";
import { specFiles } from "../../io/spec-files.js";
import { largestSize } from "../../model/sizes.js";
import { type Axis, checkSweep, type Measure, measures, type SweepRequest, sweepSize } from "../../model/sweep.js";
import { namedArithmetic } from "../arithmetic.js";
import { conflict } from "../conflict.js";
import { accountingOfCommand, queriesOf } from "../model/options.js";
import { chargedUnder, chargesScores, scoreChoice } from "../model/score-terms.js";
import { parseWords } from "../values.js";
import type { SweepOptions } from "./options.js";
import { readSweep, type SweepNames } from "./request.js";
import { type SweepTable, tableOf } from "./table.js";
import { parseValues } from "./values.js";

/** A sweep that can be begun: every option is checked and every spec read. */
export interface AskedSweep {
  readonly request: SweepRequest;
  readonly names: SweepNames;
  readonly size: number;
  readonly table: SweepTable;
  /** The lengths and the fields with their values, in the user's words. */
  readonly words: SweepWords;
}

/** What takes less room as it was said. */
export interface SweepWords {
  readonly seq: string;
  readonly set: readonly string[];
}

/** More points than this are a slip of the pen: their table would fill a disk. */
const mostPoints = 1_000_000_000;

/** @throws UsageError, SpecError */
export function askedSweep(options: SweepOptions): AskedSweep {
  const words: SweepWords = { seq: (options.seq ?? ["4K"]).join(","), set: options.set };
  const { lengths, axes } = gridOf(words);
  const named = {
    designs: parseWords("--design", options.design ?? ["fusemax"]),
    workloads: parseWords("--model", options.model ?? ["bert"]),
    ...{ lengths, axes },
    batch: options.batch,
    ...queriesOf(options),
    arithmetic: namedArithmetic(options),
  };
  if (options.batch !== undefined && axes.some(({ path }) => path === "workload.batch")) {
    throw conflict("--batch", "--set workload.batch");
  }
  const objectives = objectivesOf(options.pareto);
  const read = readSweep(specFiles, named);
  const asked = scoreChoice(options, read.workloads);
  const charges = chargesScores(asked, read.workloads);
  const { accounting, byDefault } = accountingOfCommand(options, read.designs, axes.length + (charges ? 1 : 0));
  const { scores, notes } = chargedUnder(accounting, asked, read.workloads);
  for (const note of notes) process.stderr.write(`fusemax: ${note}\n`);
  const counted = { accounting, ...(charges && scores !== undefined ? { scores } : {}) };
  const request = { ...read, ...counted };
  const size = sweepSize(request);
  if (size > mostPoints) {
    throw new UsageError({
      where: "--set",
      got: `${size.toLocaleString("en-US")} points`,
      expected: `at most ${mostPoints.toLocaleString("en-US")}`,
    });
  }
  for (const note of checkSweep(request)) process.stderr.write(`fusemax: ${note}\n`);
  return { request, names: { ...named, ...counted }, size, table: tableOf(request, { byDefault, objectives }), words };
}

/** Lengths and axes of a sweep's words. @throws UsageError */
export function gridOf({ seq, set }: SweepWords): {
  readonly lengths: readonly number[];
  readonly axes: readonly Axis[];
} {
  return { lengths: lengthsOf(seq), axes: set.map(parseAxis) };
}

function parseAxis(text: string): Axis {
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

function lengthsOf(words: string): readonly number[] {
  const lengths = parseValues("--seq", words);
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
