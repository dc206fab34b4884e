import { FusemaxError } from "../../errors.js";
import type { ScheduleDocument } from "../../spec/schedule/document.js";
import type { TileWork } from "../../spec/schedule/machine.js";
import { programText } from "../../spec/schedule/notation.js";
import type { Schedule, ScheduleSpec } from "../../spec/schedule/schedule.js";
import type { CompiledDesign } from "../compile.js";
import { type Evaluation, evaluate } from "../evaluate.js";
import { findLags, keyOf, trialOf } from "../schedule/lags.js";
import { scheduleOfDesign, withRegisterFiles } from "../schedule/of-design.js";
import { pipelinedSchedule } from "../schedule/pipelined.js";
import type { ArrayTime, ScheduleResult } from "../schedule/result.js";
import { simulateSchedule } from "../schedule/simulate.js";
import { valuesOf } from "../values.js";
import type { MapperProblem } from "./problem.js";

/** A mapping's cycles by simulation beside the model's, of the first blocks of queries of the first heads, operands always there. */
export interface Simulated {
  readonly queries: number;
  readonly cycles: number;
  /** The model's, for as many queries. */
  readonly modelCycles: number;
  readonly ratio: number;
  readonly agrees: boolean;
  /** The array that is busiest, and its cycles in which it issued nothing, by cause. */
  readonly stalls: { readonly array: string; readonly cycles: ArrayTime["stalls"] };
  /** What was simulated, as a file. */
  readonly schedule: ScheduleDocument;
}

/** Why a mapping cannot be simulated. */
export interface NotSimulated {
  readonly reason: string;
}

/**
 * How far the simulation may be from the model before it is called a disagreement: the model leaves out what a pipeline takes to fill
 * and drain, once for each block of queries, of which there are hundreds of tiles.
 */
export const simulationTolerance = 0.01;

/** Epochs between the letters of a schedule that are tried. */
const aparts = [1, 2, 4] as const;
/** Tiles that are simulated: whole blocks of queries, as many as come to no more than this, and at the least one. */
const enoughTiles = 2000;
/** A block of more tiles than this takes too long. */
const mostTiles = 20_000;

/**
 * Simulates a mapping that was found, its arrays side by side as its binding has them. What DRAM takes the model adds to whatever the
 * arrays do, so that operands are always there. Under a mask every query sees every key, here and in the model's cycles beside.
 * @param compiled the mapping as a design
 */
export function simulateMapping(
  { point: { sizes, mask }, accounting }: Pick<MapperProblem, "point" | "accounting">,
  compiled: CompiledDesign,
  { phases: own }: Pick<Evaluation, "phases">,
): Simulated | NotSimulated {
  const values = valuesOf(compiled, sizes);
  const unknown = unknownFanout(compiled, values);
  if (unknown !== undefined) return { reason: unknown };
  let best: ScheduleResult | undefined;
  let refusal: FusemaxError | undefined;
  let [queries, share] = [0, 1];
  try {
    const { arrays: free, work } = scheduleOfDesign(compiled, { sizes }, values);
    const arrays = withRegisterFiles(compiled, free, values);
    const part = partOf(work);
    if (part === undefined) return { reason: `a block of queries of more than ${mostTiles} tiles` };
    const all = work.sequences.reduce((sum, { count, rows }) => sum + count * rows, 0);
    [queries, share] = [part.rows, part.rows / (all * work.heads)];
    for (const spec of schedulesOf(arrays.einsums)) {
      try {
        const result = simulateSchedule(findLags(spec, arrays, part.work), arrays, part.work);
        if (best === undefined || result.cycles < best.cycles) best = result;
      } catch (error) {
        if (!(error instanceof FusemaxError)) throw error;
        refusal ??= error;
      }
    }
  } catch (error) {
    if (!(error instanceof FusemaxError)) throw error;
    refusal = error;
  }
  if (best === undefined) return { reason: refusal === undefined ? "nothing to simulate" : reasonOf(refusal) };
  const { cycles } = best;
  const phases = mask === undefined ? own : evaluate(compiled, sizes, accounting).phases;
  const modelCycles = share * phases.reduce((sum, { computeCycles }) => sum + computeCycles, 0);
  const ratio = cycles / modelCycles;
  const agrees = Math.abs(ratio - 1) <= simulationTolerance;
  return { queries, cycles, modelCycles, ratio, agrees, stalls: stallsOf(best), schedule: documentOf(best.schedule) };
}

function stallsOf({ arrays }: ScheduleResult): Simulated["stalls"] {
  const [[array, time] = ["", undefined]] = Object.entries(arrays).sort((a, b) => b[1].busyCycles - a[1].busyCycles);
  return { array, cycles: time?.stalls ?? {} };
}

/** Whether a mapping works tile by tile, as a schedule has it; whether register files have room for one is another question. */
export function hasTiles({ point: { sizes } }: Pick<MapperProblem, "point">, compiled: CompiledDesign): boolean {
  const values = valuesOf(compiled, sizes);
  if (unknownFanout(compiled, values) !== undefined) return false;
  return takes(() => partOf(scheduleOfDesign(compiled, { sizes }, values).work)) !== undefined;
}

/**
 * Whether a mapping works tile by tile, and some schedule that is tried fits the register files, by a trial run of a few tiles.
 * @param known what was said of machines before
 */
export function hasSchedule(
  problem: Pick<MapperProblem, "point">,
  compiled: CompiledDesign,
  known: Map<string, boolean>,
): boolean {
  if (!hasTiles(problem, compiled)) return false;
  const { sizes } = problem.point;
  const values = valuesOf(compiled, sizes);
  const { arrays: free, work } = scheduleOfDesign(compiled, { sizes }, values);
  const arrays = withRegisterFiles(compiled, free, values);
  const trial = trialOf(work);
  const key = keyOf([arrays, trial]);
  const fits = (spec: ScheduleSpec): boolean =>
    takes(() => simulateSchedule(findLags(spec, arrays, work), arrays, trial)) !== undefined;
  const found = known.get(key) ?? schedulesOf(arrays.einsums).some(fits);
  known.set(key, found);
  return found;
}

/** What comes of something; undefined where it is refused. */
function takes<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof FusemaxError) return undefined;
    throw error;
  }
}

/** Schedules that are tried: with two letters there is nothing between which to have epochs. */
function schedulesOf(einsums: Parameters<typeof pipelinedSchedule>[0]): readonly ScheduleSpec[] {
  return [false, true].flatMap(takesTurns => {
    const specs = aparts.flatMap(apart => pipelinedSchedule(einsums, apart, takesTurns) ?? []);
    return Object.keys(specs[0]?.lags ?? {}).length < 3 ? specs.slice(0, 1) : specs;
  });
}

const reasonOf = ({ complaint: { got, expected } }: FusemaxError): string => `${got}; expected ${expected}`;

/**
 * The first blocks of queries of a head, or whole heads, or all heads of whole sequences, where one has few tiles: what a pipeline takes to
 * fill and drain, once, is then a small part of it. Undefined where one block is too much.
 */
function partOf(work: TileWork): { readonly work: TileWork; readonly rows: number } | undefined {
  const [sequence] = work.sequences;
  if (sequence === undefined) return undefined;
  const sharing = work.headTiles.reduce((sum, own) => sum + own, 0);
  const tilesOf = (rowTiles: number): number => rowTiles * sharing * Math.ceil(sequence.keys / work.tileKeys);
  const whole = Math.ceil(sequence.rows / work.tileRows);
  const block = tilesOf(Math.min(whole, work.blockTiles));
  if (block > mostTiles) return undefined;
  const blocks = Math.max(1, Math.floor(enoughTiles / block));
  const rows = Math.min(sequence.rows, blocks * work.blockTiles * work.tileRows);
  const heads = Math.min(work.heads, Math.max(1, Math.floor(enoughTiles / tilesOf(whole))));
  const isWhole = heads === work.heads && rows === sequence.rows;
  const many = isWhole ? Math.max(1, Math.floor(enoughTiles / (heads * tilesOf(whole)))) : 1;
  const count = Math.min(sequence.count, many);
  return { rows: count * heads * rows, work: { ...work, heads, sequences: [{ ...sequence, count, rows }] } };
}

/** What a simulation has no place for: more fan-outs around an array than rows and columns. */
export function unknownFanout(compiled: CompiledDesign, values: Float64Array): string | undefined {
  for (const [array, { at }] of Object.entries(compiled.architecture.arrays)) {
    const around = compiled.levels.get(at)?.around ?? [];
    const sizeOf = (level: string): number => compiled.levels.get(level)?.fields.get("size")?.(values) ?? 1;
    const [first, ...others] = around.slice(2).filter(level => sizeOf(level) > 1);
    if (first === undefined) continue;
    const more = others.map(level => `${sizeOf(level)} of ${level}`).join(", ");
    const known = around.slice(0, 2).join(" and ");
    const got = `${sizeOf(first)} instances of ${first} around the array ${array}${more === "" ? "" : `, and ${more}`}`;
    return `${got}, beyond its rows and columns: a schedule knows two fan-outs around an array, here ${known}`;
  }
  return undefined;
}

/** A schedule as its file says it. */
function documentOf({ name, lags, programs }: Schedule): ScheduleDocument {
  const texts = Object.entries(programs).map(([array, stages]) => [array, programText(stages)] as const);
  return { name, source: "fusemax map", tiles: lags, ...Object.fromEntries(texts) };
}
