import { SpecError } from "../errors.js";
import { type EinsumName, einsumNames, stepsOf } from "../fusemax-array/einsums.js";
import type { CompiledDesign } from "../model/compile.js";
import type { TileArrays } from "../model/schedule/arrays.js";
import type { ScheduleMachine, TileWork } from "../spec/schedule/machine.js";

/**
 * The arrays of a design as the register-level array takes them. Throws SpecError for a design that is not FuseMax's: another
 * cascade, other arrays, or operations that take more than a cycle, divisions apart.
 */
export function fusemaxMachine(compiled: CompiledDesign, arrays: TileArrays, work: TileWork): ScheduleMachine {
  const [grid, row] = [arrays.arrays["2d"], arrays.arrays["1d"]];
  const refuse = (got: string, expected: string): never => {
    throw new SpecError({ where: `register-level array of ${compiled.design.name}`, got, expected });
  };
  if (grid === undefined || row === undefined || !grid.grid) {
    return refuse(`arrays ${Object.keys(arrays.arrays).join(", ")}`, "FuseMax's: 2d, of rows and columns, and 1d");
  }
  const named = (name: EinsumName) => arrays.einsums.find(einsum => einsum.name === name);
  for (const { name } of arrays.einsums) {
    if (!einsumNames.includes(name as EinsumName)) refuse(`the Einsum ${name}`, `one of ${einsumNames.join(", ")}`);
  }
  for (const name of einsumNames) {
    const einsum = named(name) ?? refuse(`no Einsum ${name}`, "all of the one-pass cascade");
    const cycles = stepsOf[name].operations;
    if (einsum.leadCycles > 0)
      refuse(`${einsum.leadCycles} cycles of ${name} once a tile`, "operations for each value");
    if (name === "AV" || einsum.pointCycles === cycles) continue;
    refuse(`${einsum.pointCycles} cycles for a value of ${name}`, `${cycles}: an operation a cycle, but for divisions`);
  }
  return {
    rows: grid.rows,
    columns: work.tileRows,
    readPorts: arrays.readPorts,
    writePorts: arrays.writePorts,
    rmReturn: arrays.upward,
    divideCycles: named("AV")?.pointCycles ?? 1,
    registers2d: grid.registers,
    registers1d: row.registers,
  };
}
