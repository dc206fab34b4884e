import { type Cost, costOf, fusemaxMachine, type Machine, machineName, type Scenario, scenarios } from "./machine.js";

const MiB = 1024 * 1024;
const columnCounts = [64, 128, 256, 512] as const;
/** Cheaper ends of a block are searched with one lane a query, more lanes with all that is cheaper. */
const variants = [
  { arithmetic: "bf16" },
  { arithmetic: "bf16-reciprocal" },
  { arithmetic: "bf16-cubic" },
  { arithmetic: "bf16-cubic", lanes: 2 },
] as const;
const buffers = [0.5, 1, 2, 4, 16].map(mib => mib * MiB);

/** A machine, and what it takes of each scenario in the order of the scenarios; null where its tiles or values do not fit. */
export interface Searched {
  readonly machine: Machine;
  readonly areaUm2: number;
  readonly costs: readonly (Cost | null)[];
}

const [probe] = scenarios as readonly [Scenario, ...Scenario[]];

/** The area does not depend on what runs: the shortest scenario gives it. */
function areaOf(machine: Machine): number {
  const cost = costOf(machine, probe);
  if (cost === null) throw new Error(`${machineName(machine)} does not run ${probe.name}`);
  return cost.areaUm2;
}

/**
 * FuseMax, then the machines of the search that are no larger: for each number of columns, buffer, arithmetic and
 * number of lanes the most rows
 * that fit (the area grows by the same amount for each row), and the most that are a multiple of 16.
 */
export function machines(): readonly Machine[] {
  const limit = areaOf(fusemaxMachine);
  const found = columnCounts.flatMap(columns =>
    buffers.flatMap(bufferBytes =>
      variants.flatMap(variant => {
        const at = (rows: number): number => areaOf({ ...variant, rows, columns, bufferBytes });
        const base = at(16);
        const most = Math.floor(16 + (limit - base) / (at(17) - base));
        return [...new Set([most, most - (most % 16)])].map(rows => ({ ...variant, rows, columns, bufferBytes }));
      }),
    ),
  );
  const isFusemax = (machine: Machine): boolean => machineName(machine) === machineName(fusemaxMachine);
  return [fusemaxMachine, ...found.filter(machine => !isFusemax(machine))];
}

/** Every machine on every scenario, simulated. FuseMax comes first. */
export function search(progress: (done: number, all: number) => void): readonly Searched[] {
  const all = machines();
  return all.map((machine, i) => {
    const costs = scenarios.map(scenario => costOf(machine, scenario));
    progress(i + 1, all.length);
    const first = costs.find(cost => cost !== null);
    if (first === undefined) throw new Error(`${machineName(machine)} runs nothing`);
    return { machine, areaUm2: first.areaUm2, costs };
  });
}

/** The one that takes the least time in a scenario, then the least energy. */
export function bestOf(found: readonly Searched[], scenario: number): Searched {
  const cost = (one: Searched): Cost | null => one.costs[scenario] ?? null;
  return found.reduce((best, one) => {
    const [a, b] = [cost(best), cost(one)];
    if (a === null || b === null) return a === null ? one : best;
    const quicker = b.latencySeconds < a.latencySeconds * (1 - 1e-9);
    const same = b.latencySeconds <= a.latencySeconds * (1 + 1e-9);
    return quicker || (same && b.energyPj < a.energyPj) ? one : best;
  });
}
