import type { TileEinsum } from "../../src/model/schedule/dataflows.js";

/** What an Einsum does on a tile, in a line; a point after a thing says that it is of every point. */
export function flowText(flow: TileEinsum): string {
  const { name, array, when, leadCycles, points, pointCycles, units, valuePerPoint, writesRows, scratchFrom } = flow;
  const each = (list: readonly string[]): string => list.join(" ");
  const parts: readonly (readonly [string, string])[] = [
    ["uses", each(flow.uses.map(use => `${use.einsum}${use.pointwise ? "." : ""}${use.each === 1 ? "" : use.each}`))],
    ["carries", each(flow.carries)],
    ["reads", each(flow.reads.map(read => `${read.rows}${read.perPoint ? "." : ""}${read.carried ? "c" : ""}`))],
    ["loads", each(flow.loads.map(load => `${load.tensor}:${load.words}/${load.by}`))],
    ["writes", writesRows === 0 ? "" : `${writesRows}`],
    ["stores", flow.storedWords === 0 ? "" : `${flow.storedWords}`],
    ["runs", flow.runningWords === 0 ? "" : `${flow.runningWords}`],
    ["holds", flow.carriedEntries === 0 ? "" : `${flow.carriedEntries}`],
    ["registers", each(flow.fromRegisters)],
    ["buffer", each(flow.fromBuffer)],
    ["stays", flow.staysInRegisters ? "yes" : ""],
    ["scratch", scratchFrom < 0 ? "" : `${scratchFrom}`],
  ];
  const lead = leadCycles === 0 ? "" : `${leadCycles}+`;
  const head = `${name}${valuePerPoint ? "." : ""} ${array} ${when} ${lead}${points}x${pointCycles} ${units.join("+")}`;
  return [head, ...parts.flatMap(([what, text]) => (text === "" ? [] : [`${what} ${text}`]))].join("; ");
}
