import { expect } from "vitest";
import type { RunResult } from "../../src/report/run-result.js";
import { invoke } from "./invoke.js";

/** Runs on the CPU engine with --json and gives the parsed result. */
export async function run(...args: readonly string[]): Promise<RunResult> {
  const { code, stdout, stderr } = await invoke("run", "--engine", "cpu", "--json", ...args);
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return JSON.parse(stdout) as RunResult;
}

/** The sha256 of AV. */
export const hashOf = async (...args: readonly string[]): Promise<string> => (await run(...args)).output.sha256;
