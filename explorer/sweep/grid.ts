import type { CostRequest } from "../cost/designs.js";
import { argumentOf, isPaperDesign } from "../design/names.js";
import { countedAs, initialState, type State, writeSize } from "../state.js";

/** A setting that can be swept: its name, its values, and how one is written. */
interface Knob {
  readonly label: string;
  readonly values: readonly number[];
  readonly write: (value: number) => string;
}

const doubling = (least: number, most: number): readonly number[] =>
  Array.from({ length: Math.round(Math.log2(most / least)) + 1 }, (_, i) => least * 2 ** i);
const plain = (value: number): string => String(value);

export const knobs = {
  seq: { label: "Sequence length", values: doubling(1024, 2 ** 20), write: writeSize },
  batch: { label: "Batch", values: doubling(1, 1024), write: plain },
  rows: { label: "Array rows", values: doubling(8, 1024), write: plain },
  columns: { label: "Array columns", values: doubling(8, 1024), write: plain },
  buffer: { label: "Buffer, times its own", values: doubling(1 / 64, 64), write: plain },
  bandwidth: { label: "DRAM bandwidth, GB/s", values: doubling(25, 6400), write: plain },
  frequency: { label: "Clock, MHz", values: doubling(117.5, 3760), write: plain },
} as const satisfies Partial<Record<keyof State, Knob>>;
export type KnobName = keyof typeof knobs;

/** The cells of a sweep over two settings: row-major, a row for each value of y. */
export interface Grid {
  readonly x: KnobName;
  readonly y: KnobName;
  readonly requests: readonly CostRequest[];
  /** The cell of the settings as they are; -1 where it is none. */
  readonly current: number;
}

export function gridOf(state: State): Grid {
  const { sweepX: x, sweepDesign: design } = state;
  // A setting against itself says nothing: another one takes its place.
  const y = state.sweepY === x ? (x === "rows" ? "columns" : "rows") : state.sweepY;
  const [xs, ys] = [knobs[x].values, knobs[y].values];
  // Sweeps are of hardware that is not the paper's, for the most part: one accounting for all of it.
  const counted = countedAs(state, [design]);
  const accounting = counted === "published" && isHardware(x, y) ? "corrected" : counted;
  const requests = ys.flatMap(b =>
    xs.map((a): CostRequest => {
      const own: State = { ...state, accounting, [x]: a, [y]: b };
      return { design, seq: own.seq, state: own, swept: [x, y] };
    }),
  );
  const [column, row] = [xs.indexOf(state[x]), ys.indexOf(state[y])];
  // Hardware at its default is the design's own, which may be none of the cells.
  const isElsewhere =
    !isPaperDesign(design) && [x, y].some(name => isHardware(name) && state[name] === initialState[name]);
  const isCell = column >= 0 && row >= 0 && !isElsewhere;
  return { x, y, requests, current: isCell ? row * xs.length + column : -1 };
}

const isHardware = (...names: readonly KnobName[]): boolean =>
  names.some(name => name !== "seq" && name !== "batch") && names.length > 0;

/** A list as `fusemax sweep --set` takes it, and the field; null for what it has no list of. */
const fields: Readonly<Record<KnobName, string | null>> = {
  seq: null,
  batch: null,
  rows: "architecture.parameters.rows",
  columns: "architecture.parameters.columns",
  buffer: null,
  bandwidth: "architecture.levels.dram.bytesPerSecond",
  frequency: "architecture.frequencyHz",
};
const factors: Readonly<Partial<Record<KnobName, string>>> = { bandwidth: "e9", frequency: "e6" };

/** The call that computes the same points; null where the command line sweeps one of the settings in no list. */
export function sweepCommand(state: State, { x, y, requests }: Grid): string | null {
  const names = [x, y];
  if (names.some(name => name !== "seq" && fields[name] === null) || state.model === "custom") return null;
  const others = (["rows", "columns", "bandwidth", "frequency"] as const).filter(
    name => !names.includes(name) && state[name] !== requests[0]?.state[name],
  );
  if (others.length > 0) return null;
  const settings = names.flatMap(name => {
    const field = fields[name];
    return field === null ? [] : [`--set ${field}=${knobs[name].values.map(v => `${v}${factors[name] ?? ""}`).join()}`];
  });
  const lengths = names.includes("seq") ? "1K..1M*2" : writeSize(state.seq);
  return [
    "npx fusemax sweep",
    `--design ${argumentOf(state.sweepDesign)} --model ${state.model} --seq ${lengths} --batch ${state.batch}`,
    ...(state.phase === "decode" ? ["--phase decode"] : []),
    ...settings,
    `--accounting ${requests[0]?.state.accounting}`,
    "--out sweep.csv",
  ].join(" ");
}
