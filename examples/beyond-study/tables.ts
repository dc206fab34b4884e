import type { Table } from "#fusemax/report/table";
import { attend } from "../arithmetic-study/head.js";
import { encoderHead, normalHead, outlierHead, risingHead } from "../arithmetic-study/inputs.js";
import { rescalesOf } from "../arithmetic-study/rescales.js";
import { boundOfDesign, boundOfMachine } from "./bound.js";
import {
  arithmeticNames,
  arithmeticOf,
  type Cost,
  costOf,
  costOfDesign,
  fusemaxMachine,
  type Machine,
  machineName,
  ports,
  type Scenario,
  scenarios,
} from "./machine.js";
import { bestOf, type Searched } from "./search.js";
import { type ShippedName, shippedNames } from "./shipped.js";

export const times = (value: number): string => value.toFixed(3);

/** What limits a design, in words. */
const limits: Readonly<Record<string, string>> = {
  ...{ dram: "DRAM", "1d": "1D array", "2d": "2D array" },
  binding: "waits between the arrays",
};
const limitOf = ({ bound }: Cost): string => limits[bound] ?? bound;

/** Time of FuseMax over that of another, and energy and DRAM bytes of the other over FuseMax's. */
export function against(base: Cost, other: Cost) {
  return {
    speedup: base.latencySeconds / other.latencySeconds,
    energy: other.energyPj / base.energyPj,
    dram: other.trafficBytes / base.trafficBytes,
    area: other.areaUm2 / base.areaUm2,
  };
}

const cells = (base: Cost, other: Cost): string[] => {
  const { speedup, energy, dram, area } = against(base, other);
  return [times(speedup), times(energy), dram.toFixed(2), times(area)];
};

/** Cost in a scenario, of machines that are known to run it. */
export function costIn({ costs, machine }: Searched, scenario: number): Cost {
  const cost = costs[scenario];
  if (cost === null || cost === undefined) throw new Error(`${machineName(machine)} does not run scenario ${scenario}`);
  return cost;
}

const first = (found: readonly Searched[]): Searched => {
  const [fusemax] = found;
  if (fusemax === undefined) throw new Error("nothing was searched");
  return fusemax;
};

/** Everything that was searched. */
export const searchedTable = (found: readonly Searched[]): Table => ({
  columns: [
    ...["scenario", "rows", "columns", "lanes", "bufferBytes", "arithmetic", "areaUm2", "latencySeconds", "energyPj"],
    ...["trafficBytes", "util2d", "util1d", "bound", "accounting"],
  ],
  rows: scenarios.flatMap(({ name }, i) =>
    found.flatMap(({ machine, areaUm2, costs }) => {
      const cost = costs[i];
      if (cost === null || cost === undefined) return [];
      const { rows, columns, bufferBytes, arithmetic, lanes = 1 } = machine;
      const { latencySeconds, energyPj, trafficBytes, utilization, bound } = cost;
      return [
        [
          ...[name, rows, columns, lanes, bufferBytes, arithmetic, areaUm2, latencySeconds, energyPj, trafficBytes],
          ...[utilization["2d"] ?? "", utilization["1d"] ?? "", bound, "corrected"],
        ],
      ];
    }),
  ),
});

export const bestTable = (found: readonly Searched[]): Table => ({
  columns: [
    "scenario",
    "quickest machine",
    "x FuseMax",
    "energy",
    "DRAM bytes",
    "area",
    "DRAM over its bound",
    "FuseMax's limit",
    "its limit",
  ],
  rows: scenarios.map((scenario, i) => {
    const best = bestOf(found, i);
    const [base, cost] = [costIn(first(found), i), costIn(best, i)];
    const over = (cost.trafficBytes / boundOfMachine(best.machine, scenario, cost)).toFixed(2);
    return [scenario.name, machineName(best.machine), ...cells(base, cost), over, limitOf(base), limitOf(cost)];
  }),
});

export const shippedTable = (): Table => ({
  columns: ["scenario", "design", "x FuseMax", "energy", "DRAM bytes", "area", "2D useful", "1D busy", "limit"],
  rows: scenarios.flatMap(scenario => {
    const base = costOfDesign("fusemax", scenario);
    return shippedIn(scenario).map(name => {
      const cost = costOfDesign(name, scenario);
      const share = (array: string): string => `${(100 * (cost.utilization[array] ?? 0)).toFixed(1)}%`;
      return [scenario.name, name, ...cells(base, cost), share("2d"), share("1d"), limitOf(cost)];
    });
  }),
});

const shippedIn = ({ phase, model }: Scenario): readonly ShippedName[] =>
  shippedNames.filter(name => name !== "lean-decode" || (phase === "decode" && model.startsWith("llama")));

/** One change after the other, from FuseMax to the long and the wide design. */
export function stepsTable(): Table {
  const steps: readonly (readonly [what: string, change: Partial<Machine>])[] = [
    ["FuseMax", {}],
    ["one reciprocal per query", { arithmetic: "bf16-reciprocal" }],
    ["a cubic exponential besides", { arithmetic: "bf16-cubic" }],
    ["1 MiB of buffer besides", { arithmetic: "bf16-cubic", bufferBytes: 1024 * 1024 }],
    ["272 rows besides", { arithmetic: "bf16-cubic", bufferBytes: 1024 * 1024, rows: 272 }],
    ["two lanes a query, 270 rows", { arithmetic: "bf16-cubic", bufferBytes: 1024 * 1024, rows: 270, lanes: 2 }],
    ["with a quadratic exponential", { arithmetic: "bf16-quadratic", bufferBytes: 1024 * 1024, rows: 270, lanes: 2 }],
  ];
  const shown = scenarios.filter(({ name }) => ["BERT 1K", "BERT 64K", "BERT 1M"].includes(name));
  return {
    columns: ["change", ...shown.map(({ name }) => `x FuseMax, ${name}`), "energy at 64K", "DRAM bytes at 64K", "area"],
    rows: steps.map(([what, change]) => {
      const ratios = shown.map(scenario => {
        const [base, cost] = [fusemaxMachine, { ...fusemaxMachine, ...change }].map(own => costOf(own, scenario));
        if (base == null || cost == null) throw new Error(`${what} does not run`);
        return against(base, cost);
      });
      const [, at64K] = ratios;
      const own = (of: "energy" | "dram" | "area"): string => times(at64K?.[of] ?? Number.NaN);
      return [what, ...ratios.map(({ speedup }) => times(speedup)), own("energy"), own("dram"), own("area")];
    }),
  };
}

/** Rms error against float64 on the inputs as given, over the rms of the output. */
export async function errorTable(rows: number, keys: number): Promise<Table> {
  const size = { queries: rows, keys };
  const heads = [normalHead(size), normalHead(size, 4), outlierHead(size, 8), await encoderHead(1, 0, size)];
  const lines: string[][] = [];
  for (const name of arithmeticNames) {
    for (const m0 of [256, 272, 270, 133, 546]) {
      const errors: string[] = [];
      for (const head of heads) errors.push((await attend(arithmeticOf(name), head, { m0 })).onInputs.toExponential(3));
      lines.push([name, String(m0), ...errors]);
    }
  }
  return { columns: ["arithmetic", "keys per tile", ...heads.map(({ name }) => name)], rows: lines };
}

/** Shares of the tiles after the first in which some query of a block rescales, by the threshold (log2) of lazy rescaling. */
export function rescalesTable(queries: number, keys: number): Table {
  const size = { queries, keys };
  const thresholds = [0, 4, 8] as const;
  return {
    columns: ["input", "keys per tile", ...thresholds.map(threshold => `threshold ${threshold}`)],
    rows: [256, 272, 133, 546].flatMap(m0 =>
      [normalHead(size, 1), normalHead(size, 4), risingHead(size, 1, m0)].map(head => [
        head.name,
        m0,
        ...rescalesOf(head, m0, thresholds).map(({ blocks }) => `${(100 * blocks).toFixed(0)}%`),
      ]),
    ),
  };
}

/** Cycles where the buffer reads few rows per cycle, over those where it reads any number. */
export function portsTable(): Table {
  const counts = [1, 2, 3] as const;
  const names = shippedNames.filter(name => name !== "lean-decode");
  const shown = scenarios.filter(({ name }) => ["BERT 4K", "BERT 64K"].includes(name));
  return {
    columns: ["scenario", "design", ...counts.map(n => `${n} row${n === 1 ? "" : "s"} per cycle`)],
    rows: shown.flatMap(scenario =>
      names.map(name => {
        const free = costOfDesign(name, scenario).latencySeconds;
        const slower = counts.map(n => times(costOfDesign(name, scenario, ports(n)).latencySeconds / free));
        return [scenario.name, name, ...slower];
      }),
    ),
  };
}

/** DRAM bytes beside the least that the cascade implies for the buffer, of what the scenario's mask leaves. */
export const trafficTable = (): Table => ({
  columns: ["scenario", "design", "DRAM, GB", "bound, GB", "over the bound"],
  rows: scenarios.flatMap(scenario =>
    shippedIn(scenario).map(name => {
      const cost = costOfDesign(name, scenario);
      const bound = boundOfDesign(name, scenario, cost);
      const moved = cost.trafficBytes;
      return [scenario.name, name, (moved / 1e9).toFixed(2), (bound / 1e9).toFixed(2), (moved / bound).toFixed(2)];
    }),
  ),
});
