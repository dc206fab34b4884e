import { slotsOf } from "../../spec/schedule/dataflow.js";
import { operationsOf, type Schedule } from "../../spec/schedule/schedule.js";
import { type Crossing, crossingsOf, type TileArrays } from "./arrays.js";
import type { Load, TileEinsum } from "./dataflows.js";
import { checkSlots } from "./slots.js";

/** What happens when an Einsum is issued in one slot: what must be there, what leaves, what the memories do. */
export interface Action {
  readonly einsum: number;
  /** Crossings of which a value must have come, by number, and those that get one. */
  readonly awaits: readonly number[];
  readonly sends: readonly number[];
  /** Rows of the global buffer read in any case, read but on the first key tile, and written. */
  readonly reads: number;
  readonly carriedReads: number;
  readonly writes: number;
  /** Entries of the PE's registers that are taken, less those that are freed. */
  readonly entries: number;
  /** Loads of which a tile must be there where the tile is new to its queries or keys, and those whose tile is done with. */
  readonly loads: readonly number[];
  readonly releases: readonly number[];
  /** The Einsum's last slot on the tile. */
  readonly ends: boolean;
}

/** The parts of a simulation that do not change while it runs. */
export interface Plan {
  readonly schedule: Schedule;
  readonly arrays: TileArrays;
  readonly einsums: readonly TileEinsum[];
  readonly crossings: readonly Crossing[];
  readonly loads: readonly (Load & { readonly einsum: number })[];
  /** Per Einsum the action of each of its slots. */
  readonly actions: readonly (readonly Action[])[];
  /** Einsums by number, of each array that the schedule programs, in its order. */
  readonly onArray: readonly { readonly name: string; readonly einsums: readonly number[] }[];
}

export function planOf(schedule: Schedule, arrays: TileArrays): Plan {
  const { einsums } = arrays;
  for (const einsum of einsums) checkSlots(einsum);
  const crossings = crossingsOf(arrays);
  const loads = einsums.flatMap((own, einsum) => own.loads.map(load => ({ ...load, einsum })));
  const plan = { schedule, arrays, einsums, crossings, loads };
  return {
    ...plan,
    actions: einsums.map((_, i) => actionsOf(plan, i)),
    onArray: Object.keys(schedule.programs).map(name => ({
      name,
      einsums: einsums.flatMap((einsum, i) => (einsum.array === name ? [i] : [])),
    })),
  };
}

function actionsOf(plan: Omit<Plan, "actions" | "onArray">, index: number): readonly Action[] {
  const einsum = plan.einsums[index] as TileEinsum;
  const { points, pointCycles, leadCycles, scratchFrom } = einsum;
  const slots = slotsOf(einsum);
  const known = new Map<number, Action>();
  return Array.from({ length: slots }, (_, slot) => {
    // What is done once holds the PE as a part of the first point.
    const inPoint = slot < leadCycles ? slot - leadCycles : (slot - leadCycles) % pointCycles;
    const at = {
      first: slot === 0,
      last: slot === slots - 1,
      begins: slot === 0 || (slot > leadCycles && inPoint === 0),
      ends: inPoint === pointCycles - 1,
      scratch: points === 1 && slot === scratchFrom,
    };
    const key = Object.values(at).reduce((bits, flag) => 2 * bits + Number(flag), 0);
    const action = known.get(key) ?? actionAt(plan, index, at);
    known.set(key, action);
    return action;
  });
}

/** Where a slot is in its Einsum's tile and point; `scratch`: an exponential takes its second entry. */
interface SlotPlace {
  readonly first: boolean;
  readonly last: boolean;
  readonly begins: boolean;
  readonly ends: boolean;
  readonly scratch: boolean;
}

function actionAt(plan: Omit<Plan, "actions" | "onArray">, index: number, at: SlotPlace): Action {
  const einsum = plan.einsums[index] as TileEinsum;
  const numbers = <T>(list: readonly T[], wanted: (item: T) => boolean): readonly number[] =>
    list.flatMap((item, i) => (wanted(item) ? [i] : []));
  const crossing = (side: "maker" | "user", now: (perPoint: boolean) => boolean) =>
    numbers(plan.crossings, c => c[side] === einsum.name && now(c.perPoint));
  const awaits = crossing("user", perPoint => (perPoint ? at.begins : at.first));
  const rowsNow = (carried: boolean): number =>
    einsum.reads.reduce(
      (sum, read) => sum + (read.carried === carried && (read.perPoint ? at.begins : at.first) ? read.rows : 0),
      0,
    );
  return {
    einsum: index,
    awaits,
    sends: crossing("maker", perPoint => (perPoint ? at.ends : at.last)),
    reads: rowsNow(false) + awaits.reduce((sum, i) => sum + (plan.crossings[i]?.rows ?? 0), 0),
    carriedReads: rowsNow(true),
    writes: (einsum.valuePerPoint ? at.ends : at.last) ? einsum.writesRows : 0,
    entries: entriesAt(plan, einsum, at),
    loads: at.first ? numbers(plan.loads, load => load.einsum === index) : [],
    releases: at.last ? numbers(plan.loads, load => load.einsum === index) : [],
    ends: at.last,
  };
}

/**
 * Registers that a PE takes and frees in a slot. A value is in one from its first operation to the end of the last
 * Einsum of its array that takes it from there. An exponential puts its operands' difference in the place of its operand and
 * holds a second entry for its polynomial.
 */
function entriesAt(plan: Omit<Plan, "actions" | "onArray">, einsum: TileEinsum, at: SlotPlace): number {
  let entries = 0;
  if (einsum.staysInRegisters && (einsum.valuePerPoint ? at.begins : at.first)) entries++;
  if (at.first) entries += einsum.carriedEntries;
  const held = einsum.reads.filter(({ perPoint }) => !perPoint).length;
  if (at.first) entries += held;
  if (at.last) entries -= held;
  const isExponential = einsum.points === 1 && einsum.scratchFrom >= 0;
  if (isExponential && at.scratch) entries++;
  if (isExponential && at.last) entries--;
  for (const tensor of einsum.fromRegisters) {
    if (!isLastUser(plan, einsum, tensor)) continue;
    const pointwise = einsum.uses.some(
      use => use.pointwise && plan.einsums.some(({ name, output }) => name === use.einsum && output === tensor),
    );
    if (pointwise ? at.ends : isExponential ? at.first : at.last) entries--;
  }
  return entries;
}

/** Whether no Einsum of the same array takes the tensor from the registers later. */
function isLastUser(
  { schedule, einsums }: Omit<Plan, "actions" | "onArray">,
  einsum: TileEinsum,
  tensor: string,
): boolean {
  const users = einsums.filter(({ array, fromRegisters }) => array === einsum.array && fromRegisters.includes(tensor));
  const [last] = operationsOf(schedule.programs[einsum.array] ?? [])
    .filter(({ op }) => users.some(({ name }) => name === op.einsum))
    .sort((a, b) => (schedule.lags[b.op.tile] ?? 0) - (schedule.lags[a.op.tile] ?? 0) || b.stage - a.stage);
  return last?.op.einsum === einsum.name;
}
