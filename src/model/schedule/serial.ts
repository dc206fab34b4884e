import type { KeyMask } from "../../attention/sequences.js";
import { type EinsumUse, rankCounts, variantOf } from "../action-counts.js";
import type { CompiledDesign } from "../compile.js";
import type { CompiledEinsum } from "../compile-einsum.js";
import { evaluate } from "../evaluate.js";
import { tuples } from "../loop-nest.js";
import type { Sizes } from "../sizes.js";
import { valuesOf } from "../values.js";
import { arrayShape, upwardCycles } from "./machine.js";
import { type ArrayTime, commonCauses, type ScheduleResult } from "./result.js";

/**
 * The one-tile schedule of a design that does not carry values from key tile to key tile: its tile is whatever it works on
 * before it goes back to DRAM, a block of rows or all of a head, and its Einsums run one after the other on it, each when the
 * one before has left its array. Masks and all else are counted as the loop-nest analysis counts them.
 * @param corrections the corrections of the accounting
 */
export function serialSchedule(
  compiled: CompiledDesign,
  { sizes, mask }: { readonly sizes: Sizes; readonly mask?: KeyMask | undefined },
  corrections: readonly string[],
  memory: "ideal" | "dram",
): ScheduleResult {
  const values = valuesOf(compiled, sizes);
  const name = corrections.length > 0 ? "corrected" : "published";
  const accounting = { name, corrections, mapping: "published" } as const;
  const { counts, phases, trafficBytes } = evaluate(compiled, sizes, accounting, [], mask);
  const frequency = compiled.frequencyHz(values);
  const busyOf = (einsums: readonly EinsumUse[]): number => einsums.reduce((sum, { cycles }) => sum + cycles, 0);
  let [cycles, latency, tiles] = [0, 0, 0];
  compiled.phases.forEach(({ einsums }, i) => {
    const own = counts.filter(count => einsums.includes(count.name));
    const iterations = iterationsOf(compiled, einsums, values);
    const computation = busyOf(own) + iterations * waysBetween(compiled, own, values);
    cycles += computation;
    latency += memory === "ideal" ? computation : Math.max(computation, (phases[i]?.memorySeconds ?? 0) * frequency);
    tiles += iterations;
  });
  const wave = Math.max(...[...compiled.arrays.keys()].map(array => arrayShape(compiled, array, values).columns)) - 1;
  const total = { cycles: Math.ceil(cycles + wave), latency: Math.ceil(latency + wave) };
  const arrays = [...new Set(counts.map(({ array }) => array))].map((array): [string, ArrayTime] => {
    const own = counts.filter(count => count.array === array);
    const busyCycles = busyOf(own);
    const stalls = { ...Object.fromEntries(commonCauses.map(cause => [cause, 0])), behind: total.latency - busyCycles };
    return [array, { busy: Object.fromEntries(own.map(count => [count.name, count.cycles])), busyCycles, stalls }];
  });
  return {
    schedule: { name: "one-tile", lags: {}, programs: {} },
    cycles: total.cycles,
    latencyCycles: total.latency,
    tiles,
    arrays: Object.fromEntries(arrays),
    causes: { dram: [], arrays: ["behind"] },
    epoch: null,
    registers: {},
    aboveColumn: 0,
    dramBytes: memory === "dram" ? trafficBytes : 0,
    tilesStepped: 0,
  };
}

/** How often the loops iterate that go back to DRAM: the fewest of the phase's Einsums. */
function iterationsOf(compiled: CompiledDesign, names: readonly string[], values: Float64Array): number {
  const iterations = compiled.einsums
    .filter(({ name }) => names.includes(name))
    .map(einsum => outerIterations(variantOf(einsum, values), values));
  return Math.min(...iterations);
}

function outerIterations(einsum: CompiledEinsum, values: Float64Array): number {
  const { shape, path } = einsum;
  const onChip = path.findIndex(({ spec }) => spec.kind !== "dram");
  const outer = shape.loops.filter(({ level }) => level < onChip);
  return tuples(
    shape,
    rankCounts(einsum, values),
    outer.reduce((bits, { bit }) => bits | (1 << bit), 0),
  );
}

/** Cycles of the ways from array to array that one tile takes. */
function waysBetween(compiled: CompiledDesign, counts: readonly EinsumUse[], values: Float64Array): number {
  return counts.reduce((sum, { array }, i) => {
    const before = counts[i - 1]?.array;
    if (before === undefined || before === array) return sum;
    const [from, to] = [before, array].map(name => arrayShape(compiled, name, values)) as [
      ReturnType<typeof arrayShape>,
      ReturnType<typeof arrayShape>,
    ];
    return sum + (to.grid && !from.grid ? upwardCycles(compiled, to.rows, values) : from.rows);
  }, 0);
}
