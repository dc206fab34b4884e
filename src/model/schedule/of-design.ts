import { SpecError } from "../../errors.js";
import type { Path } from "../../spec/document.js";
import type { Formula } from "../../spec/expression.js";
import { scheduleOf } from "../../spec/schedule/document.js";
import type { DramChannel, ScheduleMachine, ScheduleWork } from "../../spec/schedule/machine.js";
import type { ScheduleSpec } from "../../spec/schedule/schedule.js";
import type { CompiledDesign } from "../compile.js";
import { type Sizes, symbolValues } from "../sizes.js";
import { findLags } from "./lags.js";
import type { ScheduleResult } from "./result.js";
import { type SimulationOptions, simulateSchedule } from "./simulate.js";

/** Everything that a schedule's simulation takes from a design and a workload. */
export interface DesignSchedule {
  readonly spec: ScheduleSpec;
  readonly machine: ScheduleMachine;
  readonly work: ScheduleWork;
  readonly dram: DramChannel;
  readonly frequencyHz: number;
}

/**
 * The schedule, machine and loop nest of a design at given sizes. The array's rows and columns are the mapping's M0 and P0;
 * a block has P1 query tiles of each of G1 heads that share keys, and each head's last tile counts as whole.
 * @param values the design's symbols at these sizes, if they are computed already
 * @throws SpecError where the design has no schedule, or its architecture no `timing`
 */
export function scheduleOfDesign(
  compiled: CompiledDesign,
  sizes: Sizes,
  values: Float64Array = valuesOf(compiled, sizes),
): DesignSchedule {
  const { design, architecture, program } = compiled;
  if (design.schedule === undefined) {
    const mend = "name one of specs/schedules in the design's file";
    throw new SpecError({ where: design.spec.at([]), got: "a design without a schedule", expected: "schedule", mend });
  }
  const { timing } = architecture;
  if (timing === undefined) {
    const expected = "timing: bufferReadRows, bufferWriteRows, rmReturn, dramLatencyCycles";
    throw new SpecError({ where: design.architecture.at([]), got: "no timing", expected });
  }
  const number = (formula: Formula, path: Path): number =>
    program.compile(formula, undefined, () => design.architecture.at(path))(values);
  // Loops of a schedule run over whole tiles: what is none would never end.
  const symbol = (name: string): number => wholeFrom(1, number(name, []), () => `${design.mapping.at([])} ${name}`);
  const rows = symbol("M0");
  const columns = symbol("P0");
  const work: ScheduleWork = {
    headDim: sizes.E,
    valueDim: sizes.F,
    heads: sizes.B * sizes.H,
    queries: (symbol("G") - 1) * Math.ceil(symbol("P") / columns) * columns + symbol("P"),
    keys: sizes.M,
    blockTiles: symbol("G1") * symbol("P1"),
  };
  const ports = (field: "bufferReadRows" | "bufferWriteRows"): number => {
    const formula = timing[field];
    const path = ["timing", field];
    return formula === "unlimited"
      ? Number.POSITIVE_INFINITY
      : wholeFrom(1, number(formula, path), () => design.architecture.at(path));
  };
  const cyclesOf = (field: "rmReturn" | "dramLatencyCycles"): number =>
    wholeFrom(0, number(timing[field], ["timing", field]), () => design.architecture.at(["timing", field]));
  const depthOf = (array: "2d" | "1d"): number => {
    const at = architecture.arrays[array]?.at ?? "";
    return compiled.levels.get(at)?.fields.get("depth")?.(values) ?? Number.POSITIVE_INFINITY;
  };
  const machine: ScheduleMachine = {
    rows,
    columns,
    readPorts: ports("bufferReadRows"),
    writePorts: ports("bufferWriteRows"),
    rmReturn: timing.rmReturn === "columns" ? { by: "columns" } : { by: "buffer", latencyCycles: cyclesOf("rmReturn") },
    divideCycles: compiled.arrays.get("1d")?.get("divide")?.(values) ?? 1,
    peRegisters: depthOf("2d"),
    laneRegisters: depthOf("1d"),
  };
  const frequencyHz = compiled.frequencyHz(values);
  const field = (kind: "dram" | "sram", name: string): number =>
    [...compiled.levels.values()].find(({ spec }) => spec.kind === kind)?.fields.get(name)?.(values) ?? 0;
  // Asked for only where operands come from DRAM: with ideal memory its latency is nobody's.
  const channel = (): DramChannel => ({
    bytesPerCycle: field("dram", "bytesPerSecond") / frequencyHz,
    latencyCycles: cyclesOf("dramLatencyCycles"),
    bytesPerWord: compiled.wordBytes,
    tilesHeld: tilesHeld(field("sram", "bytes") / compiled.wordBytes, machine, work),
  });
  return {
    spec: scheduleOf(design.schedule),
    machine,
    work,
    frequencyHz,
    get dram() {
      return channel();
    },
  };
}

function valuesOf(compiled: CompiledDesign, sizes: Sizes): Float64Array {
  const values = new Float64Array(compiled.program.size);
  const symbols = symbolValues(sizes);
  compiled.sizeSlots.forEach((slot, i) => {
    values[slot] = symbols[i] as number;
  });
  compiled.program.run(values);
  return values;
}

function wholeFrom(least: number, value: number, at: () => string): number {
  if (Number.isInteger(value) && value >= least) return value;
  throw new SpecError({ where: at(), got: String(value), expected: `a whole number from ${least} up` });
}

/**
 * What the global buffer has room for: a block's Q and running tensors and one tile of keys and values (the published buffer
 * rule); with what is left, up to three more tiles of each (BV is used some epochs after it was loaded), and the next block's Q.
 */
function tilesHeld(
  words: number,
  { rows, columns }: ScheduleMachine,
  { headDim, valueDim, blockTiles }: ScheduleWork,
): DramChannel["tilesHeld"] {
  const keyWords = rows * (headDim + valueDim);
  const left = Math.max(0, words - blockTiles * columns * (headDim + valueDim + 2) - keyWords);
  const moreKeys = Math.min(3, Math.floor(left / keyWords));
  const moreQueries = Math.min(blockTiles, Math.floor((left - moreKeys * keyWords) / (columns * headDim)));
  return { q: blockTiles + moreQueries, bk: 1 + moreKeys, bv: 1 + moreKeys };
}

export interface DesignSimulationOptions extends Omit<SimulationOptions, "arrivals" | "dram"> {
  /** `ideal`: operands are always there, as the published evaluation has it; `dram`: from the design's DRAM channel. */
  readonly memory?: "ideal" | "dram";
}

/** Finds the schedule's lags and simulates it. @throws SpecError */
export function simulateDesign(
  compiled: CompiledDesign,
  sizes: Sizes,
  options: DesignSimulationOptions = {},
): ScheduleResult {
  const { spec, machine, work, dram } = scheduleOfDesign(compiled, sizes);
  const { memory = "dram", ...rest } = options;
  return simulateSchedule(findLags(spec, machine, work), machine, work, {
    ...rest,
    ...(memory === "dram" ? { dram } : {}),
  });
}
