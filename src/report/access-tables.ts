import type { MemoryCost, OperatorCost } from "../model/access-table.js";
import { recordTable, type Table, textTable } from "./table.js";
import { area, percent } from "./units.js";

/** A design's costs of access and operation, as `fusemax tables --json` prints them. */
export interface DesignCosts {
  readonly design: string;
  readonly technology: string;
  readonly wordBits: number;
  readonly areaUm2: number;
  readonly componentAreaUm2: Readonly<Record<string, number>>;
  readonly memories: readonly MemoryCost[];
  readonly operators: readonly OperatorCost[];
}

const number = (value: number | undefined): string =>
  value === undefined ? "-" : value.toLocaleString("en-US", { maximumFractionDigits: 6 });

/** The same for people. */
export function costsText(designs: readonly DesignCosts[], where: string): string {
  const parts = designs.flatMap(({ design, technology, wordBits, areaUm2, componentAreaUm2, memories, operators }) => [
    `${design}: energy and area in ${technology}, words of ${wordBits} bits`,
    textTable({
      columns: [
        "memory",
        "kind",
        "instances",
        "bytes",
        "words/access",
        "read pJ",
        "write pJ",
        "area um2",
        "of all",
        "from",
      ],
      rows: memories.map(m => [
        m.level,
        m.kind,
        number(m.instances),
        number(m.bytes),
        number(m.wordsPerAccess),
        number(m.readPj),
        number(m.writePj),
        number(m.areaUm2),
        m.allAreaUm2 === undefined ? "-" : area(m.allAreaUm2),
        m.sameAs === undefined ? (m.origin ?? (m.kind === "dram" ? "technology" : "formula")) : `as ${m.sameAs}`,
      ]),
    }),
    textTable({
      columns: ["array", "operation", "PEs", "cycles", "pJ", "area um2"],
      rows: operators.map(o => [
        o.array,
        o.operation,
        number(o.pes),
        number(o.cycles),
        number(o.energyPj),
        number(o.areaUm2),
      ]),
    }),
    textTable({
      columns: ["component", "area", "share"],
      rows: [
        ...Object.entries(componentAreaUm2).map(([name, own]) => [name, area(own), percent(own / areaUm2)]),
        ["all", area(areaUm2), percent(1)],
      ],
    }),
  ]);
  return `${[where, ...parts].join("\n\n")}\n`;
}

/** The same as one flat table: a row a memory, an operation or a component of the area. */
export function costsTable(designs: readonly DesignCosts[]): Table {
  const columns = ["design", "what", "name", "kind", "instances", "cycles", "bytes", "wordsPerAccess"];
  return recordTable(
    [...columns, "readPj", "writePj", "energyPj", "areaUm2", "allAreaUm2"],
    designs.flatMap(({ design, memories, operators, componentAreaUm2 }) => [
      ...memories.map(({ level, kind, instances, bytes, wordsPerAccess, readPj, writePj, areaUm2, allAreaUm2 }) => ({
        ...{ design, what: "memory", name: level, kind, instances, bytes, wordsPerAccess },
        ...{ readPj, writePj, areaUm2, allAreaUm2 },
      })),
      ...operators.map(({ array, operation, pes, cycles, energyPj, areaUm2 }) => ({
        ...{ design, what: "operation", name: array, kind: operation, instances: pes, cycles, energyPj, areaUm2 },
      })),
      ...Object.entries(componentAreaUm2).map(([name, allAreaUm2]) => ({ design, what: "area", name, allAreaUm2 })),
    ]),
  );
}
