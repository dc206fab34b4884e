import type { AccessAction, OperationAction } from "../model/action-table.js";
import { recordTable, type Table, textTable } from "./table.js";
import { bytes, energy } from "./units.js";

/** The actions of one design at one point; energies are absent where the technology has none for its words. */
export interface CountedPoint {
  readonly design: string;
  readonly model: string;
  readonly layers: string | null;
  readonly seq: number;
  /** Whether registers are counted for all PEs; else for one. */
  readonly allInstances: boolean;
  readonly accesses: readonly (Omit<AccessAction, "energyPj"> & Partial<Pick<AccessAction, "energyPj">> & Instances)[];
  /** Cycles for which each Einsum keeps its array busy. */
  readonly cycles: readonly { readonly einsum: string; readonly array: string; readonly cycles: number }[];
  readonly operations: readonly (Omit<OperationAction, "energyPj"> & Partial<Pick<OperationAction, "energyPj">>)[];
}

/** Instances of the level that the Einsum uses and the words are of all together; 1 where they are of one. */
interface Instances {
  readonly instances: number;
}

const count = (value: number): string =>
  value < 1e15 ? value.toLocaleString("en-US", { maximumFractionDigits: 0 }) : value.toExponential(6);
const energyOrDash = (value: number | undefined): string => (value === undefined ? "-" : energy(value));

/** The counts for people: two tables a design and point. */
export function countsText(
  points: readonly CountedPoint[],
  accounting: string,
  head: (point: CountedPoint) => string,
): string {
  const parts = points.flatMap(point => {
    const accesses: Table = {
      columns: ["Einsum", "level", "tensor", "instances", "reads", "updates", "fills", "bytes", "energy"],
      rows: point.accesses.map(a => [
        a.einsum,
        a.level,
        a.tensor,
        count(a.instances),
        count(a.reads),
        count(a.updates),
        count(a.fills),
        bytes(a.bytes),
        energyOrDash(a.energyPj),
      ]),
    };
    const operations: Table = {
      columns: ["Einsum", "array", "operation", "count", "energy"],
      rows: point.operations.map(o => [o.einsum, o.array, o.operation, count(o.count), energyOrDash(o.energyPj)]),
    };
    const cycles: Table = {
      columns: ["Einsum", "array", "cycles"],
      rows: point.cycles.map(c => [c.einsum, c.array, count(c.cycles)]),
    };
    const of = point.allInstances ? "of all PEs" : "of one PE, as published (--correct register-energy: of all)";
    return [
      head(point),
      `Words: reads are served to the levels below, or read back to go on with sums; updates came from below, fills from above. Registers: ${of}. Timeloop's scalar reads, updates and fills (per-instance) are these over the instances\n\n${textTable(accesses)}`,
      textTable(operations),
      textTable(cycles),
    ];
  });
  return `${[accounting, ...parts].join("\n\n")}\n`;
}

/** The same as one flat table: a row an action; `kind` is access or operation, or cycles with those of an Einsum as count. */
export function countsTable(points: readonly CountedPoint[], accounting: string): Table {
  const place = ["design", "model", "layers", "seq", "accounting", "kind", "einsum"];
  return recordTable(
    [
      ...[...place, "level", "tensor", "reads", "updates", "fills", "bytes"],
      ...["array", "operation", "count", "energyPj", "instances"],
    ],
    points.flatMap(({ design, model, layers, seq, accesses, operations, cycles }) => {
      const at = { design, model, layers, seq, accounting };
      return [
        ...accesses.map(action => ({ ...at, kind: "access", ...action })),
        ...operations.map(action => ({ ...at, kind: "operation", ...action })),
        ...cycles.map(({ einsum, array, cycles: count }) => ({ ...at, kind: "cycles", einsum, array, count })),
      ];
    }),
  );
}
