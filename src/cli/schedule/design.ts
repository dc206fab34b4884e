import { groupOf, unevenGroups } from "../../attention/heads.js";
import type { ScoreChoice } from "../../attention/score-terms.js";
import { UsageError } from "../../errors.js";
import { specFiles } from "../../io/spec-files.js";
import { type AttentionPoint, attentionPoints, type Masking, unmasked } from "../../model/attention-point.js";
import { type CompiledDesign, compileDesign } from "../../model/compile.js";
import { FieldReads } from "../../model/field-reads.js";
import type { Patch } from "../../model/patch.js";
import { type PerTerms, perTerms } from "../../model/per-terms.js";
import type { Design } from "../../spec/design.js";
import type { Document } from "../../spec/document.js";
import { loadSchedule, loadWorkload } from "../../spec/load.js";
import type { ScheduleDocument } from "../../spec/schedule/document.js";
import type { Workload } from "../../spec/workload.js";
import { checkPaddings, queriesOf } from "../model/options.js";
import type { MachineOptions, Ports } from "./options.js";

/** A design as the options want it, ready to be evaluated and simulated. */
export interface ScheduledDesign extends PerTerms<CompiledDesign> {
  readonly name: string;
  readonly reads: FieldReads;
}

export function designFor(
  loaded: Design,
  options: MachineOptions,
  settings: readonly Patch[],
  corrections: readonly string[],
  { ports, lag }: { readonly ports?: Ports | undefined; readonly lag?: number | undefined },
  points: readonly SchedulePoint[],
  scores: ScoreChoice | undefined,
): ScheduledDesign {
  const schedule =
    options.schedule === undefined ? loaded.schedule : loadSchedule(specFiles, options.schedule, "--schedule");
  const design: Design = { ...loaded, schedule: schedule && withForcedLag(schedule, lag) };
  const reads = new FieldReads();
  const patches = [...patchesFor(design, options, ports), ...settings];
  const terms = points.map(point => point.terms);
  const recorded = settings.length === 0 ? {} : { reads };
  return {
    name: loaded.name,
    reads,
    ...perTerms(design, terms, scores, own => compileDesign(own, { corrections, patches, ...recorded })),
  };
}

/** The schedule with `auto` letters set. */
function withForcedLag(schedule: Document<ScheduleDocument>, lag: number | undefined): Document<ScheduleDocument> {
  if (lag === undefined) return schedule;
  const { data } = schedule;
  const tiles = Object.entries(data.tiles).map(([letter, own]) => [letter, own === "auto" ? lag : own]);
  return { ...schedule, data: { ...data, tiles: Object.fromEntries(tiles) } };
}

function patchesFor(
  { architecture }: Design,
  { array, rmReturn, registers }: MachineOptions,
  ports: Ports | undefined,
): readonly Patch[] {
  const patches: Patch[] = [];
  if (array !== undefined) {
    patches.push({ path: "architecture.parameters.rows", value: array.m0 });
    patches.push({ path: "architecture.parameters.columns", value: array.p0 });
  }
  if (rmReturn !== undefined) {
    patches.push({ path: "architecture.timing.rmReturn", value: rmReturn === "columns" ? rmReturn : Number(rmReturn) });
  }
  if (ports !== undefined) patches.push({ path: "architecture.timing.bufferReadRows", value: ports });
  if (registers !== undefined) {
    const { arrays } = architecture.data;
    for (const name of ["2d", "1d"] as const) {
      const level = arrays[name]?.at;
      if (level === undefined) {
        const got = `a design with ${Object.keys(arrays).join(" and ")}`;
        throw new UsageError({ where: "--registers", got, expected: "a design with the arrays 2d and 1d" });
      }
      patches.push({ path: `architecture.levels.${level}.depth`, value: registers[name] });
    }
  }
  return patches;
}

/** One point of attention to schedule, and what it is called. */
export interface SchedulePoint extends AttentionPoint {
  readonly model: string;
  readonly seq: number;
}

/** The attention of each kind of a model's layers, with what the options replace. */
export function pointsFor(
  model: string,
  seq: number,
  options: MachineOptions,
  masking: Masking | undefined,
  scores: ScoreChoice | undefined,
): readonly SchedulePoint[] {
  const workload = workloadFor(loadWorkload(specFiles, model, "--model"), options);
  const { batch = workload.batch, kvLens, leftPad } = options;
  checkPaddings(options);
  const request = {
    ...queriesOf(options),
    seq,
    batch,
    ...(kvLens === undefined ? {} : { kvLens }),
    ...(leftPad === undefined ? {} : { leftPad }),
    ...(masking === undefined ? {} : { masking }),
    ...(scores === undefined ? {} : { scores }),
  };
  return attentionPoints(options.mask === false ? unmasked(workload) : workload, request).map(point => ({
    ...point,
    seq,
    model: point.kind.name === null ? workload.name : `${workload.name}, ${point.kind.name}`,
  }));
}

/** Query heads keep the number that shares a key/value head. */
function workloadFor(workload: Workload, { heads, headDim, valueDim }: MachineOptions): Workload {
  const group = groupOf(workload);
  const shape = { heads: heads ?? workload.heads, kvHeads: heads === undefined ? workload.kvHeads : heads / group };
  if (!Number.isInteger(shape.kvHeads)) {
    throw new UsageError({
      where: "--heads",
      got: String(heads),
      expected: `a multiple of ${group}, the heads that share keys`,
    });
  }
  const uneven = unevenGroups(shape);
  if (uneven !== null) throw new UsageError({ where: "--heads", ...uneven });
  return {
    ...workload,
    ...shape,
    headDim: headDim ?? workload.headDim,
    valueDim: valueDim ?? headDim ?? workload.valueDim,
  };
}
