import type { Stage, Stream } from "../../spec/schedule/notation.js";
import type { ScheduleSpec } from "../../spec/schedule/schedule.js";
import type { TileEinsum } from "./dataflows.js";
import { inOrder, programsOf } from "./one-tile.js";

const letters = "abcdefghijklmnopqrstuvwxyz";

/**
 * The schedule of arrays that work side by side on tiles that follow each other (FuseMax section V): an Einsum that waits for what an
 * array further on made of its tile is done on an older one, so that the way there and back is hidden. One letter for each such
 * return; the first lag is to be found.
 * @param apart epochs between the letters after the second
 * @param takesTurns what another array takes point by point takes turns, on an older tile, with the operation that begins an epoch
 * (as in Fig. 4): half as fast, it does not fill the registers of an array that takes two operations for each
 * @returns undefined where nothing can take turns so
 */
export function pipelinedSchedule(
  einsums: readonly TileEinsum[],
  apart: number,
  takesTurns: boolean,
): ScheduleSpec | undefined {
  const ordered = inOrder(einsums);
  const arrays = [...new Set(ordered.map(({ array }) => array))];
  const pair = takesTurns ? pairOf(ordered) : undefined;
  if (takesTurns && pair === undefined) return undefined;
  const returns = returnsOf(ordered, arrays, pair?.later.name);
  const letterOf = ({ name }: TileEinsum): string => letters[returns.get(name) ?? 0] as string;
  const most = Math.max(...returns.values());
  const lags = Object.fromEntries(
    Array.from({ length: most + 1 }, (_, i) => {
      const lag = i === 0 ? 0 : i === 1 ? ("auto" as const) : { after: letters[i - 1] as string, by: apart };
      return [letters[i] as string, lag] as const;
    }),
  );
  if (pair === undefined) return { name: "pipelined", lags, programs: programsOf(ordered, letterOf) };
  const { first, later } = pair;
  // Who takes the points begins with them.
  const begins = (own: TileEinsum): boolean => own.when === "every" && letterOf(own) === letterOf(later);
  const others = ordered.filter(own => own !== first && own !== later);
  const programs = programsOf([...others.filter(begins), ...others.filter(own => !begins(own))], letterOf);
  const [stream, turn] = [first, later].map(einsum => ({ einsum: einsum.name, tile: letterOf(einsum) }));
  const together: Stage = { streams: [turn, { ...stream, keepsTurns: true }] as readonly Stream[] };
  const waits = waitsOf(ordered, first.array, letterOf);
  const whole = arrays.map(array => {
    const stages = programs[array] ?? [];
    return [array, array === first.array ? [together, ...stages, ...waits] : stages] as const;
  });
  return { name: "pipelined", lags, programs: Object.fromEntries(whole) };
}

/** Slots that an array leaves empty to keep the pace of a slower one: it would run ahead and fill that one's registers. */
function waitsOf(
  ordered: readonly TileEinsum[],
  array: string,
  letterOf: (einsum: TileEinsum) => string,
): readonly Stage[] {
  const cyclesOf = (name: string): number =>
    ordered.reduce((sum, own) => sum + (own.array === name && own.when === "every" ? slotsOf(own) : 0), 0);
  const slowest = Math.max(...ordered.map(own => cyclesOf(own.array)));
  const behind = slowest - cyclesOf(array);
  const last = ordered.filter(own => own.when === "last" && own.array !== array);
  return [
    ...(behind > 0 ? [{ streams: [{ idle: behind }] }] : []),
    ...last.map(own => ({ streams: [{ idle: { einsum: own.name, tile: letterOf(own) } }] })),
  ];
}

const slotsOf = ({ points, pointCycles, leadCycles }: TileEinsum): number => points * pointCycles + leadCycles;

/** The Einsum that begins an array's program, and one of its own with as many points that another array takes point by point. */
function pairOf(
  ordered: readonly TileEinsum[],
): { readonly first: TileEinsum; readonly later: TileEinsum } | undefined {
  const [first] = ordered;
  const later = ordered.find(
    ({ name, array, points }) =>
      name !== first?.name &&
      array === first?.array &&
      points > 1 &&
      points <= first.points &&
      ordered.some(other => other.array !== array && other.uses.some(use => use.einsum === name && use.pointwise)),
  );
  return first === undefined || later === undefined ? undefined : { first, later };
}

/**
 * How often the way of a tile to an Einsum comes back from an array further on; what is carried keeps its Einsums together.
 * @param early comes before what it uses in an epoch, and so is on an older tile
 */
function returnsOf(
  einsums: readonly TileEinsum[],
  arrays: readonly string[],
  early: string | undefined,
): ReadonlyMap<string, number> {
  const returns = new Map(einsums.map(({ name }) => [name, 0]));
  const arrayOf = new Map(einsums.map(({ name, array }) => [name, arrays.indexOf(array)]));
  // As many rounds as there may be steps from one to another.
  for (const _ of einsums) {
    for (const { name, uses, carries } of einsums) {
      const own = returns.get(name) ?? 0;
      const after = uses.map(({ einsum }) => {
        const isReturn = (arrayOf.get(einsum) ?? 0) > (arrayOf.get(name) ?? 0);
        return (returns.get(einsum) ?? 0) + (isReturn || name === early ? 1 : 0);
      });
      const together = carries.map(einsum => returns.get(einsum) ?? 0);
      returns.set(name, Math.min(letters.length - 1, Math.max(own, ...after, ...together)));
    }
  }
  return returns;
}
