import { SpecError } from "../../errors.js";
import type { Dataflow } from "./dataflow.js";
import { isIdle, type Operation, operationText, parseProgram, type Stage } from "./notation.js";

/**
 * A binding in time (FuseMax section V, Fig. 4). Time is cut into epochs; in epoch n an array does its program once, on
 * tile n - lag of each letter. An array issues in order and waits where an operand is not there yet.
 */
export interface Schedule {
  readonly name: string;
  /** Epochs between the tile that enters in an epoch (lag 0) and the tile that the letter stands for in it. */
  readonly lags: Readonly<Record<string, number>>;
  /** Per array, by its name, what it does in an epoch. The array that a tile enters first comes first. */
  readonly programs: Readonly<Record<string, readonly Stage[]>>;
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
  readonly programs: Readonly<Record<string, string>>;
}

/**
 * Reads a schedule. Whether a design can run it, `checkAgainst` says.
 * @param whereOf the place of a part (`tiles.c`, `2d`, `1d`), for errors
 * @throws SpecError
 */
export function parseSchedule(name: string, text: ScheduleText, whereOf: WhereOf = placeIn(name)): ScheduleSpec {
  const programs = Object.fromEntries(
    Object.entries(text.programs).map(([array, program]) => [array, parseProgram(program, whereOf(array))]),
  );
  const lags = Object.fromEntries(
    Object.entries(text.tiles).map(([letter, lag]) => [letter, parseLag(lag, whereOf(`tiles.${letter}`))]),
  );
  for (const [array, stages] of Object.entries(programs)) checkLetters(stages, lags, whereOf(array));
  checkFollowers(lags, whereOf);
  return { name, lags, programs };
}

/** The place of a part of a schedule, for errors. */
export type WhereOf = (part: string) => string;
const placeIn =
  (name: string): WhereOf =>
  part =>
    `schedule "${name}" ${part}`;

/**
 * Refuses a schedule that no machine could run: an operation on an array that lacks it, an Einsum twice or not at all, one
 * that the design does not have.
 * @param unitsOf the operations that an array's PEs have; undefined for an array that there is not
 * @throws SpecError
 */
export function checkAgainst(
  { name, programs }: ScheduleSpec,
  dataflows: readonly Dataflow[],
  unitsOf: (array: string) => readonly string[] | undefined,
  whereOf: WhereOf = placeIn(name),
): void {
  const names = dataflows.map(flow => flow.name);
  for (const [array, stages] of Object.entries(programs)) {
    const units = unitsOf(array);
    if (units === undefined) {
      const arrays = [...new Set(dataflows.map(flow => flow.array))];
      throw new SpecError({
        where: whereOf(array),
        got: `a program for the array '${array}'`,
        expected: `one of ${arrays.join(", ")}`,
      });
    }
    for (const op of [...operationsOf(stages).map(({ op }) => op), ...idlesOf(stages)]) {
      if (names.includes(op.einsum)) continue;
      throw new SpecError({ where: whereOf(array), got: operationText(op), expected: `one of ${names.join(", ")}` });
    }
    for (const { op } of operationsOf(stages)) checkHome(op, array, units, dataflows, whereOf(array));
  }
  checkComplete(programs, dataflows, whereOf);
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

function checkLetters(stages: readonly Stage[], lags: ScheduleSpec["lags"], where: string): void {
  for (const op of [...operationsOf(stages).map(({ op }) => op), ...idlesOf(stages)]) {
    if (Object.hasOwn(lags, op.tile)) continue;
    const expected = `one of the letters that tiles gives: ${Object.keys(lags).join(", ")}`;
    throw new SpecError({ where, got: operationText(op), expected });
  }
}

function checkHome(
  op: Operation,
  array: string,
  units: readonly string[],
  dataflows: readonly Dataflow[],
  where: string,
): void {
  const flow = dataflows.find(({ name }) => name === op.einsum);
  if (flow === undefined || flow.array === array) return;
  const fix = `move ${op.einsum} to the ${flow.array} program`;
  const missing = flow.units.filter(unit => !units.includes(unit));
  if (missing.length > 0) {
    throw new SpecError({
      where,
      got: `${operationText(op)} on the ${array} array, whose PEs have no ${missing.join(", ")}`,
      expected: `an array whose PEs have ${flow.units.join(" and ")}`,
      fix,
    });
  }
  throw new SpecError({
    where,
    got: `${operationText(op)} on the ${array} array`,
    expected: `it on the ${flow.array} array, where the mapping puts ${op.einsum}`,
    fix,
  });
}

function checkComplete(programs: Schedule["programs"], dataflows: readonly Dataflow[], whereOf: WhereOf): void {
  const seen = new Set<string>();
  for (const [array, stages] of Object.entries(programs)) {
    for (const { op } of operationsOf(stages)) {
      if (seen.has(op.einsum)) {
        throw new SpecError({ where: whereOf(array), got: `${op.einsum} twice`, expected: "each Einsum once" });
      }
      seen.add(op.einsum);
    }
  }
  for (const { name, array } of dataflows) {
    if (seen.has(name)) continue;
    const users = dataflows.filter(user => seen.has(user.name) && user.uses.some(({ einsum }) => einsum === name));
    const got =
      users.length === 0
        ? `no ${name}`
        : `${users.map(user => user.name).join(" and ")} using ${name}, which nothing makes`;
    const expected = "every Einsum of the mapping";
    throw new SpecError({ where: whereOf(array), got, expected, fix: `add ${name} to the ${array} program` });
  }
}

function checkFollowers(lags: ScheduleSpec["lags"], whereOf: WhereOf): void {
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
