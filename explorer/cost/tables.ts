import { arraysOf, short } from "../../src/report/array-names.js";
import type { Table } from "../../src/report/table.js";
import { area, bytes, duration, energy, engineering, percent } from "../../src/report/units.js";
import type { State } from "../state.js";
import type { CostPoint } from "./known-costs.js";
import { boundNames, componentsOf, type Solved, solved, useOf, usesOf } from "./shares.js";

const shareText = (share: number | undefined): string => (share === undefined ? "-" : percent(share));

/** Every number of the charts, as people read them. */
export function costTable(points: readonly CostPoint[], scope: State["scope"]): Table {
  const ofIt = scope === "layer" ? ["of it attention"] : [];
  const arrays = arraysOf(solved(points).map(({ evaluation }) => evaluation.utilization));
  const busy = arrays.map(array => `${short(array)} busy`);
  const columns = ["design", "latency", ...ofIt, "limited by", ...busy, "DRAM traffic", "energy"];
  const rows = solved(points).map(({ label, evaluation: e }) => [
    label,
    duration(e.latencySeconds),
    ...ofIt.map(() => percent(e.attentionSeconds / e.latencySeconds)),
    boundNames[e.bound] ?? e.bound,
    ...arrays.map(array => shareText(e.utilization[array])),
    bytes(e.trafficBytes),
    e.energyPj === undefined ? "-" : energy(e.energyPj),
    e.areaUm2 === undefined ? "-" : area(e.areaUm2),
    engineering(e.cycles, "").trim(),
  ]);
  return { columns: [...columns, "area", "cycles"], rows };
}

/** The same as numbers, for a file; ratios against every baseline. */
export function costNumbers(points: readonly CostPoint[], bases: readonly CostPoint[], scope: State["scope"]): Table {
  const found = solved(points);
  const fields: readonly (readonly [string, (point: Solved) => string | number])[] = [
    ["design", ({ name }) => name],
    ["scope", () => scope],
    ["seq", ({ seq }) => seq],
    ["latencySeconds", ({ evaluation }) => evaluation.latencySeconds],
    ["attentionSeconds", ({ evaluation }) => evaluation.attentionSeconds],
    ["cycles", ({ evaluation }) => evaluation.cycles],
    ...arraysOf(found.map(({ evaluation }) => evaluation.utilization)).map(
      array => [`util${array}`, ({ evaluation }: Solved) => evaluation.utilization[array] ?? ""] as const,
    ),
    ["trafficBytes", ({ evaluation }) => evaluation.trafficBytes],
    ["energyPj", ({ evaluation }) => evaluation.energyPj ?? ""],
    ["areaUm2", ({ evaluation }) => evaluation.areaUm2 ?? ""],
    ["bound", ({ evaluation }) => evaluation.bound],
    ...solved(bases).flatMap(
      ({ design, evaluation: base }): (readonly [string, (point: Solved) => number | string])[] => [
        [`speedup/${design}`, ({ evaluation }) => base.latencySeconds / evaluation.latencySeconds],
        [
          `energy/${design}`,
          ({ evaluation: { energyPj } }) =>
            energyPj === undefined || base.energyPj === undefined ? "" : energyPj / base.energyPj,
        ],
      ],
    ),
    ...usesOf(found).map(([, field, of]) => [field, (point: Solved) => useOf(point, of)] as const),
    ...componentsOf(found).map(
      name => [`energyPj.${name}`, ({ evaluation }: Solved) => evaluation.componentEnergyPj[name] ?? 0] as const,
    ),
  ];
  return { columns: fields.map(([name]) => name), rows: found.map(point => fields.map(([, of]) => of(point))) };
}
