import { howMany } from "../errors.js";
import { type NotSimulated, type Simulated, simulationTolerance } from "../model/mapper/simulated.js";

/** Why the simulation takes other cycles than the model. */
function causeOf({ cycles, modelCycles, stalls }: Simulated): string {
  const more = cycles - modelCycles;
  if (more < 0) return "the model charges steps that wait for each other, or for a level, which the simulation has not";
  const { fill = 0, drain = 0, ...others } = stalls.cycles;
  const inWords = (n: number): string => Math.round(n).toLocaleString("en-US");
  if (fill + drain >= more / 2) {
    const got = `${inWords(fill + drain)} of them the pipeline takes to fill and drain`;
    return `${got}, once, which the model leaves out and so few queries do not hide`;
  }
  const [cause, own] = Object.entries(others).sort((a, b) => b[1] - a[1])[0] ?? ["", 0];
  const what = { idle: "slots that no Einsum fills in the schedule", port: "a port", behind: "arrays further back" };
  const named = (what as Readonly<Record<string, string>>)[cause] ?? cause;
  const waits = `the ${stalls.array} array stands still for ${howMany(inWords(own), "cycle")} for ${named}`;
  return `${waits}, where the model lets arrays work side by side`;
}

/** What the simulation of schedules says of each mapping. */
export function simulatedLines(
  found: readonly { readonly simulated: Simulated | NotSimulated; readonly isOwn: boolean }[],
  out: string | undefined,
): readonly string[] {
  return found.map(({ simulated, isOwn }, i) => {
    const number = found.length === 1 ? "" : `-${i + 1}`;
    const name = `  ${found.length === 1 ? "found" : `found ${i + 1}`}  `;
    if ("reason" in simulated) return `${name}cannot be simulated: ${simulated.reason}`;
    const { queries, cycles, modelCycles, ratio, agrees } = simulated;
    const [own = "", model = ""] = [cycles, modelCycles].map(n => Math.round(n).toLocaleString("en-US"));
    const tolerance = `${simulationTolerance * 100}%`;
    const verdict = agrees ? `within ${tolerance}` : `DISAGREES by more than ${tolerance}: ${causeOf(simulated)}`;
    const files =
      out === undefined || isOwn
        ? ""
        : ` (fusemax schedule --design ${out}/design${number}.yaml --schedule ${out}/schedule${number}.yaml)`;
    return `${name}${howMany(queries.toLocaleString("en-US"), "query")}, operands there: ${howMany(own, "cycle")}, the model's ${model}, x${ratio.toFixed(4)}: ${verdict}${files}`;
  });
}
