import { runCli } from "../../src/cli/program.js";
import { hasUnseen } from "../../src/errors.js";

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process; what it writes is kept. */
export async function command(args: readonly string[]): Promise<Ended> {
  const written = { stdout: "", stderr: "" };
  const streams = ["stdout", "stderr"] as const;
  const writes = streams.map(name => process[name].write);
  for (const name of streams) {
    process[name].write = ((text: unknown): boolean => {
      written[name] += String(text);
      return true;
    }) as typeof process.stdout.write;
  }
  try {
    return { code: await runCli(args), ...written };
  } finally {
    streams.forEach((name, i) => {
      process[name].write = writes[i] as typeof process.stdout.write;
    });
  }
}

/** What every command promises, whatever its input is. @throws Error that says which promise was broken. */
export function checkEnded({ code, stdout, stderr }: Ended, json: boolean): void {
  if (![0, 1, 2].includes(code)) throw new Error(`exit code ${code}: ${stderr.slice(0, 500)}`);
  if (stderr.length > 20_000) throw new Error(`${stderr.length} characters on stderr`);
  if (hasUnseen(stderr)) throw new Error(`control characters on stderr: ${JSON.stringify(stderr.slice(0, 500))}`);
  if (/\n\s+at |Error:|undefined|\[object/.test(stderr))
    throw new Error(`words of Node on stderr: ${stderr.slice(0, 500)}`);
  if (code === 2) {
    if (stdout !== "") throw new Error(`a refused input, and yet a result: ${stdout.slice(0, 200)}`);
    // A text's excerpt and the carets below it follow the line.
    if (!/^(fusemax: [^\n]+\n)+( {2}[^\n]*\n {2}\s*\^+\n)?$/.test(stderr))
      throw new Error(`not one line: ${stderr.slice(0, 500)}`);
  } else if (hasUnseen(stdout))
    throw new Error(`control characters on stdout: ${JSON.stringify(stdout.slice(0, 500))}`);
  if (code !== 2 && json) checkNumbers(JSON.parse(stdout));
}

/** No number that is none leaves a command: JSON would have null in its place. */
function checkNumbers(value: unknown): void {
  if (typeof value === "number" && !Number.isFinite(value)) throw new Error("a number that is none in the result");
  if (typeof value === "object" && value !== null) for (const inner of Object.values(value)) checkNumbers(inner);
}
