import { availableMemory } from "node:process";
import { UsageError } from "../errors.js";
import { bytesInWords } from "./values.js";

/** The program, an engine's kernels and what is under way: measured, see bench/README.md. */
const workingBytes = 300 * 2 ** 20;

/** Refuses what this machine has no memory for, before anything is allocated. @throws UsageError that says how much it needs */
export function requireFreeMemory(bytes: number, where: string, fix: string): void {
  const available = availableMemory();
  if (bytes + workingBytes <= available) return;
  const got = `sizes that need ${bytesInWords(bytes + workingBytes)} of memory`;
  throw new UsageError({ where, got, expected: `at most the ${bytesInWords(available)} that are free`, fix });
}
