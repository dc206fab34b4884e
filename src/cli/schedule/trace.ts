import { hasScoreTerms, type ScoreChoice } from "../../attention/score-terms.js";
import { UsageError } from "../../errors.js";
import { writeAtomically } from "../../io/atomic-write.js";
import { specFiles } from "../../io/spec-files.js";
import type { Masking } from "../../model/attention-point.js";
import type { CompiledDesign } from "../../model/compile.js";
import { scheduleTimeline } from "../../model/schedule/timeline.js";
import { checkSettings } from "../../model/settings.js";
import { chromeTrace } from "../../report/chrome-trace.js";
import { peArray, peFrames } from "../../report/pe-frames.js";
import { peGrid } from "../../report/pe-grid.js";
import { lengthLabel } from "../../report/units.js";
import { waterfall } from "../../report/waterfall.js";
import { loadWorkload } from "../../spec/load.js";
import { namedArithmetic } from "../arithmetic.js";
import { conflict, needs } from "../conflict.js";
import { designsWith } from "../model/designs.js";
import { maskingOf } from "../model/masking.js";
import { accountingOfCommand } from "../model/options.js";
import { chargedUnder, chargesScores, scoreChoice } from "../model/score-terms.js";
import { requireOwnPaths } from "../output-files.js";
import { designFor, pointsFor, type SchedulePoint } from "./design.js";
import { settingsOf, type TraceOptions } from "./options.js";

/** Drawings past this are too wide to read. */
const mostDrawnEpochs = 64;
const mostDrawnCycles = 400;
/** The largest array whose PEs are drawn, and the longest sequence that is laid out for it. */
const largestDrawnArray = 8;
const longestDrawn = 1024;

/** `fusemax trace`: one simulation, one file for each --out. */
export async function traceSchedule(options: TraceOptions): Promise<void> {
  const drawings = options.out.map(file => ({ file, kind: kindOf(file) }));
  const odd = options.pe === undefined ? undefined : drawings.find(({ kind }) => kind !== "svg");
  if (odd !== undefined) {
    throw new UsageError({ where: "--out", got: `"${odd.file}"`, expected: "a .svg file where --pe is given" });
  }
  const unused = options.pe === undefined ? "cycles" : "epochs";
  if (options[unused] !== undefined) {
    throw unused === "cycles" ? needs("--cycles", "--pe") : conflict("--epochs", "--pe", "give --cycles");
  }
  const { designs, patches } = designsWith([options.design], options.set ?? [], namedArithmetic(options));
  const [loaded] = designs;
  if (loaded === undefined) throw new UsageError({ where: "--design", got: "no design", expected: "one" });
  const models = [loadWorkload(specFiles, options.model, "--model")];
  const asked = scoreChoice(options, models);
  const besides = settingsOf(options) + (chargesScores(asked, models) ? 1 : 0);
  const { accounting } = accountingOfCommand(options, designs, besides);
  const { scores, notes } = chargedUnder(accounting, asked, models);
  const point = pointFor(options, await maskingOf(options.mask), scores);
  const design = designFor(loaded, options, patches, accounting.corrections, options, [point], scores);
  const compiled = design.of(point.terms);
  for (const note of [...notes, ...design.notes]) process.stderr.write(`fusemax: ${note}\n`);
  requireOwnPaths([], { "--out": options.out });
  const { label, schedule } = compiled.design;
  const named = options.schedule === undefined ? "" : `, schedule ${schedule?.data.name}`;
  const title = `${label}${named}, ${point.model} ${lengthLabel(point.keys)}`;
  const contents =
    options.pe === undefined
      ? epochDrawings(compiled, point, title, options)
      : { json: "", svg: peDrawing(compiled, { ...point, terms: design.charged(point.terms) }, title, options) };
  checkSettings(patches, [design]);
  for (const { file, kind } of drawings) {
    await writeAtomically(file, [new TextEncoder().encode(contents[kind])]);
    process.stdout.write(`${file}\n`);
  }
}

/** The one kind of layers that is drawn. */
function pointFor(options: TraceOptions, masking: Masking | undefined, scores: ScoreChoice | undefined): SchedulePoint {
  const points = pointsFor(
    options.model,
    options.kvLens === undefined ? options.seq : Math.max(...options.kvLens),
    options,
    masking,
    scores,
  );
  const names = points.map(({ kind }) => kind.name ?? "");
  const found = points.length === 1 ? points[0] : points.find(({ kind }) => kind.name === options.layers);
  if (found !== undefined && (options.layers === undefined || found.kind.name === options.layers)) return found;
  const got =
    options.layers === undefined
      ? `${options.model}, whose layers are of ${points.length} kinds`
      : `"${options.layers}"`;
  const expected = points.length === 1 ? "no such option for layers of one kind" : `one of ${names.join(", ")}`;
  throw new UsageError({ where: "--layers", got, expected });
}

function kindOf(file: string): "json" | "svg" {
  const kind = /\.(json|svg)$/i.exec(file)?.[1]?.toLowerCase();
  if (kind === "json" || kind === "svg") return kind;
  throw new UsageError({ where: "--out", got: `"${file}"`, expected: "a file that ends in .json or .svg" });
}

function epochDrawings(
  compiled: CompiledDesign,
  point: SchedulePoint,
  title: string,
  { epochs = { first: 0, last: 7 }, memory, out }: TraceOptions,
): Readonly<Record<"json" | "svg", string>> {
  const draws = out.some(file => kindOf(file) === "svg");
  if (draws && epochs.last - epochs.first >= mostDrawnEpochs) {
    const got = `${epochs.first}..${epochs.last}`;
    throw new UsageError({ where: "--epochs", got, expected: `at most ${mostDrawnEpochs} epochs for a drawing` });
  }
  const timeline = scheduleTimeline(compiled, point, epochs, { memory });
  const name = `${title}: epochs ${epochs.first} to ${epochs.last}`;
  return { json: chromeTrace(timeline), svg: draws ? waterfall(timeline, name) : "" };
}

/** The first cycles of one head, computed on the register-level array with generated values and ideal memory. */
function peDrawing(
  compiled: CompiledDesign,
  point: SchedulePoint,
  title: string,
  { pe, cycles = { first: 0, last: 11 } }: TraceOptions,
): string {
  const { sizes, mask, terms } = point;
  if (hasScoreTerms(terms)) {
    const got = "scores that are capped or biased";
    throw new UsageError({ where: "--pe", got, expected: "FuseMax's own Einsums", fix: "--no-softcap, no --bias" });
  }
  if (mask !== undefined && mask.sequences.length > 1) {
    throw new UsageError({ where: "--pe", got: "a batch of several lengths", expected: "one sequence" });
  }
  if (mask?.sequences[0]?.bits !== undefined) {
    throw new UsageError({
      where: "--pe",
      got: "a mask of a file",
      expected: "one that leaves each query an interval",
    });
  }
  const { rows = 1, columns = 1 } = peArray(compiled, sizes);
  if (Math.max(rows, columns) > largestDrawnArray) {
    const expected = `at most ${largestDrawnArray} x ${largestDrawnArray}`;
    throw new UsageError({ where: "--pe", got: `${rows} x ${columns} PEs`, expected, fix: "give --array 4x4" });
  }
  if (sizes.M > longestDrawn) {
    const got = `${sizes.M} positions`;
    throw new UsageError({ where: "--pe", got, expected: `at most ${longestDrawn}`, fix: "give --seq 16" });
  }
  if (cycles.last - cycles.first >= mostDrawnCycles) {
    const got = `${cycles.first}..${cycles.last}`;
    throw new UsageError({ where: "--cycles", got, expected: `at most ${mostDrawnCycles} cycles` });
  }
  const { frames, schedule } = peFrames(compiled, sizes, cycles, mask);
  if (frames.length === 0) {
    const got = `${cycles.first}..${cycles.last}`;
    throw new UsageError({ where: "--cycles", got, expected: "cycles before the last" });
  }
  const name = `${title} on ${rows} x ${columns} PEs: cycles ${cycles.first} to ${cycles.last}`;
  return peGrid(frames, schedule, name, pe ?? "strip");
}
