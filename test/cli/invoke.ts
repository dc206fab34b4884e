import { vi } from "vitest";
import { runCli } from "../../src/cli/program.js";

export interface Invocation {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process and captures what it writes. */
export async function invoke(...args: readonly string[]): Promise<Invocation> {
  const written = { stdout: "", stderr: "" };
  const capture = (name: keyof typeof written) =>
    vi.spyOn(process[name], "write").mockImplementation(text => {
      written[name] += String(text);
      return true;
    });
  const spies = [capture("stdout"), capture("stderr")];
  try {
    const code = await runCli(args);
    return { code, ...written };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
