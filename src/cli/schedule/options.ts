import { type Command, Option } from "commander";
import { UsageError } from "../../errors.js";
import type { Patch } from "../../model/patch.js";
import { type ArithmeticOptions, arithmeticOption, formatOption } from "../arithmetic.js";
import { type MaskOption, maskOptions } from "../model/masking.js";
import {
  type AccountingOptions,
  accountingOptions,
  type PhaseOptions,
  phaseOption,
  queriesOption,
  settingsOption,
} from "../model/options.js";
import { type ScoreOptions, scoreOptions } from "../model/score-terms.js";
import { choice, parsed, parseModelSize } from "../option.js";
import { parseLengths, parseTile } from "../values.js";

/** What picks a design, a workload and a machine; shared by `fusemax schedule` and `fusemax trace`. */
export interface MachineOptions extends PhaseOptions, AccountingOptions, ArithmeticOptions, ScoreOptions {
  readonly schedule?: string;
  readonly batch?: number;
  readonly kvLens?: readonly number[];
  readonly leftPad?: readonly number[];
  readonly mask?: MaskOption;
  readonly set?: readonly Patch[];
  readonly heads?: number;
  readonly headDim?: number;
  readonly valueDim?: number;
  readonly array?: { readonly m0: number; readonly p0: number };
  readonly rmReturn?: string;
  readonly registers?: { readonly "2d": number; readonly "1d": number };
  readonly memory: "ideal" | "dram";
}

/** How much of the machine, its schedule or its specs the options set: with any, the design is not the paper's. */
export function settingsOf({ set = [], ...options }: ScheduleOptions | TraceOptions): number {
  const { schedule, array, rmReturn, registers, ports, lag } = options;
  return set.length + [schedule, array, rmReturn, registers, ports, lag].filter(given => given !== undefined).length;
}

export const unlimited = "unlimited";
export type Ports = number | typeof unlimited;

/** Adds the options, in the order of the help. */
export function machineOptions(command: Command): Command {
  for (const option of ownOptions()) command.addOption(option);
  maskOptions(command);
  scoreOptions(command);
  return accountingOptions(command).addOption(arithmeticOption()).addOption(formatOption()).addOption(settingsOption());
}

const ownOptions = (): readonly Option[] => [
  new Option("--schedule <name>", "a schedule of specs/schedules, or a YAML file, in place of the design's own"),
  parsed("--batch <n>", "batches (default: the model's)", parseModelSize),
  phaseOption(),
  queriesOption(),
  parsed("--kv-lens <list>", "a batch of these lengths, in place of --seq and --batch", parseLengths),
  parsed("--left-pad <list>", "keys of each sequence of the batch that are padding in front", parseLengths),
  parsed("--heads <n>", "heads (default: the model's)", parseModelSize),
  parsed("--head-dim <n>", "E (default: the model's)", parseModelSize),
  parsed("--value-dim <n>", "F (default: the model's)", parseModelSize),
  parsed("--array <rowsxcols>", "PEs of the 2D array (default: the design's)", parseTile),
  parsed(
    "--rm-return <how>",
    "RM's way back: columns, or through the buffer in so many cycles (default: the design's)",
    parseReturn,
  ),
  parsed("--registers <2d,1d>", "register-file entries of a 2D and a 1D PE (default: the design's)", parseRegisters),
  choice("--memory <kind>", "ideal: operands are always there; dram: from the design's DRAM channel", [
    "ideal",
    "dram",
  ]).default("dram"),
];

function parseReturn(option: string, text: string): string {
  if (text === "columns" || /^\d{1,6}$/.test(text)) return text;
  throw new UsageError({ where: option, got: `"${text}"`, expected: "columns or a number of cycles, such as 1" });
}

/** The lag of the letters that are `auto`, in epochs. */
export function parseLag(option: string, text: string): number {
  if (/^\d{1,2}$/.test(text) && Number(text) <= 64) return Number(text);
  throw new UsageError({ where: option, got: `"${text}"`, expected: "epochs from 0 to 64" });
}

function parseRegisters(option: string, text: string): { readonly "2d": number; readonly "1d": number } {
  const match = /^([1-9]\d{0,5}),([1-9]\d{0,5})$/.exec(text.replaceAll(" ", ""));
  if (match !== null) return { "2d": Number(match[1]), "1d": Number(match[2]) };
  throw new UsageError({ where: option, got: `"${text}"`, expected: "two numbers of entries, such as 10,32" });
}

/** Rows of the global buffer a cycle. */
export function parsePorts(option: string, text: string): Ports {
  if (text === unlimited) return unlimited;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new UsageError({ where: option, got: `"${text}"`, expected: "rows per cycle, such as 2, or unlimited" });
}

export const listOf =
  <T>(parse: (option: string, text: string) => T) =>
  (option: string, text: string): readonly T[] =>
    text.split(",").map(part => parse(option, part.trim()));

/** A..B, both included. */
export function parseRange(option: string, text: string): { readonly first: number; readonly last: number } {
  const match = /^(\d{1,15})(?:\.\.(\d{1,15}))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (match === null || first > last) {
    throw new UsageError({ where: option, got: `"${text}"`, expected: "FIRST..LAST, such as 4..9" });
  }
  return { first, last };
}

/** What `fusemax schedule` was asked for. */
export interface ScheduleOptions extends MachineOptions {
  readonly design: readonly string[];
  readonly model: readonly string[];
  readonly seq: readonly number[];
  readonly ports?: readonly Ports[];
  readonly lag?: readonly number[];
  readonly json?: boolean;
}

/** What `fusemax trace` was asked for. */
export interface TraceOptions extends MachineOptions {
  readonly design: string;
  readonly model: string;
  readonly seq: number;
  readonly layers?: string;
  readonly ports?: Ports;
  readonly lag?: number;
  readonly epochs?: { readonly first: number; readonly last: number };
  readonly out: readonly string[];
  readonly pe?: "strip" | "animated";
  readonly cycles?: { readonly first: number; readonly last: number };
}
