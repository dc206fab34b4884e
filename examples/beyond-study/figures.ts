import { chart } from "fusemax";
import { costOfDesign, type Machine, machineName, scenarios } from "./machine.js";
import { bestOf, type Searched } from "./search.js";
import { against, costIn } from "./tables.js";

const accounting = "Corrected accounting, words of each arithmetic, cycles by simulation.";

/** What the machines of the search differ by, besides their sizes. */
const kinds: readonly (readonly [name: string, isOf: (machine: Machine) => boolean])[] = [
  ["bf16", ({ arithmetic }) => arithmetic === "bf16"],
  ["bf16-reciprocal", ({ arithmetic }) => arithmetic === "bf16-reciprocal"],
  ["bf16-cubic", ({ arithmetic, lanes = 1 }) => arithmetic === "bf16-cubic" && lanes === 1],
  ["bf16-cubic, 2 lanes a query", ({ lanes = 1 }) => lanes > 1],
];

/** Time and energy of everything that was searched, in some scenarios. */
export function front(found: readonly Searched[]): string {
  const [fusemax] = found;
  if (fusemax === undefined) throw new Error("nothing was searched");
  const names = ["BERT 1K", "BERT 64K", "Llama 3 8B causal 128K", "DeepSeek-V3 absorbed decode 128K"];
  return chart({
    title: "Machines no larger than FuseMax: time and energy",
    note: `${accounting} Lower left is better; FuseMax is at 1, 1. The quickest stands above each panel; slower than 1.4 is left out.`,
    series: [...kinds.map(([kind]) => kind), "FuseMax"],
    y: { label: "energy / FuseMax's", fit: true, min: 0.9, max: 1.3 },
    width: 1240,
    plotHeight: 240,
    panelsPerRow: 2,
    panels: names.map(name => {
      const i = scenarios.findIndex(scenario => scenario.name === name);
      const [base, best] = [costIn(fusemax, i), bestOf(found, i)];
      const at = (one: Searched) => {
        const { speedup, energy } = against(base, costIn(one, i));
        return { x: 1 / speedup, y: energy, title: machineName(one.machine) };
      };
      const runs = found.slice(1).filter(({ costs }) => costs[i] !== null);
      return {
        kind: "points" as const,
        title: `${name}: ${machineName(best.machine)}`,
        x: { label: "time / FuseMax's", min: 0.6, max: 1.4 },
        lines: [
          ...kinds.map(([, isOf], series) => ({
            series,
            joined: false,
            points: runs
              .filter(({ machine }) => isOf(machine))
              .map(at)
              .filter(({ x, y }) => x <= 1.4 && y >= 0.9 && y <= 1.3),
          })),
          { series: kinds.length, joined: false, points: [at(fusemax)] },
        ],
      };
    }),
  });
}

/** How much quicker than FuseMax the designs are that ship. */
export function speedups(): string {
  const names = ["beyond-long", "beyond-wide", "beyond-short", "beyond-decode"] as const;
  return chart({
    title: "Speedup over FuseMax at equal area",
    note: `${accounting} BERT: prefill, batch 64; the others: batch 1. Dashed: no difference.`,
    series: names,
    y: { label: "speedup", format: value => `${value}x` },
    rule: 1,
    width: 1240,
    plotHeight: 220,
    panelsPerRow: 1,
    panels: [
      {
        kind: "bars",
        title: "",
        groups: scenarios.map(({ name }) =>
          name.replace("DeepSeek-V3 absorbed", "DS-V3").replace("Llama 3 ", "L3 ").replace("decode", "dec."),
        ),
        groupLabel: "",
        values: names.map(name =>
          scenarios.map(scenario => against(costOfDesign("fusemax", scenario), costOfDesign(name, scenario)).speedup),
        ),
      },
    ],
  });
}
