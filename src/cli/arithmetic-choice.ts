import { type ArithmeticChoice, arithmeticNames } from "../einsum/arithmetic.js";
import { namesNear } from "../einsum/source.js";
import { UsageError } from "../errors.js";
import { specFiles } from "../io/spec-files.js";
import { loadArithmetic } from "../spec/load.js";

/** What `--arithmetic` names where float64 is among what can be taken. @throws UsageError, SpecError */
export function arithmeticChoice(text: string): ArithmeticChoice {
  const known = arithmeticNames.find(name => name.toLowerCase() === text.toLowerCase());
  if (known !== undefined) return known;
  const files = specFiles.names("arithmetic");
  if (/\.ya?ml$/i.test(text) || files.includes(text.toLowerCase())) {
    return loadArithmetic(specFiles, text, "--arithmetic");
  }
  throw new UsageError({
    where: "--arithmetic",
    got: text === "" ? "nothing" : `"${text}"`,
    expected: `one of ${namesNear(text, [...new Set([...arithmeticNames, ...files])], "specs/arithmetic")} or a .yaml file`,
  });
}

/** What it is called. */
export const choiceName = (choice: ArithmeticChoice): string => (typeof choice === "string" ? choice : choice.name);
