import type { ArithmeticSpec } from "fusemax";
import { specFiles } from "#fusemax/io/spec-files";
import { loadArithmetic as load } from "#fusemax/spec/load";

export const arithmeticNames: readonly string[] = specFiles.names("arithmetic");
export const loadArithmetic = (name: string): ArithmeticSpec => load(specFiles, name);
