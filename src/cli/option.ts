import { Option } from "commander";
import { largestSize } from "../model/sizes.js";
import { parseName, parseSize } from "./values.js";

/** An option whose text `parse` makes a value; it is told the option's name, for what it has to say. */
export function parsed<T>(flags: string, words: string, parse: (option: string, text: string) => T): Option {
  const name = flags.split(" ")[0] ?? flags;
  return new Option(flags, words).argParser(text => parse(name, text));
}

/** An option with one of a few words, which its help lists. */
export function choice(flags: string, words: string, names: readonly string[]): Option {
  const name = flags.split(" ")[0] ?? flags;
  return new Option(flags, words).choices(names).argParser(text => parseName(name, text, names));
}

/** An option that may be given again. */
export class RepeatedOption extends Option {}

/** An option that may be given again; its values are gathered. */
export function repeated<T>(flags: string, words: string, parse: (option: string, text: string) => T): Option {
  const name = flags.split(" ")[0] ?? flags;
  return new RepeatedOption(flags, words).argParser((text, before?: readonly T[] | boolean) => [
    ...(Array.isArray(before) ? (before as readonly T[]) : []),
    parse(name, text),
  ]);
}

/** A size that the model takes. */
export const parseModelSize = (option: string, text: string): number => parseSize(option, text, largestSize);
