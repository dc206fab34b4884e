import { SpecError } from "../../errors.js";
import type { Path } from "../../spec/document.js";
import type { Compiled, Formula } from "../../spec/expression.js";
import type { RmReturn } from "../../spec/schedule/machine.js";
import type { CompiledDesign } from "../compile.js";

/** An array's fan-outs: rows and columns of PEs, or a single row of lanes. */
export function arrayShape(compiled: CompiledDesign, name: string, values: Float64Array) {
  const level = compiled.levels.get(compiled.architecture.arrays[name]?.at ?? "");
  const size = (fanout: string | undefined): number =>
    compiled.levels.get(fanout ?? "")?.fields.get("size")?.(values) ?? 1;
  const around = level?.around ?? [];
  const grid = around.length > 1;
  return {
    grid,
    rows: grid ? size(around[0]) : 1,
    columns: size(around[grid ? 1 : 0]),
    depth: level?.fields.get("depth")?.(values) ?? Number.POSITIVE_INFINITY,
  };
}

/** Cycles from DRAM where the architecture does not say: about 100 ns, as HBM2's. */
const usualLatency = 100;

/** An architecture without `timing` has as many ports as it wants, and ways back up its columns. */
export function timingOf(compiled: CompiledDesign, values: Float64Array) {
  const { timing } = compiled.architecture;
  const number = (formula: Formula, path: Path): number =>
    compiled.program.compile(formula, undefined, compiled.inArchitecture(path))(values);
  const ports = (field: "bufferReadRows" | "bufferWriteRows"): number => {
    const formula = timing?.[field] ?? "unlimited";
    const at = compiled.inArchitecture(["timing", field]);
    return formula === "unlimited" ? Number.POSITIVE_INFINITY : wholeFrom(1, number(formula, ["timing", field]), at);
  };
  const cyclesOf = (field: "rmReturn" | "dramLatencyCycles", otherwise: number): number => {
    const formula = timing?.[field];
    const path = ["timing", field];
    return formula === undefined ? otherwise : wholeFrom(0, number(formula, path), compiled.inArchitecture(path));
  };
  const upward: RmReturn =
    timing === undefined || timing.rmReturn === "columns"
      ? { by: "columns" }
      : { by: "buffer", latencyCycles: cyclesOf("rmReturn", 0) };
  return {
    readPorts: ports("bufferReadRows"),
    writePorts: ports("bufferWriteRows"),
    upward,
    dramLatencyCycles: () => cyclesOf("dramLatencyCycles", usualLatency),
  };
}

/** The formulas of a design's `timing`, ready to run; none for what is a word, or not there. */
const timingFormulas = new WeakMap<CompiledDesign, readonly Compiled[]>();

/** The numbers of a design's `timing` that do not concern DRAM. */
export function timingNumbers(compiled: CompiledDesign, values: Float64Array): readonly number[] {
  const { timing } = compiled.architecture;
  const known = timingFormulas.get(compiled);
  const formulas =
    known ??
    (["bufferReadRows", "bufferWriteRows", "rmReturn"] as const).flatMap(field => {
      const formula = timing?.[field];
      if (formula === undefined || formula === "unlimited" || formula === "columns") return [];
      return [compiled.program.compile(formula, undefined, compiled.inArchitecture(["timing", field]))];
    });
  if (known === undefined) timingFormulas.set(compiled, formulas);
  return formulas.map(formula => formula(values));
}

/** Cycles of a value's way from a row of lanes into an array of so many rows. */
export function upwardCycles(compiled: CompiledDesign, rows: number, values: Float64Array): number {
  const { upward } = timingOf(compiled, values);
  return 1 + (upward.by === "columns" ? rows : upward.latencyCycles);
}

function wholeFrom(least: number, value: number, at: () => string): number {
  if (Number.isInteger(value) && value >= least) return value;
  throw new SpecError({ where: at(), got: String(value), expected: `a whole number from ${least} up` });
}
