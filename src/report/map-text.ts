import { howMany } from "../errors.js";
import type { MappingFiles } from "../model/mapper/design.js";
import type { SearchReport } from "../model/mapper/search.js";
import type { NotSimulated, Simulated } from "../model/mapper/simulated.js";
import { simulatedLines } from "./simulated-text.js";
import { textTable } from "./table.js";
import { bytes, energy, lengthLabel, seconds } from "./units.js";

/** What a mapping takes. */
export interface MappingCosts {
  readonly cycles: number;
  readonly latencySeconds: number;
  /** Null where the technology gives none. */
  readonly energyPj: number | null;
  readonly trafficBytes: number;
  readonly bound: string;
}

/** What `fusemax map` found, as it prints it with --json. */
export interface MapResult {
  readonly design: string;
  readonly cascade: string;
  readonly model: string;
  readonly batch: number;
  readonly seq: number;
  readonly objective: string;
  /** The design's own mapping; null where it cannot run this. */
  readonly own: MappingCosts | null;
  readonly found: readonly (MappingCosts &
    MappingFiles & {
      /** Nothing that was searched is better than the design's own mapping, which this is. */
      readonly isOwn: boolean;
      readonly simulated: Simulated | NotSimulated;
    })[];
  readonly search: ReturnType<typeof searchResult>;
}

/** A report whose numbers JSON can hold. */
export const searchResult = ({ space, ...rest }: SearchReport) => ({ space: String(space), ...rest });

const count = (n: number): string => n.toLocaleString("en-US");

/** The same for people; `readBack` says which command costs a design's file that was written as the search did. */
export function mapText(
  result: MapResult,
  accounting: string,
  out: string | undefined,
  readBack: (file: string) => string,
): string {
  const { own, found, search } = result;
  const ratio = (mine: number | null, of: number | null | undefined): string =>
    of === undefined || of === null || mine === null ? "-" : `x${(mine / of).toPrecision(4)}`;
  const row = (name: string, costs: MappingCosts) => [
    name,
    Math.round(costs.cycles).toLocaleString("en-US"),
    seconds(costs.latencySeconds),
    ratio(costs.latencySeconds, own?.latencySeconds),
    costs.energyPj === null ? "-" : energy(costs.energyPj),
    ratio(costs.energyPj, own?.energyPj),
    bytes(costs.trafficBytes),
    costs.bound,
  ];
  const table = textTable({
    columns: ["mapping", "cycles", "latency", "of own", "energy", "of own", "DRAM", "limited by"],
    rows: [
      ...(own === null ? [] : [row(`${result.design}'s own`, own)]),
      ...found.map((costs, i) => row(found.length === 1 ? "found" : `found ${i + 1}`, costs)),
    ],
  });
  const phases = (found[0]?.binding["phases"] ?? []) as readonly { readonly name: string; readonly latency: string }[];
  const { blocks, tilings, effort } = search;
  const digits = search.space.length;
  const space = digits > 12 ? `${search.space[0]}.${search.space.slice(1, 3)}e${digits - 1}` : search.space;
  const formed = tilings.all + tilings.ruledOutByPasses;
  const searched = [
    `  space             ${howMany(space, "mapping")}: fusions, tilings, places of Einsums, levels that keep each tensor`,
    `  fused blocks      ${howMany(count(blocks.all + blocks.split), "run")} of neighbouring Einsums`,
    `                    - ${count(blocks.split)} would part what is carried from step to step`,
    `                    - ${count(blocks.beaten)} left: their compulsory traffic and operations alone take more than what was found`,
    `                    = ${count(blocks.all - blocks.beaten)} looked into`,
    `  tilings           ${count(formed)} of all runs that may be fused`,
    `                    - ${count(tilings.ruledOutByPasses)} cut a rank over which a block passes twice (never formed)`,
    `                    - ${count(tilings.inBeatenBlocks)} of the runs that were left`,
    `                    - ${count(tilings.unfit)} for whose tiles no place has room`,
    `                    - ${count(tilings.beaten)} beaten: a bound from below takes more than what was found`,
    `                    - ${count(tilings.left)} not reached within the budget`,
    `                    = ${count(tilings.visited)} searched${search.beyondBudget === 0 ? "" : `, ${count(search.beyondBudget)} of them beyond the budget: within it nothing was found`}`,
    `  partial mappings  ${count(effort.nodes)} formed, ${count(effort.mappings)} of them whole; ${count(effort.beaten)} beaten by a bound, ${count(effort.unfit)} too large for the buffer, ${count(effort.passedOver)} passed over`,
    `  ${search.isProven ? "nothing in the space is better" : "not proven best: --exhaustive leaves only what a bound rules out"}`,
  ];
  const parts = [
    accounting,
    `${result.cascade} on ${result.design}: ${result.model}, ${howMany(lengthLabel(result.seq), "token")}, batch ${result.batch}; least ${result.objective}`,
    ...(found[0]?.isOwn === true
      ? [
          table,
          "Nothing that was searched is better than the design's own mapping, by more than 0.1%: found is that one.",
        ]
      : [table]),
    `Runs as\n\n${textTable({ columns: ["phase", "latency"], rows: phases.map(p => [p.name, p.latency]) })}`,
    `Simulated\n\n${simulatedLines(found, out).join("\n")}`,
    `Searched\n\n${searched.join("\n")}`,
    ...(out === undefined
      ? []
      : [`Written to ${out}: ${readBack(`${out}/${found.length === 1 ? "design.yaml" : "design-1.yaml"}`)}`]),
  ];
  return `${parts.join("\n\n")}\n`;
}
