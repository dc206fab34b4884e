import { FusemaxError } from "../../src/errors.js";
import { compileDesign } from "../../src/model/compile.js";
import { evaluate } from "../../src/model/evaluate.js";
import type { Patch } from "../../src/model/patch.js";
import { scheduleOfDesign } from "../../src/model/schedule/of-design.js";
import { simulateDesign } from "../../src/model/schedule/simulate-design.js";
import { epochCount, scheduleTimeline } from "../../src/model/schedule/timeline.js";
import { attentionSizes } from "../../src/model/sizes.js";
import { peFrames } from "../../src/report/pe-frames.js";
import type { Design } from "../../src/spec/design.js";
import { loadDesign, loadWorkload } from "../../src/spec/load.js";
import { loadOwn } from "../design/source.js";
import { messageOf } from "../message.js";
import { bundledSpecs } from "../specs.js";
import {
  type Machine,
  mostSteps,
  type ScheduleAnswer,
  type ScheduleRequest,
  type Simulated,
  type SimulatedDesign,
  type Stepped,
  steppedSeq,
  steppedWidth,
} from "./request.js";

/** Simulations in a thread of their own, so that the page stays alive. */
addEventListener("message", ({ data }: MessageEvent<ScheduleRequest>) => postMessage(answerTo(data)));

function answerTo(request: ScheduleRequest): ScheduleAnswer {
  try {
    return request.what === "timeline"
      ? { type: "timeline", simulated: simulated(request.machine) }
      : { type: "steps", steps: steps(request.of, request.array) };
  } catch (error) {
    if (error instanceof FusemaxError) return { type: "failed", message: messageOf(error) };
    throw error;
  }
}

const load = ({ design, own }: SimulatedDesign): Design =>
  own === null ? loadDesign(bundledSpecs, design) : loadOwn(own);

function simulated(machine: Machine): Simulated {
  const { scheduleModel, scheduleSeq, memory, ports, epoch, epochs } = machine;
  const patches: readonly Patch[] =
    ports === "unlimited" ? [] : [{ path: "architecture.timing.bufferReadRows", value: Number(ports) }];
  const compiled = compileDesign(load(machine), { patches });
  const workload = loadWorkload(bundledSpecs, scheduleModel);
  const sizes = attentionSizes(workload, { batch: workload.batch, queries: scheduleSeq, keys: scheduleSeq });
  const { arrays } = scheduleOfDesign(compiled, { sizes });
  const { cycles, utilization } = evaluate(compiled, sizes);
  return {
    machine,
    result: simulateDesign(compiled, { sizes }, { memory }),
    timeline: scheduleTimeline(compiled, { sizes }, { first: epoch, last: epoch + epochs - 1 }, { memory }),
    registers: Object.values(arrays.arrays).map(({ registers }) => registers),
    published: { cycles: Math.round(cycles), utilization },
  };
}

function steps(of: SimulatedDesign, array: number): Stepped {
  const patches: readonly Patch[] = ["rows", "columns"].map(side => ({
    path: `architecture.parameters.${side}`,
    value: array,
  }));
  const compiled = compileDesign(load(of), { patches });
  const sizes = {
    ...{ B: 1, H: 1, E: steppedWidth, F: steppedWidth, M: steppedSeq, queries: steppedSeq },
    ...{ modelDim: steppedWidth, feedForward: steppedWidth },
  };
  const pe = peFrames(compiled, sizes, { first: 0, last: mostSteps - 1 });
  const ideal = { memory: "ideal" } as const;
  const last = epochCount(compiled, { sizes }) - 1;
  const whole = scheduleTimeline(compiled, { sizes }, { first: 0, last }, ideal);
  // Epochs that begin after the last cycle that can be stepped to are not drawn.
  const begun = Math.max(
    ...Object.values(whole.begins).map(begins => begins.filter(cycle => cycle < pe.frames.length).length),
  );
  const timeline = begun > last ? whole : scheduleTimeline(compiled, { sizes }, { first: 0, last: begun - 1 }, ideal);
  return { ...pe, timeline };
}
