import { slotsOf } from "../../spec/schedule/dataflow.js";
import type { TileEinsum } from "./dataflows.js";

/**
 * Einsums that no operation is left for (a sum that another starts from, a correction that is never needed) take no cycle: what
 * they would read, wait for and write goes with the operation of their array that makes or takes their value. Where there is
 * none, a cycle per point is left: something has to put the value where it is kept.
 */
export function passOn(einsums: readonly TileEinsum[]): readonly TileEinsum[] {
  let left = einsums;
  for (const { name } of einsums) {
    const idle = left.find(own => own.name === name);
    if (idle !== undefined && slotsOf(idle) === 0) left = without(idle, left);
  }
  return left;
}

function without(idle: TileEinsum, einsums: readonly TileEinsum[]): readonly TileEinsum[] {
  const user = takerOf(idle, einsums);
  const maker = user === undefined ? makerOf(idle, einsums) : undefined;
  return einsums.map((einsum): TileEinsum => {
    if (einsum === idle) return user === undefined && maker === undefined ? { ...idle, pointCycles: 1 } : emptied(idle);
    if (einsum === user) return taking(einsum, idle);
    if (einsum === maker) return making(einsum, idle);
    return maker === undefined ? einsum : renamed(einsum, idle.name, maker.name);
  });
}

/** The Einsum that alone takes the value, on the same array and the same tiles: then it takes its operands. */
function takerOf(idle: TileEinsum, einsums: readonly TileEinsum[]): TileEinsum | undefined {
  const users = einsums.filter(({ uses }) => uses.some(({ einsum }) => einsum === idle.name));
  const [user] = users;
  const goesOn = idle.writesRows > 0 || einsums.some(({ carries }) => carries.includes(idle.name));
  if (user === undefined || users.length > 1 || goesOn) return undefined;
  return isAlike(user, idle) ? user : undefined;
}

/** The Einsum that makes an operand for this one alone, on the same array and the same tiles: then it leaves this value. */
function makerOf(idle: TileEinsum, einsums: readonly TileEinsum[]): TileEinsum | undefined {
  return einsums.find(
    maker =>
      isAlike(maker, idle) &&
      maker.writesRows === 0 &&
      idle.uses.some(({ einsum, pointwise }) => einsum === maker.name && (pointwise || idle.points === 1)) &&
      // So that nothing else that it takes rests on the maker, which would wait for itself.
      einsums.every(({ uses }, i) => einsums[i] === idle || uses.every(({ einsum }) => einsum !== maker.name)),
  );
}

const isAlike = (a: TileEinsum, b: TileEinsum): boolean =>
  a.array === b.array && a.when === b.when && a.points === b.points;

function emptied(idle: TileEinsum): TileEinsum {
  const none = { uses: [], carries: [], reads: [], loads: [], fromRegisters: [], fromBuffer: [] };
  return {
    ...idle,
    ...none,
    writesRows: 0,
    storedWords: 0,
    runningWords: 0,
    carriedEntries: 0,
    staysInRegisters: false,
  };
}

/** What both take from the memories, the registers and other Einsums. */
function together(einsum: TileEinsum, idle: TileEinsum) {
  const union = (a: readonly string[], b: readonly string[]): readonly string[] => [...new Set([...a, ...b])];
  return {
    uses: [...einsum.uses, ...idle.uses.filter(use => einsum.uses.every(own => own.einsum !== use.einsum))],
    carries: union(einsum.carries, idle.carries),
    reads: [...einsum.reads, ...idle.reads],
    loads: [...einsum.loads, ...idle.loads],
    carriedEntries: einsum.carriedEntries + idle.carriedEntries,
    fromRegisters: union(einsum.fromRegisters, idle.fromRegisters),
    fromBuffer: union(einsum.fromBuffer, idle.fromBuffer),
  };
}

function taking(user: TileEinsum, idle: TileEinsum): TileEinsum {
  const all = together(user, idle);
  return {
    ...user,
    ...all,
    uses: all.uses.filter(({ einsum }) => einsum !== idle.name),
    fromRegisters: all.fromRegisters.filter(tensor => tensor !== idle.output),
    fromBuffer: all.fromBuffer.filter(name => name !== idle.name),
  };
}

function making(maker: TileEinsum, idle: TileEinsum): TileEinsum {
  const all = together(maker, idle);
  const { output, valuePerPoint, writesRows, storedWords, runningWords, staysInRegisters } = idle;
  const own = {
    ...maker,
    ...all,
    uses: all.uses.filter(({ einsum }) => einsum !== maker.name),
    fromRegisters: all.fromRegisters.filter(tensor => tensor !== maker.output),
    fromBuffer: all.fromBuffer.filter(name => name !== maker.name),
  };
  return {
    ...renamed(own, idle.name, maker.name),
    ...{ output, valuePerPoint, writesRows, storedWords, runningWords, staysInRegisters },
  };
}

function renamed(einsum: TileEinsum, from: string, to: string): TileEinsum {
  const name = (own: string): string => (own === from ? to : own);
  return {
    ...einsum,
    uses: einsum.uses.map(use => ({ ...use, einsum: name(use.einsum) })),
    carries: einsum.carries.map(name),
    fromBuffer: einsum.fromBuffer.map(name),
  };
}
