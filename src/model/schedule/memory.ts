import type { ArrivalSchedule, DramChannel, ScheduleWork } from "../../spec/schedule/machine.js";
import { CycleQueue } from "./fifo.js";
import type { TileWalk } from "./walk.js";

/** The tensors whose tiles come from DRAM. */
export const loadedTensors = ["Q", "BK", "BV"] as const;
export type LoadedTensor = (typeof loadedTensors)[number];

/** Where the loads stand in the loop nest: the next tile to be requested; `block` counts over all heads. */
export interface LoadCursor {
  block: number;
  m1: number;
}

/** What feeds the global buffer. Each queue holds the cycles from which the next tiles can be read. */
export interface TileMemory {
  readonly queues: Readonly<Record<LoadedTensor, CycleQueue>>;
  /** Absent where the arrivals are given: such a run is simulated in full. */
  readonly cursor: LoadCursor | null;
  /** The room of one tile of the tensor can be filled again from `cycle`. */
  release(tensor: LoadedTensor, cycle: number): void;
  /** A tile of AV is complete in the global buffer and goes to DRAM. */
  store(columns: number, cycle: number): void;
  /** The last cycle in which the channel is busy, plus one. */
  busyUntil(): number;
  /** Bytes moved so far, both ways. */
  bytes(): number;
  state(now: number): string;
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
    cursor: null,
    release: () => undefined,
    store: () => undefined,
    busyUntil: () => 0,
    bytes: () => 0,
    state: () => "",
    leap: () => undefined,
  };
}

/**
 * One DRAM channel, first come first served. Tiles are requested in the order of their first use, each as soon as the
 * global buffer has room for it; a transfer takes whole cycles.
 */
export function dramMemory(dram: DramChannel, work: ScheduleWork, walk: TileWalk): TileMemory {
  const queues = { Q: new CycleQueue(), BK: new CycleQueue(), BV: new CycleQueue() };
  // When the room of each tensor was freed, oldest first; all of it is free at cycle 0.
  const { q, bk, bv } = dram.tilesHeld;
  const room = { Q: freeFromStart(q), BK: freeFromStart(bk), BV: freeFromStart(bv) };

  const cursor = { block: 0, m1: 0 };
  let p1 = 0;
  let kind: LoadedTensor = "Q";
  let channelFree = 0;
  let moved = 0;
  const allBlocks = walk.heads * walk.blocks;

  const transfer = (words: number, from: number): number => {
    const bytes = words * dram.bytesPerWord;
    moved += bytes;
    channelFree = Math.max(channelFree, from) + Math.ceil(bytes / dram.bytesPerCycle);
    return channelFree;
  };
  const wordsOfNext = (): number => {
    if (kind === "Q") {
      return work.headDim * walk.columnsOf((cursor.block % walk.blocks) * walk.blockTiles + p1);
    }
    return (kind === "BK" ? work.headDim : work.valueDim) * walk.rowsOf(cursor.m1);
  };
  /** Order of first use: Q0 BK0 BV0 Q1 Q2 ... BK1 BV1 BK2 BV2 ... */
  const advance = (): void => {
    if (kind === "BK") kind = "BV";
    else if (kind === "Q" && p1 === 0) kind = "BK";
    else if (cursor.m1 === 0 && ++p1 < walk.sizeOf(cursor.block)) kind = "Q";
    else {
      p1 = 0;
      kind = "BK";
      if (++cursor.m1 === walk.keyTiles) {
        cursor.m1 = 0;
        cursor.block++;
        kind = "Q";
      }
    }
  };
  const pump = (): void => {
    while (cursor.block < allBlocks && room[kind].size > 0) {
      const from = room[kind].first();
      room[kind].pop();
      queues[kind].push(transfer(wordsOfNext(), from) + dram.latencyCycles);
      advance();
    }
  };
  pump();

  return {
    queues,
    cursor,
    release(tensor, cycle) {
      room[tensor].push(cycle);
      pump();
    },
    store(columns, cycle) {
      transfer(work.valueDim * columns, cycle);
    },
    busyUntil: () => channelFree,
    bytes: () => moved,
    state(now) {
      const parts = loadedTensors.map(t => `${queues[t].relativeTo(now)};${room[t].relativeTo(now)}`);
      return `${parts.join("/")}|${Math.max(channelFree - now, 0)}|${kind}${p1}`;
    },
    leap(blocks, keyTiles) {
      cursor.block += blocks;
      cursor.m1 += keyTiles;
    },
  };
}

function freeFromStart(tiles: number): CycleQueue {
  const queue = new CycleQueue();
  for (let i = 0; i < tiles; i++) queue.push(0);
  return queue;
}
