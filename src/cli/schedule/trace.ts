import { UsageError } from "../../errors.js";
import { checkWritable, writeAtomically } from "../../io/atomic-write.js";
import type { CompiledDesign } from "../../model/compile.js";
import { scheduleOfDesign } from "../../model/schedule/of-design.js";
import { scheduleTimeline } from "../../model/schedule/timeline.js";
import type { Sizes } from "../../model/sizes.js";
import { chromeTrace } from "../../report/chrome-trace.js";
import { peFrames } from "../../report/pe-frames.js";
import { peGrid } from "../../report/pe-grid.js";
import { lengthLabel } from "../../report/units.js";
import { waterfall } from "../../report/waterfall.js";
import { designFor, sizesFor } from "./design.js";
import type { TraceOptions } from "./options.js";

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
    const [got, expected] =
      unused === "cycles" ? ["no --pe", "--pe beside it"] : ["--pe beside it", "--cycles with --pe"];
    throw new UsageError({ where: `--${unused}`, got, expected });
  }
  for (const { file } of drawings) await checkWritable(file);
  const compiled = designFor(options.design, options, options);
  const sizes = sizesFor(options.model, options.seq, options);
  const { label, schedule } = compiled.design;
  const named = options.schedule === undefined ? "" : `, schedule ${schedule?.data.name}`;
  const title = `${label}${named}, ${sizes.model} ${lengthLabel(options.seq)}`;
  const contents =
    options.pe === undefined
      ? epochDrawings(compiled, sizes, title, options)
      : { json: "", svg: peDrawing(compiled, sizes, title, options) };
  for (const { file, kind } of drawings) {
    await writeAtomically(file, [new TextEncoder().encode(contents[kind])]);
    process.stdout.write(`${file}\n`);
  }
}

function kindOf(file: string): "json" | "svg" {
  const kind = /\.(json|svg)$/i.exec(file)?.[1]?.toLowerCase();
  if (kind === "json" || kind === "svg") return kind;
  throw new UsageError({ where: "--out", got: `"${file}"`, expected: "a file that ends in .json or .svg" });
}

function epochDrawings(
  compiled: CompiledDesign,
  sizes: Sizes,
  title: string,
  { epochs = { first: 0, last: 7 }, memory, out }: TraceOptions,
): Readonly<Record<"json" | "svg", string>> {
  const draws = out.some(file => kindOf(file) === "svg");
  if (draws && epochs.last - epochs.first >= mostDrawnEpochs) {
    const got = `${epochs.first}..${epochs.last}`;
    throw new UsageError({ where: "--epochs", got, expected: `at most ${mostDrawnEpochs} epochs for a drawing` });
  }
  const timeline = scheduleTimeline(compiled, sizes, epochs, { memory });
  const name = `${title}: epochs ${epochs.first} to ${epochs.last}`;
  return { json: chromeTrace(timeline), svg: draws ? waterfall(timeline, name) : "" };
}

/** The first cycles of one head, computed on the register-level array with generated values and ideal memory. */
function peDrawing(
  compiled: CompiledDesign,
  sizes: Sizes,
  title: string,
  { pe, cycles = { first: 0, last: 11 } }: TraceOptions,
): string {
  const { rows, columns } = scheduleOfDesign(compiled, { ...sizes, B: 1, H: 1 }).machine;
  if (Math.max(rows, columns) > largestDrawnArray) {
    const expected = `at most ${largestDrawnArray} x ${largestDrawnArray}`;
    throw new UsageError({ where: "--pe", got: `${rows} x ${columns} PEs`, expected, mend: "give --array 4x4" });
  }
  if (sizes.M > longestDrawn) {
    const got = `${sizes.M} positions`;
    throw new UsageError({ where: "--pe", got, expected: `at most ${longestDrawn}`, mend: "give --seq 16" });
  }
  if (cycles.last - cycles.first >= mostDrawnCycles) {
    const got = `${cycles.first}..${cycles.last}`;
    throw new UsageError({ where: "--cycles", got, expected: `at most ${mostDrawnCycles} cycles` });
  }
  const { frames, schedule } = peFrames(compiled, sizes, cycles);
  if (frames.length === 0) {
    const got = `${cycles.first}..${cycles.last}`;
    throw new UsageError({ where: "--cycles", got, expected: "cycles before the last" });
  }
  const name = `${title} on ${rows} x ${columns} PEs: cycles ${cycles.first} to ${cycles.last}`;
  return peGrid(frames, schedule, name, pe ?? "strip");
}
