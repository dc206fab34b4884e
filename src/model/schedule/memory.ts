import type { ArrivalSchedule, DramChannel, ScheduleWork } from "../../spec/schedule/machine.js";
import { CycleQueue } from "./fifo.js";
import type { TileWalk } from "./walk.js";

/** The tensors whose tiles come from DRAM. */
export const loadedTensors = ["Q", "BK", "BV"] as const;
export type LoadedTensor = (typeof loadedTensors)[number];

/** How far the loads have got; blocks are counted over all heads. */
export interface LoadCursor {
  /** The next tile of keys or values, whichever is further. */
  readonly block: number;
  readonly m1: number;
  /** The furthest block of which any tile comes next, queries included. */
  readonly furthestBlock: number;
}

/** What feeds the global buffer. Each queue holds the cycles from which the next tiles can be read. */
export interface TileMemory {
  readonly queues: Readonly<Record<LoadedTensor, CycleQueue>>;
  /** Absent where the arrivals are given: such a run is simulated in full. */
  cursor(): LoadCursor | null;
  /** The room of one tile of the tensor can be filled again from `cycle`. */
  release(tensor: LoadedTensor, cycle: number): void;
  /** A tile of AV is complete in the global buffer and goes to DRAM. */
  store(columns: number, cycle: number): void;
  /** The last cycle in which the channel is busy, plus one. */
  busyUntil(): number;
  /** Bytes moved so far, both ways. */
  bytes(): number;
  /** What decides the future, counted from cycle `now` and key tile `m1` of `block`. */
  state(now: number, block: number, m1: number): string;
  /** Leaves whole periods out: further by `blocks` and `keyTiles`. */
  leap(blocks: number, keyTiles: number): void;
}

/** Tiles that are there from a given cycle on, in the order of first use. */
export function givenArrivals(arrivals: ArrivalSchedule): TileMemory {
  const filled = (cycles: readonly number[]): CycleQueue => {
    const queue = new CycleQueue();
    for (const cycle of cycles) queue.push(cycle);
    return queue;
  };
  return {
    queues: { Q: filled(arrivals.q), BK: filled(arrivals.bk), BV: filled(arrivals.bv) },
    cursor: () => null,
    release: () => undefined,
    store: () => undefined,
    busyUntil: () => 0,
    bytes: () => 0,
    state: () => "",
    leap: () => undefined,
  };
}

/** The next tile of a tensor to be requested. Q goes by query tile (p1), BK and BV by key tile (m1). */
interface Stream {
  readonly tensor: LoadedTensor;
  readonly words: (walk: TileWalk, stream: Stream) => number;
  block: number;
  m1: number;
  p1: number;
}

/**
 * One DRAM channel, first come first served. Each tensor's tiles are requested in the order of their use, as soon as the
 * global buffer has room for them; where several can be, the one that is used first. A transfer takes whole cycles.
 */
export function dramMemory(dram: DramChannel, work: ScheduleWork, walk: TileWalk): TileMemory {
  const queues = { Q: new CycleQueue(), BK: new CycleQueue(), BV: new CycleQueue() };
  // When the room of each tensor was freed, oldest first; all of it is free at cycle 0.
  const { q, bk, bv } = dram.tilesHeld;
  const room = { Q: freeFromStart(q), BK: freeFromStart(bk), BV: freeFromStart(bv) };
  const start = { block: 0, m1: 0, p1: 0 };
  const keyWords = (width: number) => (_: TileWalk, stream: Stream) => width * walk.rowsOf(stream.m1);
  const [loadsQ, loadsBk, loadsBv]: readonly [Stream, Stream, Stream] = [
    {
      tensor: "Q",
      words: (_, { block, p1 }) => work.headDim * walk.columnsOf((block % walk.blocks) * walk.blockTiles + p1),
      ...start,
    },
    { tensor: "BK", words: keyWords(work.headDim), ...start },
    { tensor: "BV", words: keyWords(work.valueDim), ...start },
  ];
  const streams = [loadsQ, loadsBk, loadsBv];
  const allBlocks = walk.heads * walk.blocks;
  let channelFree = 0;
  let moved = 0;

  const transfer = (words: number, from: number): number => {
    const bytes = words * dram.bytesPerWord;
    moved += bytes;
    channelFree = Math.max(channelFree, from) + Math.ceil(bytes / dram.bytesPerCycle);
    return channelFree;
  };
  const advance = (stream: Stream): void => {
    if (stream.tensor === "Q") {
      if (++stream.p1 < walk.sizeOf(stream.block)) return;
      stream.p1 = 0;
    } else {
      if (++stream.m1 < walk.keyTiles) return;
      stream.m1 = 0;
    }
    stream.block++;
  };
  /** Loads what there is room for, the earliest use first: Q0 BK0 BV0 Q1 Q2 ... BK1 BV1 ... */
  const pump = (): void => {
    for (;;) {
      let first: Stream | null = null;
      for (const stream of streams) {
        if (stream.block === allBlocks || room[stream.tensor].size === 0) continue;
        if (first === null || isUsedBefore(stream, first)) first = stream;
      }
      if (first === null) return;
      const from = room[first.tensor].first();
      room[first.tensor].pop();
      queues[first.tensor].push(transfer(first.words(walk, first), from) + dram.latencyCycles);
      advance(first);
    }
  };
  pump();

  return {
    queues,
    cursor() {
      const { block, m1 } = isUsedBefore(loadsBk, loadsBv) ? loadsBv : loadsBk;
      return { block, m1, furthestBlock: Math.max(block, loadsQ.block) };
    },
    release(tensor, cycle) {
      room[tensor].push(cycle);
      pump();
    },
    store(columns, cycle) {
      transfer(work.valueDim * columns, cycle);
    },
    busyUntil: () => channelFree,
    bytes: () => moved,
    state(now, block, m1) {
      const queued = loadedTensors.map(t => `${queues[t].relativeTo(now)};${room[t].relativeTo(now)}`);
      const ahead = (stream: Stream): string => `${(stream.block - block) * walk.keyTiles + stream.m1 - m1}`;
      const loads = `${loadsQ.block - block},${loadsQ.p1},${ahead(loadsBk)},${ahead(loadsBv)}`;
      return `${queued.join("/")}|${Math.max(channelFree - now, 0)}|${loads}`;
    },
    leap(blocks, keyTiles) {
      for (const stream of streams) stream.block += blocks;
      loadsBk.m1 += keyTiles;
      loadsBv.m1 += keyTiles;
    },
  };
}

function isUsedBefore(a: Stream, b: Stream): boolean {
  if (a.block !== b.block) return a.block < b.block;
  if (a.m1 !== b.m1) return a.m1 < b.m1;
  return a.p1 < b.p1;
}

function freeFromStart(tiles: number): CycleQueue {
  const queue = new CycleQueue();
  for (let i = 0; i < tiles; i++) queue.push(0);
  return queue;
}
