import { accountingOf, type Design, loadDesign, loadWorkload, trafficStudy } from "fusemax";
import { loadCascade, specFiles } from "fusemax/node";
import { arithmeticOf, type Cost, type Machine, machineName, type Scenario } from "./machine.js";

const cascade = "attention-1-pass";

/** The least DRAM bytes that FuseMax's cascade implies in a scenario; one buffer size in place of the design's own. */
function boundOf(design: Design, { model, seq, phase, batch }: Scenario, bufferBytes?: number): number {
  const workload = loadWorkload(specFiles, model);
  const { panels } = trafficStudy({
    cascades: [loadCascade(cascade)],
    designs: [{ ...design, arithmeticBy: "command" }],
    ...{ workload, batch: batch ?? workload.batch, lengths: [seq] },
    ...{ phase, decodeQueries: 1, accounting: accountingOf("corrected", undefined) },
    ...(bufferBytes === undefined ? {} : { bufferBytes }),
  });
  return panels[0]?.points[0]?.bounds[cascade]?.bytes ?? Number.NaN;
}

/** Rounding of the model's own sums. */
const rounding = 1e-12;

function held(name: string, { name: scenario }: Scenario, { trafficBytes }: Cost, bound: number): number {
  if (trafficBytes * (1 + rounding) >= bound) return bound;
  throw new Error(`${name} moves ${trafficBytes} bytes in ${scenario}, below ${bound}`);
}

/** The bound of a design of specs/designs. @throws Error where what it moves is below */
export const boundOfDesign = (name: string, scenario: Scenario, cost: Cost): number =>
  held(name, scenario, cost, boundOf(loadDesign(specFiles, name), scenario));

/** The bound of a machine of the search. @throws Error where what it moves is below */
export function boundOfMachine(machine: Machine, scenario: Scenario, cost: Cost): number {
  const fusemax = loadDesign(specFiles, "fusemax");
  const design = { ...fusemax, arithmetic: { ...fusemax.arithmetic, data: arithmeticOf(machine.arithmetic) } };
  return held(machineName(machine), scenario, cost, boundOf(design, scenario, machine.bufferBytes));
}
