import type { KeyMask } from "../../attention/sequences.js";
import { SpecError } from "../../errors.js";
import { placesIn, scheduleOf } from "../../spec/schedule/document.js";
import type { DramChannel, TileWork } from "../../spec/schedule/machine.js";
import { checkAgainst, type ScheduleSpec } from "../../spec/schedule/schedule.js";
import type { CompiledDesign } from "../compile.js";
import type { Sizes } from "../sizes.js";
import { valuesOf } from "../values.js";
import type { TileArray, TileArrays } from "./arrays.js";
import { dataflowsOf } from "./dataflows.js";
import { arrayShape, timingOf } from "./machine.js";
import { oneTileSchedule } from "./one-tile.js";
import { passOn } from "./pass-on.js";
import { tileNest } from "./tile-nest.js";
import { tileWork } from "./work.js";

/** Everything that a schedule's simulation takes from a design and a workload. */
export interface DesignSchedule {
  readonly spec: ScheduleSpec;
  readonly arrays: TileArrays;
  readonly work: TileWork;
  readonly dram: DramChannel;
  readonly frequencyHz: number;
}

/** What is simulated: sizes, what a mask leaves of them, and the values of swept variables. */
export interface ScheduledSizes {
  readonly sizes: Sizes;
  readonly mask?: KeyMask | undefined;
  readonly variables?: readonly number[];
}

/**
 * The schedule, arrays and loop nest of a design at given sizes: its own schedule, or one tile at a time where it names none.
 * @param values the design's symbols at these sizes, if they are computed already
 * @throws SpecError where the design does not work tile by tile, and where its schedule is not one of its Einsums
 */
export function scheduleOfDesign(
  compiled: CompiledDesign,
  { sizes, mask, variables }: ScheduledSizes,
  values: Float64Array = valuesOf(compiled, sizes, variables),
): DesignSchedule {
  const { design } = compiled;
  const nest = tileNest(compiled, values);
  if (typeof nest === "string") {
    throw new SpecError({
      where: design.mapping.at(["einsums"]),
      got: `a design that does not work tile by tile: ${nest}`,
      expected: "Einsums that share the loops over tiles, for a schedule in epochs",
      fix: "fusemax schedule without --schedule runs its Einsums one after the other",
    });
  }
  const einsums = passOn(dataflowsOf(compiled, nest, values));
  const { readPorts, writePorts, upward, dramLatencyCycles } = timingOf(compiled, values);
  const frequencyHz = compiled.frequencyHz(values);
  const own = design.schedule;
  const arrays: TileArrays = {
    einsums,
    arrays: Object.fromEntries(
      [...compiled.arrays.keys()].map(name => [name, arrayOf(compiled, name, values, own !== undefined)]),
    ),
    readPorts,
    writePorts,
    upward,
  };
  let spec = oneTileSchedule(einsums);
  if (own !== undefined) {
    spec = scheduleOf(own);
    const unitsOf = (array: string): readonly string[] | undefined => {
      const operations = compiled.arrays.get(array);
      return operations === undefined ? undefined : [...operations.keys()];
    };
    checkAgainst(spec, einsums, unitsOf, placesIn(own));
  }
  const bytesOfElements = elementBytes(compiled, values);
  const work = tileWork(compiled, nest, sizes, values, mask);
  const field = (kind: "dram" | "sram", name: string): number =>
    [...compiled.levels.values()].find(level => level.spec.kind === kind)?.fields.get(name)?.(values) ?? 0;
  return {
    spec,
    arrays,
    work,
    frequencyHz,
    // Asked for only where operands come from DRAM: with ideal memory its latency is nobody's.
    get dram(): DramChannel {
      return {
        bytesPerCycle: field("dram", "bytesPerSecond") / frequencyHz,
        latencyCycles: dramLatencyCycles(),
        elementBytes: bytesOfElements,
        tilesHeld: tilesHeld(field("sram", "bytes"), einsums, work, bytesOfElements),
      };
    },
  };
}

/** Bytes of an element of every tensor, its share of scales included. */
function elementBytes({ einsums }: CompiledDesign, values: Float64Array): DramChannel["elementBytes"] {
  const all = einsums.flatMap(({ variants }) =>
    variants.flatMap(({ shape, bits }) =>
      shape.tensors.map(({ name }, t) => [name, (bits[t]?.(values) ?? 0) / 8] as const),
    ),
  );
  return Object.fromEntries(all);
}

/** The same arrays, each held to its register file, as those of a schedule that is written down. */
export const withRegisterFiles = (compiled: CompiledDesign, all: TileArrays, values: Float64Array): TileArrays => ({
  ...all,
  arrays: Object.fromEntries(Object.keys(all.arrays).map(name => [name, arrayOf(compiled, name, values, true)])),
});

function arrayOf(compiled: CompiledDesign, name: string, values: Float64Array, bounded: boolean): TileArray {
  const { rows, grid, depth } = arrayShape(compiled, name, values);
  // A schedule that nobody wrote down is not held to register files that nobody laid out for it.
  return { rows, grid, registers: bounded ? depth : Number.POSITIVE_INFINITY };
}

/**
 * What the global buffer has room for: a block's queries and running tensors and one tile of keys and values (the published
 * buffer rule); with what is left, up to three more tiles of each (BV is used some epochs after it was loaded), and the next
 * block's queries.
 */
function tilesHeld(
  bytes: number,
  einsums: TileArrays["einsums"],
  work: TileWork,
  elementBytes: DramChannel["elementBytes"],
): DramChannel["tilesHeld"] {
  const loads = einsums.flatMap(einsum => einsum.loads);
  const bytesOf = (tensor: string, words: number): number => words * (elementBytes[tensor] ?? 0);
  const loaded = (by: "queries" | "keys"): number =>
    loads.filter(load => load.by === by).reduce((sum, { tensor, words }) => sum + bytesOf(tensor, words), 0);
  const running = einsums.reduce((sum, { output, runningWords }) => sum + bytesOf(output, runningWords), 0);
  const blockTiles = Math.max(...work.headTiles) * work.blockTiles;
  const keyBytes = Math.max(1, work.tileKeys * loaded("keys"));
  const queryBytes = Math.max(1, work.tileRows * loaded("queries"));
  const left = Math.max(0, bytes - blockTiles * (queryBytes + work.tileRows * running) - keyBytes);
  const moreKeys = Math.min(3, Math.floor(left / keyBytes));
  const moreQueries = Math.min(blockTiles, Math.floor((left - moreKeys * keyBytes) / queryBytes));
  // What comes tile by tile has room for two: one is used while the next is loaded.
  const held = { keys: 1 + moreKeys, queries: blockTiles + moreQueries, tiles: 2 };
  return Object.fromEntries(loads.map(({ tensor, by }) => [tensor, held[by]]));
}
