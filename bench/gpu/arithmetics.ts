import { specFiles } from "#fusemax/io/spec-files";
import type { ArithmeticSpec } from "#fusemax/numerics/arithmetic";
import { loadArithmetic as load } from "#fusemax/spec/load";

export const arithmeticNames: readonly string[] = specFiles.names("arithmetic");
export const loadArithmetic = (name: string): ArithmeticSpec => load(specFiles, name);
