import { countedAs, customModel, initialState, type State, writeSize } from "../state.js";
import { bandwidthUnitName, workloadOf } from "./designs.js";

/** The file that a workload of one's own is saved as. */
export const workloadFile = "workload.yaml";

/** The call that prints the same numbers. */
export function costCommand(state: State): string {
  const accounting = countedAs(state);
  const { model, designs, seq, batch, scope, phase, masked, rows, columns, buffer, bandwidth, frequency } = state;
  const settings: string[] = [];
  const set = (changed: boolean, setting: string) => changed && settings.push(`"architecture.${setting}"`);
  set(rows !== initialState.rows, `parameters.rows=${rows}`);
  set(columns !== initialState.columns, `parameters.columns=${columns}`);
  set(frequency !== initialState.frequency, `frequencyHz=${frequency}e6`);
  set(bandwidth !== initialState.bandwidth, `levels.dram.bytesPerSecond=${bandwidth}*${bandwidthUnitName(accounting)}`);
  set(buffer !== initialState.buffer, `levels.buffer.bytes*=${buffer}`);
  return [
    "npx fusemax model",
    `--design ${designs.join()}`,
    `--model ${model === customModel ? workloadFile : model.toLowerCase()}`,
    `--seq ${writeSize(seq)} --batch ${batch} --accounting ${accounting}`,
    ...(scope === "layer" ? ["--layer"] : []),
    ...(phase === "decode" ? ["--phase decode"] : []),
    ...(masked === "none" && model !== customModel ? ["--no-mask"] : []),
    ...(settings.length > 0 ? [`--set ${settings.join(" ")}`] : []),
  ].join(" ");
}

/** The sizes typed in as a workload's file. */
export function workloadText(state: State): string {
  const { heads, headDim, valueDim, modelDim, feedForward, source } = workloadOf(state);
  const fields = { name: customModel, source, batch: state.batch, heads, headDim, valueDim, modelDim, feedForward };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  return `${[...lines, "phases: [prefill, decode]"].join("\n")}\n`;
}
