import type { RunResult } from "./run-result.js";
import { bytes, energy, seconds } from "./units.js";

/** One attention of several. */
export interface LayerRun {
  readonly name: string;
  readonly result: RunResult;
}

/** What several attentions, one after the other, cost together. */
export interface LayersTotal {
  /** The largest error of all; null where none was checked. */
  readonly maxAbs: number | null;
  readonly cycles: number;
  readonly seconds: number;
  readonly dramBytes: number;
  /** Absent where one of them has none. */
  readonly energyPj?: number;
}

/** What `fusemax run --every-layer` found: its JSON. Fields may be added to it, never renamed. */
export interface LayersResult {
  readonly schema: "fusemax.layers/1";
  readonly input: string;
  readonly layers: readonly LayerRun[];
  readonly total: LayersTotal;
}

export function totalOf(layers: readonly LayerRun[]): LayersTotal {
  const sum = (of: (run: RunResult) => number): number => layers.reduce((all, { result }) => all + of(result), 0);
  const errors = layers.flatMap(({ result: { error } }) => (error === null ? [] : [error.maxAbs]));
  const known = layers.every(({ result }) => result.cost.energyPj !== undefined);
  return {
    maxAbs: errors.length === 0 ? null : Math.max(...errors),
    cycles: sum(({ cost }) => cost.cycles),
    seconds: sum(({ cost }) => cost.seconds),
    dramBytes: sum(({ cost }) => cost.dramBytes),
    ...(known ? { energyPj: sum(({ cost }) => cost.energyPj ?? 0) } : {}),
  };
}

const columns = ["scores [B, H, P, M]", "error, max", "rms/rms", "cycles", "time", "DRAM", "energy"] as const;
const widths = [24, 10, 9, 15, 9, 9, 9] as const;

/** A table of which each row is printed when its layer is done: widths do not depend on what is yet to come. */
export function layersTable(names: readonly string[]) {
  const first = Math.max("layer".length, "all".length, ...names.map(name => name.length));
  const line = (cells: readonly string[]): string => {
    const [name = "", shape = "", ...rest] = cells;
    const [shapeWidth, ...others] = widths;
    const numbers = rest.map((cell, i) => cell.padStart(others[i] ?? 0));
    return `${[name.padEnd(first), shape.padEnd(shapeWidth), ...numbers].join("  ").trimEnd()}\n`;
  };
  const cost = (c: Pick<LayersTotal, "cycles" | "seconds" | "dramBytes" | "energyPj">): readonly string[] => [
    Math.round(c.cycles).toLocaleString("en-US"),
    seconds(c.seconds),
    bytes(c.dramBytes),
    c.energyPj === undefined ? "-" : energy(c.energyPj),
  ];
  const rule = [first, ...widths].map(width => "-".repeat(width)).join("  ");
  return {
    head: `${line(["layer", ...columns])}${rule}\n`,
    row: ({ name, result: { workload: w, error, cost: c } }: LayerRun): string =>
      line([
        name,
        `[${w.batch}, ${w.heads}, ${w.queries}, ${w.keys}]`,
        error === null ? "-" : error.maxAbs.toExponential(2),
        error === null ? "-" : error.rmsRelative.toExponential(2),
        ...cost(c),
      ]),
    foot: ({ total }: LayersResult): string =>
      `${rule}\n${line(["all", "", total.maxAbs === null ? "-" : total.maxAbs.toExponential(2), "", ...cost(total)])}`,
  };
}
