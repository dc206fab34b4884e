import { FusemaxError } from "../../src/errors.js";
import type { ArithmeticSpec } from "../../src/numerics/arithmetic.js";
import { loadArithmetic, type SpecSource } from "../../src/spec/load.js";
import { messageOf } from "../message.js";
import { bundledSpecs } from "../specs.js";
import type { State } from "../state.js";

/** The file that an arithmetic of the visitor's own is saved as. */
export const ownFile = "arithmetic.yaml";

export const arithmeticNames: readonly string[] = bundledSpecs.names("arithmetic");

/** The text that an arithmetic of one's own begins with. */
export const textOf = (name: string): string => bundledSpecs.read("arithmetic", name)?.text ?? "";

/**
 * Reads the visitor's own arithmetic.
 * @throws SpecError with line and column where it is none
 */
function readOwn(text: string): ArithmeticSpec {
  const source: SpecSource = {
    names: bundledSpecs.names,
    read: (kind, name) =>
      kind === "arithmetic" && name === ownFile ? { file: ownFile, text } : bundledSpecs.read(kind, name),
  };
  const own = loadArithmetic(source, ownFile);
  return arithmeticNames.includes(own.name) ? { ...own, name: own.name + edited } : own;
}

/** What an arithmetic of the visitor's own is called after where it has the name of one that ships. */
const edited = ", edited";

/** The name that is in an arithmetic's text. */
export const writtenName = (name: string): string => (name.endsWith(edited) ? name.slice(0, -edited.length) : name);

/** What is to be run, in order, and what is wrong with the visitor's own arithmetic. */
export interface Chosen {
  readonly arithmetics: readonly ArithmeticSpec[];
  readonly wrong: string | null;
}

export function chosenArithmetics({ arithmetics, ownArithmetic }: State): Chosen {
  const named = arithmetics.map(name => loadArithmetic(bundledSpecs, name));
  if (ownArithmetic === "") return { arithmetics: named, wrong: null };
  try {
    return { arithmetics: [...named, readOwn(ownArithmetic)], wrong: null };
  } catch (error) {
    if (!(error instanceof FusemaxError)) throw error;
    return { arithmetics: named, wrong: messageOf(error) };
  }
}
