import type { Command } from "commander";
import { UsageError } from "../../errors.js";
import { specFiles } from "../../io/spec-files.js";
import type { Diagnosis } from "../../platform/doctor.js";
import { jsonText } from "../../report/finite.js";
import { loadArithmetic } from "../../spec/load.js";
import { parseName } from "../values.js";

interface DoctorOptions {
  readonly json?: boolean;
  readonly arithmetic?: string;
  readonly printKernel?: readonly string[];
}

export function register(program: Command): void {
  program
    .command("doctor")
    .description(
      "List adapters and engines and test whether each computes the bits of every arithmetic; 0 if at least one does.",
    )
    .option("--arithmetic <name>", "one arithmetic, by its name or .yaml file, in place of all of specs/arithmetic")
    .option(
      "--print-kernel <name...>",
      "print a kernel's whole WGSL and do nothing else: its name and an arithmetic, such as `attention-rows bf16` or `program fa4-fp8`",
    )
    .option("--json", "print the report as JSON")
    .action(async ({ json, arithmetic, printKernel }: DoctorOptions) => {
      if (printKernel !== undefined) return printText(printKernel);
      const names = arithmetic === undefined ? specFiles.names("arithmetic") : [arithmetic];
      const arithmetics = names.map(name => loadArithmetic(specFiles, name, "--arithmetic"));
      const { examine } = await import("../../platform/doctor.js");
      const print = (line: string): void => void process.stdout.write(`${line}\n`);
      const report = await examine(arithmetics, json ? undefined : diagnosis => print(text(diagnosis)));
      if (json) process.stdout.write(jsonText(report, 2));
      else for (const note of report.notes) print(`note: ${note}`);
      process.exitCode = report.trusted ? 0 : 2;
    });
}

async function printText([name = "", arithmetic = "bf16", ...more]: readonly string[]): Promise<void> {
  const { assembledKernel, assembledNames } = await import("../../emulator/webgpu/assembled.js");
  const { readShader } = await import("../../platform/shaders.js");
  if (more.length > 0) {
    const expected = "a kernel's name and an arithmetic";
    throw new UsageError({ where: "--print-kernel", got: `"${more.join(" ")}" after them`, expected });
  }
  const kernel = parseName("--print-kernel", name, assembledNames);
  const spec = loadArithmetic(specFiles, arithmetic, "--print-kernel");
  process.stdout.write(`${assembledKernel(kernel, spec, readShader)}\n`);
}

/** `webgpu on NAME (software): bf16 pass, …`, a failure on a line of its own. */
function text({ engine, adapter, arithmetics, trusted, seconds }: Diagnosis): string {
  const where = adapter === null ? "" : ` on ${adapter.name} (${adapter.kind}${adapter.bundled ? ", from npm" : ""})`;
  const entries = Object.entries(arithmetics);
  const passed = entries.filter(([, verdict]) => verdict === "pass").map(([name]) => name);
  const head = `${trusted ? "pass" : "FAIL"}  ${engine}${where}: ${passed.length} of ${entries.length} arithmetics`;
  const failed = entries.filter(([, verdict]) => verdict !== "pass");
  const reasons = new Set(failed.map(([, why]) => why));
  const failures =
    reasons.size === 1 && passed.length === 0
      ? [`      ${[...reasons].join()}`]
      : failed.map(([name, why]) => `      ${name}: ${why}`);
  return [`${head} give the contract's bits, ${seconds.toFixed(1)} s`, ...failures].join("\n");
}
