import { Option } from "commander";
import { type FormatName, formatNames } from "../numerics/format.js";
import type { NamedSpec } from "../spec/load.js";
import { conflict } from "./conflict.js";
import { parsed } from "./option.js";
import { parseName } from "./values.js";

/** What values are computed in, as the command line says it. */
export interface ArithmeticOptions {
  readonly arithmetic?: string;
  readonly format?: FormatName;
}

export const arithmeticOption = (): Option =>
  new Option(
    "--arithmetic <name>",
    "operands, scales, sums and exponentials: a name of specs/arithmetic, such as fa4-fp8, or a .yaml file (default: the design's, bf16)",
  );

export const formatOption = (): Option =>
  parsed("--format <name>", `short for the arithmetics ${formatNames.join(", ")}`, (option, text) =>
    parseName(option, text, formatNames),
  );

/** The arithmetic that stands in the place of the design's; undefined where none is named. @throws UsageError for two */
export function namedArithmetic({ arithmetic, format }: ArithmeticOptions): NamedSpec | undefined {
  if (arithmetic !== undefined && format !== undefined) {
    throw conflict("--format", "--arithmetic", "--format is the short name of five arithmetics");
  }
  if (arithmetic !== undefined) return { name: arithmetic, where: "--arithmetic" };
  return format === undefined ? undefined : { name: format, where: "--format" };
}
