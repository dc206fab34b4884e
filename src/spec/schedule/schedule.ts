import { SpecError } from "../../errors.js";
import { type ArrayName, arrayNames, dataflows, type EinsumName, einsumNames, type Unit } from "./einsums.js";
import { isIdle, type Operation, operationText, parseProgram, type Stage } from "./notation.js";

/**
 * A binding in time (FuseMax section V, Fig. 4). Time is cut into epochs; in epoch n an array does its program once, on
 * tile n - lag of each letter. An array issues in order and waits where an operand is not there yet.
 */
export interface Schedule {
  readonly name: string;
  /** Epochs between the tile that enters in an epoch (lag 0) and the tile that the letter stands for in it. */
  readonly lags: Readonly<Record<string, number>>;
  readonly programs: Readonly<Record<ArrayName, readonly Stage[]>>;
}

/** A schedule in which one letter's lag may still have to be found (`auto`) and others may follow it. */
export interface ScheduleSpec {
  readonly name: string;
  readonly lags: Readonly<Record<string, LagSpec>>;
  readonly programs: Schedule["programs"];
}

export type LagSpec = number | "auto" | { readonly after: string; readonly by: number };

/** A schedule's text: lags are a number, `auto`, or another letter plus a number (`c+1`). */
export interface ScheduleText {
  readonly tiles: Readonly<Record<string, number | string>>;
  readonly "2d": string;
  readonly "1d": string;
}

/** What each array's PEs can do (FuseMax section V). */
export const publishedUnits: Readonly<Record<ArrayName, readonly Unit[]>> = {
  "2d": ["mac", "add", "max"],
  "1d": ["mac", "add", "max", "divide"],
};

/**
 * Reads a schedule and refuses one that no machine could run: an operation on an array that lacks it, a letter without
 * a tile, an Einsum twice or not at all, a value used before the program makes it.
 * @param whereOf the place of a part (`tiles.c`, `2d`, `1d`), for errors
 * @throws SpecError
 */
export function parseSchedule(
  name: string,
  text: ScheduleText,
  whereOf: (part: string) => string = part => `schedule "${name}" ${part}`,
  units: Readonly<Record<ArrayName, readonly Unit[]>> = publishedUnits,
): ScheduleSpec {
  const programs = {
    "2d": parseProgram(text["2d"], whereOf("2d")),
    "1d": parseProgram(text["1d"], whereOf("1d")),
  };
  const lags = Object.fromEntries(
    Object.entries(text.tiles).map(([letter, lag]) => [letter, parseLag(lag, whereOf(`tiles.${letter}`))]),
  );
  for (const array of arrayNames) checkOperations(programs[array], array, units[array], lags, whereOf(array));
  checkComplete(programs, whereOf);
  checkFollowers(lags, whereOf);
  return { name, lags, programs };
}

function parseLag(lag: number | string, where: string): LagSpec {
  if (lag === "auto") return "auto";
  const value = Number(lag);
  if (Number.isInteger(value) && value >= 0 && value <= 64) return value;
  const match = /^([A-Za-z]\w*)\s*\+\s*(\d+)$/.exec(String(lag));
  const by = Number(match?.[2]);
  if (match !== null && by <= 64) return { after: match[1] ?? "", by };
  throw new SpecError({
    where,
    got: `"${lag}"`,
    expected: "epochs from 0 to 64, auto, or a letter plus a number (c+1)",
  });
}

/** Every operation of a program, with its stage. */
export function operationsOf(
  stages: readonly Stage[],
): readonly { readonly op: Operation; readonly stage: number; readonly stream: number }[] {
  return stages.flatMap(({ streams }, stage) =>
    streams.flatMap((entry, stream) => (isIdle(entry) ? [] : [{ op: entry, stage, stream }])),
  );
}

/** The operations that a program's idle slots stand for. */
export function idlesOf(stages: readonly Stage[]): readonly Operation[] {
  return stages.flatMap(({ streams }) =>
    streams.flatMap(entry => (isIdle(entry) && typeof entry.idle !== "number" ? [entry.idle] : [])),
  );
}

function checkOperations(
  stages: readonly Stage[],
  array: ArrayName,
  units: readonly Unit[],
  lags: ScheduleSpec["lags"],
  where: string,
): void {
  for (const op of [...operationsOf(stages).map(o => o.op), ...idlesOf(stages)]) {
    if (!Object.hasOwn(lags, op.tile)) {
      const expected = `one of the letters that tiles gives: ${Object.keys(lags).join(", ")}`;
      throw new SpecError({ where, got: operationText(op), expected });
    }
  }
  for (const { op } of operationsOf(stages)) {
    const { array: home, units: needed } = dataflows[op.einsum];
    const missing = needed.filter(unit => !units.includes(unit));
    if (missing.length > 0) {
      throw new SpecError({
        where,
        got: `${operationText(op)} on the ${array} array, whose PEs have no ${missing.join(", ")}`,
        expected: `an array whose PEs have ${needed.join(" and ")}`,
        mend: `move ${op.einsum} to the ${home} program`,
      });
    }
    if (home !== array) {
      throw new SpecError({
        where,
        got: `${operationText(op)} on the ${array} array`,
        expected: `it on the ${home} array, the only one with a dataflow for ${op.einsum}`,
        mend: `move ${op.einsum} to the ${home} program`,
      });
    }
  }
}

function checkComplete(programs: Schedule["programs"], whereOf: (part: string) => string): void {
  const seen = new Set<EinsumName>();
  for (const array of arrayNames) {
    for (const { op } of operationsOf(programs[array])) {
      if (seen.has(op.einsum)) {
        throw new SpecError({ where: whereOf(array), got: `${op.einsum} twice`, expected: "each Einsum once" });
      }
      seen.add(op.einsum);
    }
  }
  for (const einsum of einsumNames) {
    if (seen.has(einsum)) continue;
    const users = einsumNames.filter(user => seen.has(user) && dataflows[user].uses.includes(einsum));
    const got = users.length === 0 ? `no ${einsum}` : `${users.join(" and ")} using ${einsum}, which nothing makes`;
    const { array } = dataflows[einsum];
    const expected = "every Einsum of the one-pass cascade";
    throw new SpecError({ where: whereOf(array), got, expected, mend: `add ${einsum} to the ${array} program` });
  }
}

function checkFollowers(lags: ScheduleSpec["lags"], whereOf: (part: string) => string): void {
  for (const [letter, lag] of Object.entries(lags)) {
    if (typeof lag !== "object") continue;
    const followed = lags[lag.after];
    if (followed === undefined || typeof followed === "object") {
      const expected = `a letter whose lag is a number or auto, not "${lag.after}"`;
      throw new SpecError({ where: whereOf(`tiles.${letter}`), got: `${lag.after}+${lag.by}`, expected });
    }
  }
}

export const hasAutoLag = (spec: ScheduleSpec): boolean => Object.values(spec.lags).includes("auto");

/** The schedule with every `auto` lag set to `auto`. */
export function withLag(spec: ScheduleSpec, auto: number): Schedule {
  const base = (lag: LagSpec | undefined): number => (typeof lag === "number" ? lag : auto);
  const lags = Object.entries(spec.lags).map(([letter, lag]) => [
    letter,
    typeof lag === "object" ? base(spec.lags[lag.after]) + lag.by : base(lag),
  ]);
  return { name: spec.name, lags: Object.fromEntries(lags), programs: spec.programs };
}
