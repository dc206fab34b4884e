import type { TileArrays } from "../../src/model/schedule/arrays.js";
import type { TileEinsum } from "../../src/model/schedule/dataflows.js";
import type { ArrivalSchedule, DramChannel, TileWork } from "../../src/spec/schedule/machine.js";
import { isIdle, type Operation, type Stage } from "../../src/spec/schedule/notation.js";
import type { Schedule } from "../../src/spec/schedule/schedule.js";
import { type EveryLoad, everyDram, givenTiles } from "./every-load.js";
import { checkPlaces, placesOf, Refusal } from "./every-place.js";
import { everyTile, type Tile } from "./every-tile.js";

// A schedule executed the slow way: all tiles in a list, each value with the cycle in which it comes, every cycle by itself,
// and nothing left out because it repeats. It shares the data's types with src/model/schedule, and no code.

/** What an array did in a cycle in which it had something to do. */
export interface Event {
  readonly array: string;
  readonly epoch: number;
  readonly cycle: number;
  /** The Einsum, its slot and its tile; or why nothing was issued. */
  readonly what:
    | (Pick<Tile, "head" | "m1" | "p"> & Record<"step" | "tile", number> & { readonly einsum: string })
    | string;
}

export interface EveryCycle {
  readonly cycles: number;
  readonly latencyCycles: number;
  readonly tiles: number;
  readonly arrays: Readonly<
    Record<string, { readonly busy: Record<string, number>; readonly stalls: Record<string, number> }>
  >;
  readonly registers: Readonly<Record<string, number>>;
  readonly aboveColumn: number;
  readonly dramBytes: number;
  readonly events: readonly Event[];
}

/** One slot of an Einsum's tile. */
interface Slot {
  readonly op: TileEinsum;
  readonly step: number;
  readonly point: number;
  readonly begins: boolean;
  readonly ends: boolean;
  readonly first: boolean;
  readonly last: boolean;
}

/** The slots of an Einsum, point by point; what is done once is a part of the first. */
function pointsOf(op: TileEinsum): readonly (readonly Slot[])[] {
  const lengths = Array.from({ length: op.points }, (_, f) => op.pointCycles + (f === 0 ? op.leadCycles : 0));
  const all = lengths.reduce((a, b) => a + b, 0);
  let step = 0;
  return lengths.map((length, point) =>
    Array.from({ length }, (_, i) => {
      const at = step++;
      return { op, step: at, point, begins: i === 0, ends: i === length - 1, first: at === 0, last: at === all - 1 };
    }),
  );
}

/** A value of one Einsum for another on another array. */
interface Way {
  readonly maker: TileEinsum;
  readonly user: TileEinsum;
  readonly perPoint: boolean;
  readonly each: number;
  readonly latency: number;
  readonly waits: "registers" | "above" | "buffer";
  readonly rows: number;
  /** By tile and point of the maker, when it comes; what was taken is gone. */
  readonly comes: Map<string, number>;
}

function waysOf({ einsums, arrays, upward }: TileArrays): readonly Way[] {
  return einsums.flatMap(user =>
    user.uses.flatMap(({ einsum, pointwise, each }): Way[] => {
      const maker = einsums.find(({ name }) => name === einsum);
      if (maker === undefined || maker.array === user.array) return [];
      const [from, to] = [arrays[maker.array], arrays[user.array]];
      const up = to?.grid === true && from?.grid !== true;
      const inBuffer = user.fromBuffer.includes(maker.name);
      const perPoint = pointwise && maker.valuePerPoint && maker.points === user.points * each;
      const climbs = upward.by === "columns" ? (to?.rows ?? 1) : upward.latencyCycles;
      return [
        {
          ...{ maker, user, perPoint, each: perPoint ? each : 1, comes: new Map() },
          latency: up ? 1 + climbs : (from?.rows ?? 1),
          waits: inBuffer ? "buffer" : up ? "above" : "registers",
          rows: up && upward.by === "buffer" && !inBuffer ? 1 : 0,
        },
      ];
    }),
  );
}

/** Whether an Einsum runs on a tile. */
const runsOn = ({ when }: TileEinsum, tile: Tile): boolean => when === "every" || tile[when];

export function everyCycle(
  schedule: Schedule,
  machine: TileArrays,
  work: TileWork,
  { dram, arrivals }: { readonly dram?: DramChannel; readonly arrivals?: ArrivalSchedule } = {},
): EveryCycle {
  const tiles = everyTile(work);
  const { einsums, arrays } = machine;
  const named = (name: string): TileEinsum => einsums.find(own => own.name === name) as TileEinsum;
  const lagOf = (letter: string): number => schedule.lags[letter] ?? 0;
  checkPlaces(schedule, einsums, tiles);
  const ways = waysOf(machine);
  const maxLag = Math.max(...Object.values(schedule.lags));
  const loads = einsums.flatMap(einsum => einsum.loads.map(load => ({ einsum, load })));
  const memory =
    dram !== undefined
      ? everyDram(
          loads.map(({ load }) => load),
          tiles,
          dram,
        )
      : arrivals !== undefined
        ? givenTiles(
            loads.map(({ load }) => load),
            arrivals,
          )
        : null;
  const takes = ({ by }: { readonly by: EveryLoad["by"] }, tile: Tile): boolean =>
    by === "tiles" || (by === "queries" ? tile.first : tile.opens);
  const leaves = ({ by }: { readonly by: EveryLoad["by"] }, tile: Tile): boolean =>
    by === "tiles" || (by === "queries" ? tile.last : tile.closes);

  /** What an array does in an epoch. */
  const points = new Map(einsums.map(op => [op.name, pointsOf(op)]));
  const programOf = (stages: readonly Stage[], epoch: number): readonly (Slot | null)[] => {
    const out: (Slot | null)[] = [];
    for (const { streams } of stages) {
      const all = streams.map(stream => {
        const op: Operation | null = !isIdle(stream) ? stream : typeof stream.idle === "number" ? null : stream.idle;
        if (op === null) {
          const empty = Array.from({ length: (stream as { readonly idle: number }).idle }, () => [null]);
          return { turns: empty, more: null, works: true };
        }
        const tile = tiles[epoch - lagOf(op.tile)];
        const einsum = named(op.einsum);
        const own = points.get(op.einsum) ?? [];
        const isThere = tile !== undefined && runsOn(einsum, tile);
        const blank = own.map(slots => slots.map(() => null));
        const keeps = !isIdle(stream) && stream.keepsTurns === true;
        const next = keeps ? Array.from({ length: einsum.pointCycles }, () => null) : null;
        const lead = keeps ? einsum.leadCycles : 0;
        if (isThere) return { turns: isIdle(stream) ? blank : own, more: next, lead, works: own.length > 0 };
        // A tile that is not there leaves the turns of its operation empty.
        const waits = tile === undefined && einsum.when === "every" && !isIdle(stream);
        return { turns: waits ? blank : [], more: next, lead, works: false };
      });
      if (!all.some(({ works }) => works)) continue;
      for (let turn = 0; turn < Math.max(...all.map(({ turns }) => turns.length)); turn++) {
        for (const { turns, more, lead = 0 } of all) {
          const own = turns[turn];
          if (own !== undefined) out.push(...own);
          else if (more !== null) out.push(...Array.from({ length: turn === 0 ? lead : 0 }, () => null), ...more);
        }
      }
    }
    return out;
  };

  const tracks = Object.entries(schedule.programs).map(([name, stages]) => ({
    ...{
      name,
      stages,
      epoch: -1,
      at: 0,
      program: [] as readonly (Slot | null)[],
      rowsRead: 0,
      finishedAt: 0,
      done: false,
    },
    entries: arrays[name]?.grid === true ? 1 : 0,
    peak: arrays[name]?.grid === true ? 1 : 0,
    busy: Object.fromEntries(einsums.flatMap(own => (own.array === name ? [[own.name, 0]] : []))) as Record<
      string,
      number
    >,
    stalls: {} as Record<string, number>,
  }));
  type OneTrack = (typeof tracks)[number];
  const begin = (track: OneTrack): void => {
    do {
      track.epoch++;
      track.done = track.epoch - maxLag >= tiles.length;
      track.program = track.done ? [] : programOf(track.stages, track.epoch);
    } while (!track.done && track.program.length === 0);
    track.at = 0;
  };
  for (const track of tracks) begin(track);

  const stores = einsums.some(({ storedWords }) => storedWords > 0);
  const events: Event[] = [];
  let [end, firstIssue, above] = [0, Number.POSITIVE_INFINITY, 0];
  let [reads, writes] = [0, 0];

  /** What the operation in a slot on a tile waits for; undefined where nothing. */
  const blockedBy = (slot: Slot, tile: number, cycle: number): string | undefined => {
    const place = tiles[tile] as Tile;
    for (const [i, { einsum, load }] of loads.entries()) {
      if (einsum !== slot.op || !slot.first || !takes(load, place) || memory === null) continue;
      if (memory.readyAt(i) > cycle) return load.tensor;
    }
    for (const way of awaited(slot, place)) {
      if (valuesOf(way, slot, tile).some(key => !((way.comes.get(key) ?? Number.POSITIVE_INFINITY) <= cycle))) {
        return way.maker.name;
      }
    }
    return undefined;
  };
  const waysTo = new Map(einsums.map(op => [op, ways.filter(({ user }) => user === op)]));
  const awaits = (slot: Slot): readonly Way[] =>
    slot.begins ? (waysTo.get(slot.op) ?? []).filter(({ perPoint }) => perPoint || slot.first) : [];
  const awaited = (slot: Slot, tile: Tile): readonly Way[] => awaits(slot).filter(({ maker }) => runsOn(maker, tile));
  const valuesOf = ({ perPoint, each }: Way, { point }: Slot, tile: number): readonly string[] =>
    perPoint ? Array.from({ length: each }, (_, i) => `${tile} ${point * each + i}`) : [`${tile} 0`];

  const waysAbove = ways.filter(({ waits }) => waits === "above");
  const waysInto = new Map(
    tracks.map(({ name }) => [name, ways.filter(({ waits, user }) => waits === "registers" && user.array === name)]),
  );
  const waiting = (own: readonly Way[], cycle: number): number => {
    let sum = 0;
    for (const { comes, each } of own) {
      let came = 0;
      for (const at of comes.values()) if (at < cycle) came++;
      sum += Math.ceil(came / each);
    }
    return sum;
  };
  const registersUsed = (cycle: number): void => {
    above = Math.max(above, waiting(waysAbove, cycle));
    for (const track of tracks) {
      track.peak = Math.max(track.peak, track.entries + waiting(waysInto.get(track.name) ?? [], cycle));
      if (track.peak > (arrays[track.name]?.registers ?? 0)) throw new Refusal("registers");
    }
  };

  const issue = (track: OneTrack, slot: Slot, tile: number, cycle: number): string | undefined => {
    const place = tiles[tile] as Tile;
    const { op } = slot;
    const blocked = blockedBy(slot, tile, cycle);
    if (blocked !== undefined) return blocked;
    let rows = awaits(slot).reduce((total, way) => total + way.rows, 0);
    for (const read of op.reads) {
      if ((read.perPoint ? slot.begins : slot.first) && !(read.carried && place.first)) rows += read.rows;
    }
    const written = (op.valuePerPoint ? slot.ends : slot.last) ? op.writesRows : 0;
    const got = Math.min(rows - track.rowsRead, reads);
    track.rowsRead += got;
    reads -= got;
    if (track.rowsRead < rows || written > writes) return "port";
    track.rowsRead = 0;
    writes -= written;
    for (const way of awaited(slot, place)) for (const key of valuesOf(way, slot, tile)) way.comes.delete(key);
    for (const way of ways) {
      if (way.maker !== op || !(way.perPoint ? slot.ends : slot.last) || !runsOn(way.user, place)) continue;
      way.comes.set(`${tile} ${way.perPoint ? slot.point : 0}`, cycle + way.latency);
    }
    track.entries += entriesOf(slot, schedule, einsums);
    loads.forEach(({ einsum, load }, i) => {
      if (einsum === op && slot.first && takes(load, place)) memory?.take(i);
    });
    loads.forEach(({ einsum, load }, i) => {
      if (einsum === op && slot.last && leaves(load, place)) memory?.release(i, cycle + 1);
    });
    if (slot.last && (!stores || op.storedWords > 0)) {
      const columns = place.last ? place.rows : work.tileRows;
      end = Math.max(end, cycle + columns);
      memory?.store(op.output, op.storedWords * columns, cycle + columns);
    }
    return undefined;
  };

  const dramTensors = loads.map(({ load }) => load.tensor);
  let cycle = 0;
  for (let still = 0; tracks.some(({ done }) => !done); cycle++) {
    registersUsed(cycle);
    [reads, writes] = [machine.readPorts, machine.writePorts];
    let moves = 0;
    for (const track of [...tracks].reverse()) {
      if (track.done) continue;
      const { epoch } = track;
      const slowest = tracks.reduce((least, own) => (own.done ? least : Math.min(least, own.epoch)), epoch);
      const slot = track.program[track.at] as Slot | null;
      const tile = slot === null ? -1 : epoch - lagOf(letterOf(track.stages, slot.op.name));
      let cause: string | undefined = slot === null ? "idle" : undefined;
      if (track.at === 0 && epoch - slowest > 64) cause = "behind";
      else if (slot !== null) cause = issue(track, slot, tile, cycle);
      const isEmpty = slot === null && cause === "idle";
      if (cause === undefined && slot !== null) {
        firstIssue = Math.min(firstIssue, cycle);
        track.busy[slot.op.name] = (track.busy[slot.op.name] ?? 0) + 1;
        const { head, m1, p } = tiles[tile] as Tile;
        const what = { einsum: slot.op.name, step: slot.step, tile, head, m1, p };
        events.push({ array: track.name, epoch, cycle, what });
      } else if (cause !== undefined) {
        const isOthers = cause !== "port" && !dramTensors.includes(cause);
        const own = !isOthers ? cause : epoch < maxLag ? "fill" : epoch >= tiles.length ? "drain" : cause;
        track.stalls[own] = (track.stalls[own] ?? 0) + 1;
        events.push({ array: track.name, epoch, cycle, what: own });
      }
      if (cause !== undefined && !isEmpty) continue;
      moves++;
      track.at++;
      if (track.at < track.program.length) continue;
      begin(track);
      track.finishedAt = cycle + 1;
    }
    still = moves > 0 ? 0 : still + 1;
    if (still > 2000) throw new Refusal("deadlock");
  }
  registersUsed(cycle);
  for (const track of tracks)
    track.stalls["drain"] = (track.stalls["drain"] ?? 0) + Math.max(0, end - track.finishedAt);
  return {
    cycles: end - (Number.isFinite(firstIssue) ? firstIssue : 0),
    latencyCycles: Math.max(end, memory?.busyUntil() ?? 0),
    tiles: tiles.length,
    arrays: Object.fromEntries(tracks.map(({ name, busy, stalls }) => [name, { busy, stalls }])),
    registers: Object.fromEntries(tracks.map(({ name, peak }) => [name, peak])),
    aboveColumn: above,
    dramBytes: memory?.bytes() ?? 0,
    events,
  };
}

function letterOf(stages: readonly Stage[], einsum: string): string {
  for (const { streams } of stages)
    for (const stream of streams) if (!isIdle(stream) && stream.einsum === einsum) return stream.tile;
  return "";
}

/** Registers that a slot takes, less those it frees. */
function entriesOf(slot: Slot, schedule: Schedule, einsums: readonly TileEinsum[]): number {
  const { op, first, last, begins, ends, step } = slot;
  let taken = 0;
  if (op.staysInRegisters && (op.valuePerPoint ? begins : first)) taken++;
  const rowsHeld = op.reads.filter(({ perPoint }) => !perPoint).length;
  if (first) taken += op.carriedEntries + rowsHeld;
  if (last) taken -= rowsHeld;
  const isExponential = op.points === 1 && op.scratchFrom >= 0;
  if (isExponential && step === op.scratchFrom) taken++;
  if (isExponential && last) taken--;
  for (const tensor of op.fromRegisters) {
    const places = placesOf(schedule.programs[op.array] ?? [], schedule).filter(({ name }) =>
      einsums.some(own => own.name === name && own.array === op.array && own.fromRegisters.includes(tensor)),
    );
    // The last user is the one on the oldest tile, and of those the one in the latest stage.
    const oldest = Math.max(...places.map(({ lag }) => lag));
    const latest = Math.max(...places.filter(({ lag }) => lag === oldest).map(({ stage }) => stage));
    if (places.find(({ lag, stage }) => lag === oldest && stage === latest)?.name !== op.name) continue;
    const maker = einsums.find(({ output }) => output === tensor);
    const pointwise = op.uses.some(use => use.pointwise && use.einsum === maker?.name);
    if (pointwise ? ends : isExponential ? first : last) taken--;
  }
  return taken;
}
