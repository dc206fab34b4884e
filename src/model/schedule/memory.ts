import type { ArrivalSchedule, DramChannel } from "../../spec/schedule/machine.js";
import type { Plan } from "./actions.js";
import { CycleQueue } from "./fifo.js";
import { LoadStream } from "./load-stream.js";
import type { TileWalk } from "./walk.js";

/** What feeds the global buffer. Loads are numbered as the plan has them. */
export interface TileMemory {
  /** The cycle from which the load's next tile can be read. */
  readyAt(load: number): number;
  take(load: number): void;
  /** The room of one tile of the load can be filled again from `cycle`. */
  release(load: number, cycle: number): void;
  /** So many words of a tensor are complete in the global buffer and go to DRAM. */
  store(tensor: string, words: number, cycle: number): void;
  /** The last cycle in which the channel is busy, plus one. */
  busyUntil(): number;
  /**
   * Since the last `restore`: bytes moved both ways, loads made of each tensor, and loads that were of another size than the
   * one before.
   */
  readonly counts: { bytes: number; changes: number; readonly loads: number[] };
  /** What comes next, as text: with the state it decides what follows. Undefined where arrivals are given. */
  next(): string;
  readonly streams: readonly LoadStream[];
  save(now: number): SavedMemory;
  /** Takes up a state; cycle 0 is then the moment of it. */
  restore(saved: SavedMemory): void;
}

/** A memory's state, counted from a cycle. */
export interface SavedMemory {
  readonly queues: readonly (readonly number[])[];
  readonly room: readonly (readonly number[])[];
  readonly channelFree: number;
  /** Words of the latest load of each tensor. */
  readonly latest: readonly number[];
}

/** Tiles that are there from a given cycle on, in the order of first use. */
export function givenArrivals({ loads }: Plan, arrivals: ArrivalSchedule): TileMemory {
  const queues = loads.map(({ tensor }) => {
    const queue = new CycleQueue();
    for (const cycle of arrivals[tensor] ?? []) queue.push(cycle);
    return queue;
  });
  return {
    readyAt: load => (queues[load] as CycleQueue).first(),
    take: load => (queues[load] as CycleQueue).pop(),
    release: () => undefined,
    store: () => undefined,
    busyUntil: () => 0,
    counts: { bytes: 0, changes: 0, loads: [] },
    next: () => "",
    streams: [],
    save: () => ({ queues: [], room: [], channelFree: 0, latest: [] }),
    restore: () => undefined,
  };
}

/**
 * One DRAM channel, first come first served. Each tensor's tiles are requested in the order of their use, as soon as the
 * global buffer has room for them; where several can be, the one that is used first. A transfer takes whole cycles.
 */
export function dramMemory(dram: DramChannel, plan: Plan, walk: TileWalk): TileMemory {
  const { loads } = plan;
  const streams = loads.map(load => new LoadStream(load, walk));
  const queues = loads.map(() => new CycleQueue());
  // When the room of each tensor was freed, oldest first; all of it is free at cycle 0.
  const room = loads.map(({ tensor }) => {
    const queue = new CycleQueue();
    for (let i = 0; i < (dram.tilesHeld[tensor] ?? 1); i++) queue.push(0);
    return queue;
  });
  let channelFree = 0;
  const counts = { bytes: 0, changes: 0, loads: loads.map(() => 0) };
  const latest = loads.map(() => 0);

  const transfer = (tensor: string, words: number, from: number): number => {
    const bytes = words * (dram.elementBytes[tensor] ?? 0);
    counts.bytes += bytes;
    channelFree = Math.max(channelFree, from) + Math.ceil(bytes / dram.bytesPerCycle);
    return channelFree;
  };
  /** Loads what there is room for, the earliest use first: Q0 BK0 BV0 Q1 Q2 ... BK1 BV1 ... */
  const pump = (): void => {
    for (;;) {
      let first = -1;
      streams.forEach((stream, i) => {
        if (stream.atEnd || room[i]?.size === 0) return;
        if (first < 0 || stream.isUsedBefore(streams[first] as LoadStream)) first = i;
      });
      const stream = streams[first];
      if (stream === undefined) return;
      const own = room[first] as CycleQueue;
      const from = own.first();
      own.pop();
      const words = stream.words();
      if (words !== latest[first]) counts.changes++;
      latest[first] = words;
      queues[first]?.push(transfer(loads[first]?.tensor ?? "", words, from) + dram.latencyCycles);
      stream.advance(1);
      counts.loads[first] = (counts.loads[first] as number) + 1;
    }
  };
  pump();

  return {
    readyAt: load => (queues[load] as CycleQueue).first(),
    take: load => (queues[load] as CycleQueue).pop(),
    release(load, cycle) {
      room[load]?.push(cycle);
      pump();
    },
    store: (tensor, words, cycle) => void transfer(tensor, words, cycle),
    busyUntil: () => channelFree,
    counts,
    next: () => streams.map(stream => (stream.atEnd ? -1 : stream.words())).join(),
    streams,
    save: now => ({
      queues: queues.map(queue => queue.relativeTo(now)),
      room: room.map(queue => queue.relativeTo(now)),
      channelFree: Math.max(channelFree - now, 0),
      latest: [...latest],
    }),
    restore(saved) {
      saved.queues.forEach((cycles, i) => void queues[i]?.fill(cycles));
      saved.room.forEach((cycles, i) => void room[i]?.fill(cycles));
      channelFree = saved.channelFree;
      saved.latest.forEach((words, i) => {
        latest[i] = words;
      });
      counts.bytes = 0;
      counts.changes = 0;
      counts.loads.fill(0);
    },
  };
}
