import type { Load } from "../../src/model/schedule/dataflows.js";
import type { ArrivalSchedule, DramChannel } from "../../src/spec/schedule/machine.js";
import type { Tile } from "./every-tile.js";

export type EveryLoad = Load;

/** Where tiles come from, load by load. */
export interface EveryMemory {
  readyAt(load: number): number;
  take(load: number): void;
  release(load: number, cycle: number): void;
  store(tensor: string, words: number, cycle: number): void;
  busyUntil(): number;
  bytes(): number;
}

const never = Number.POSITIVE_INFINITY;

/** Tiles that come in given cycles. */
export function givenTiles(loads: readonly Load[], arrivals: ArrivalSchedule): EveryMemory {
  const left = loads.map(({ tensor }) => [...(arrivals[tensor] ?? [])]);
  return {
    readyAt: load => left[load]?.[0] ?? never,
    take: load => void left[load]?.shift(),
    release: () => {},
    store: () => {},
    busyUntil: () => 0,
    bytes: () => 0,
  };
}

/** The tiles that a load brings, in the order of their first use: words, and when each is due. */
export function listOf({ by, words }: Load, tiles: readonly Tile[]) {
  let [block, n] = [-1, 0];
  return tiles.flatMap(tile => {
    if (tile.block !== block) [block, n] = [tile.block, 0];
    const isNew = by === "tiles" || (by === "queries" ? tile.first : tile.opens);
    if (!isNew) return [];
    const size = words * (by === "keys" ? 1 : tile.rows) * (by === "queries" ? 1 : tile.keys);
    return [{ size, due: [tile.block, tile.m1, by === "keys" ? 0 : n++] as const }];
  });
}

const isBefore = (a: readonly number[], b: readonly number[]): boolean => {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at >= 0 && (a[at] as number) < (b[at] as number);
};

/** One channel: of all that has room what is due first, one transfer after the other. */
export function everyDram(loads: readonly Load[], tiles: readonly Tile[], dram: DramChannel): EveryMemory {
  const lists = loads.map(load => ({ load, left: listOf(load, tiles), ready: [] as number[] }));
  const room = loads.map(({ tensor }) => Array.from({ length: dram.tilesHeld[tensor] ?? 1 }, () => 0));
  let [free, bytes] = [0, 0];
  const transfer = (tensor: string, words: number, from: number): void => {
    const size = words * (dram.elementBytes[tensor] ?? 0);
    bytes += size;
    free = Math.max(free, from) + Math.ceil(size / dram.bytesPerCycle);
  };
  const fill = (): void => {
    for (;;) {
      const able = lists.flatMap((list, i) => (list.left.length > 0 && (room[i]?.length ?? 0) > 0 ? [i] : []));
      if (able.length === 0) return;
      const dueOf = (i: number): readonly number[] => lists[i]?.left[0]?.due ?? [never];
      const next = able.reduce((a, b) => (isBefore(dueOf(b), dueOf(a)) ? b : a));
      const { load, left, ready } = lists[next] as (typeof lists)[number];
      transfer(load.tensor, left.shift()?.size ?? 0, room[next]?.shift() ?? 0);
      ready.push(free + dram.latencyCycles);
    }
  };
  fill();
  return {
    readyAt: load => lists[load]?.ready[0] ?? never,
    take: load => void lists[load]?.ready.shift(),
    release(load, cycle) {
      room[load]?.push(cycle);
      fill();
    },
    store: transfer,
    busyUntil: () => free,
    bytes: () => bytes,
  };
}
