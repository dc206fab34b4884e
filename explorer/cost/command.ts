import { FusemaxError } from "../../src/errors.js";
import { loadUnmapped } from "../../src/spec/load.js";
import { allDesigns, argumentOf, isPaperDesign } from "../design/names.js";
import { type OwnDesign, ownName, rootFile } from "../design/own.js";
import { ownSpecs } from "../design/source.js";
import { bundledSpecs } from "../specs.js";
import { countedAs, customModel, type Hardware, initialState, type State, writeSize } from "../state.js";
import { bandwidthUnitName, workloadOf } from "./designs.js";

/** The file that a workload of one's own is saved as. */
export const workloadFile = "workload.yaml";

/** Every design that the state names and that there is: the paper's in its order, then the others. */
export const chosenDesigns = (state: State): readonly string[] =>
  allDesigns.filter(name => state.designs.includes(name));

/** Names of the levels that the settings are of, in the paper's designs. */
const paperLevels: Levels = { sram: ["buffer"], dram: ["dram"] };
type Levels = Readonly<Record<"sram" | "dram", readonly string[]>>;

/** The levels of a design; null where its text cannot be read. */
function levelsOf(design: string, own: OwnDesign | null): Levels | null {
  if (isPaperDesign(design)) return paperLevels;
  try {
    const isOwn = design === ownName && own !== null;
    const { architecture } = isOwn ? loadUnmapped(ownSpecs(own), rootFile) : loadUnmapped(bundledSpecs, design);
    const all = Object.entries(architecture.data.levels);
    const of = (wanted: keyof Levels) => all.filter(([, { kind }]) => kind === wanted).map(([name]) => name);
    return { sram: of("sram"), dram: of("dram") };
  } catch (error) {
    if (error instanceof FusemaxError) return null;
    throw error;
  }
}

/** The calls that print the same numbers: one, unless the same setting has another name in some designs. */
export function costCommands(state: State): readonly string[] {
  const byFields = new Map<string, string[]>();
  for (const design of chosenDesigns(state)) {
    const levels = levelsOf(design, state.own);
    if (levels === null) continue;
    const settings = settingsOf(state, levels);
    byFields.set(settings, [...(byFields.get(settings) ?? []), argumentOf(design)]);
  }
  return [...byFields].map(([settings, designs]) => commandOf(state, designs, settings));
}

function settingsOf(state: State, { sram, dram }: Levels): string {
  const { rows, columns, buffer, bandwidth, frequency } = state;
  const unit = bandwidthUnitName(countedAs(state));
  const settings: string[] = [];
  const set = (field: Hardware, ...written: readonly string[]) => {
    if (state[field] !== initialState[field]) settings.push(...written.map(setting => `"architecture.${setting}"`));
  };
  set("rows", `parameters.rows=${rows}`);
  set("columns", `parameters.columns=${columns}`);
  set("frequency", `frequencyHz=${frequency}e6`);
  set("bandwidth", ...dram.map(level => `levels.${level}.bytesPerSecond=${bandwidth}*${unit}`));
  set("buffer", ...sram.map(level => `levels.${level}.bytes*=${buffer}`));
  return settings.join(" ");
}

function commandOf(state: State, designs: readonly string[], settings: string): string {
  const { model, seq, batch, scope, phase, masked } = state;
  return [
    "npx fusemax model",
    `--design ${designs.join()}`,
    `--model ${model === customModel ? workloadFile : model.toLowerCase()}`,
    `--seq ${writeSize(seq)} --batch ${batch} --accounting ${countedAs(state)}`,
    ...(scope === "layer" ? ["--layer"] : []),
    ...(phase === "decode" ? ["--phase decode"] : []),
    ...(masked === "none" && model !== customModel ? ["--no-mask"] : []),
    ...(settings === "" ? [] : [`--set ${settings}`]),
  ].join(" ");
}

/** The sizes typed in as a workload's file. */
export function workloadText(state: State): string {
  const { heads, headDim, valueDim, modelDim, feedForward, source } = workloadOf(state);
  const fields = { name: customModel, source, batch: state.batch, heads, headDim, valueDim, modelDim, feedForward };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  return `${[...lines, "phases: [prefill, decode]"].join("\n")}\n`;
}
