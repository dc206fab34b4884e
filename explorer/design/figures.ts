import type { Figure } from "../../src/report/figure.js";
import { plain } from "../../src/report/units.js";
import type { Solved } from "../cost/shares.js";
import { designSlot } from "./names.js";
import { ownName } from "./own.js";

const measures: readonly (readonly [string, (cost: Solved["evaluation"]) => number | undefined])[] = [
  ["latency", cost => cost.latencySeconds],
  ["DRAM traffic", cost => cost.trafficBytes],
  ["energy", cost => cost.energyPj],
  ["area", cost => cost.areaUm2],
];

/** What the visitor's design costs, over what another one costs. */
export function againstFigure(own: Solved, other: Solved): Figure {
  const times = measures.map(([, of]) => {
    const [a, b] = [of(own.evaluation), of(other.evaluation)];
    return a === undefined || b === undefined ? undefined : a / b;
  });
  return {
    title: `${own.label} against ${other.label}`,
    series: [own.label],
    slots: [designSlot(ownName)],
    y: { label: `times that of ${other.label}`, format: plain },
    rule: 1,
    panels: [
      {
        kind: "bars",
        title: "",
        groups: measures.map(([name]) => name),
        groupLabel: "measure",
        values: [times],
      },
    ],
  };
}
