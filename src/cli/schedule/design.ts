import { specFiles } from "../../io/spec-files.js";
import { type CompiledDesign, compileDesign } from "../../model/compile.js";
import type { Patch } from "../../model/patch.js";
import { checkSizes, type Sizes } from "../../model/sizes.js";
import type { Design } from "../../spec/design.js";
import type { Document } from "../../spec/document.js";
import { loadDesign, loadSchedule, loadWorkload } from "../../spec/load.js";
import type { ScheduleDocument } from "../../spec/schedule/document.js";
import type { MachineOptions, Ports } from "./options.js";

/** A design as the options want it, ready to be evaluated and simulated. */
export function designFor(
  name: string,
  options: MachineOptions,
  { ports, lag }: { readonly ports?: Ports | undefined; readonly lag?: number | undefined },
): CompiledDesign {
  const loaded = loadDesign(specFiles, name, "--design");
  const schedule =
    options.schedule === undefined ? loaded.schedule : loadSchedule(specFiles, options.schedule, "--schedule");
  const design: Design = { ...loaded, schedule: schedule && withForcedLag(schedule, lag) };
  return compileDesign(design, { patches: patchesFor(design, options, ports) });
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
    patches.push({ path: `architecture.levels.${arrays["2d"]?.at}.depth`, value: registers.pe });
    patches.push({ path: `architecture.levels.${arrays["1d"]?.at}.depth`, value: registers.lane });
  }
  return patches;
}

/** The sizes of a model at a sequence length, with what the options replace. */
export function sizesFor(model: string, seq: number, options: MachineOptions): Sizes & { readonly model: string } {
  const workload = loadWorkload(specFiles, model, "--model");
  const { heads = workload.heads, headDim = workload.headDim, valueDim } = options;
  const sizes = checkSizes({
    B: options.batch ?? workload.batch,
    H: heads,
    E: headDim,
    F: valueDim ?? options.headDim ?? workload.valueDim,
    M: seq,
    queries: seq,
    modelDim: workload.modelDim,
    feedForward: workload.feedForward,
  });
  return { ...sizes, model: workload.name };
}
