import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processorSeconds } from "../../bench/processor-time.js";
import { FusemaxError, hasUnseen } from "../../src/errors.js";
import type { Random } from "./random.js";

/** One kind of input: how to make one, and what may come of it. */
export interface Target {
  readonly name: string;
  /** Makes an input and tries it. @throws what is a violation: anything that is no error of ours, or a promise broken. */
  readonly attempt: (random: Random, folder: string) => Promise<void>;
  /** How many inputs the short run tries. */
  readonly few: number;
}

/** Work that may refuse its input in words, and may not fail otherwise. */
export async function refusingInWords(work: () => unknown): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof FusemaxError)) throw error;
    if (hasUnseen(error.message) || /\n/.test(error.message) || error.message.length > 4000) {
      throw new Error(`an error that is no line: ${JSON.stringify(error.message.slice(0, 500))}`);
    }
  }
}

export interface Violation {
  readonly target: string;
  readonly seed: number;
  readonly index: number;
  readonly message: string;
}

/** Longest that one input may take, in seconds of the processor: the file's load on the machine does not count. */
const mostSeconds = 5;

/** Tries one input. Returns what was wrong, or null. */
export async function tryInput(target: Target, random: Random): Promise<string | null> {
  const folder = mkdtempSync(join(tmpdir(), "fusemax-fuzz-"));
  const began = process.cpuUsage();
  try {
    await target.attempt(random, folder);
    const seconds = processorSeconds(began);
    return seconds > mostSeconds ? `took ${seconds.toFixed(1)} s` : null;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message).slice(0, 2000) : String(error);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
