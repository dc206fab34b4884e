import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { listAdapters } from "fusemax/node";
import type { Adapter } from "#fusemax/platform/adapters";
import { markdown, type Report, type StepOutcome } from "./markdown.js";
import { steps } from "./sections.js";
import type { Section } from "./step.js";

/**
 * `npm run gpu:report -- --out DIR [--peak TFLOPS] [--rehearse]`: everything that a day with a GPU should tell, in under eight
 * minutes, as DIR/report.md and DIR/report.json. Parts that DIR/report.json has already are not run again. `--rehearse`
 * takes a software adapter and short lengths.
 */
const { values: options } = parseArgs({
  options: {
    out: { type: "string" },
    peak: { type: "string" },
    rehearse: { type: "boolean", default: false },
    only: { type: "string" },
    step: { type: "string" },
  },
});

/** All of it has to be done within this; a rehearsal may take its time, since software adapters compile for minutes. */
const limitSeconds = options.rehearse ? 7200 : 470;
const patience = options.rehearse ? 10 : 1;

const fail = (message: string): never => {
  console.error(message);
  process.exit(2);
};

const peakTflops = options.peak === undefined ? null : Number(options.peak);
if (peakTflops !== null && !(peakTflops > 0)) fail(`--peak: got ${options.peak}; expected TFLOP/s, such as 60`);

if (options.step !== undefined) await runStep(options.step);
else await runReport(options.out ?? fail("--out: got nothing; expected a folder for report.md and report.json"));

async function adapterHere(): Promise<Adapter> {
  const { adapters, notes } = await listAdapters();
  const found = adapters.find(({ hardware }) => hardware || options.rehearse);
  return found ?? fail(`no hardware adapter; ${notes.join("; ")}; --rehearse takes a software adapter`);
}

/** In a process of its own: one part, as JSON on stdout. */
async function runStep(name: string): Promise<void> {
  const step = steps.find(known => known.name === name) ?? fail(`no step ${name}`);
  const section = await step.run({ adapter: await adapterHere(), rehearsal: options.rehearse, peakTflops });
  process.stdout.write(JSON.stringify(section), () => process.exit(0));
}

async function runReport(folder: string): Promise<void> {
  const startedAt = performance.now();
  const { name, hardware } = await adapterHere();
  const { version } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as {
    readonly version: string;
  };
  const identity = { version, adapter: name, rehearsal: options.rehearse, peakTflops };
  const file = join(folder, "report.json");
  mkdirSync(folder, { recursive: true });
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Report) : null;
  const goesOn = before !== null && JSON.stringify(before.identity) === JSON.stringify(identity);
  if (before !== null && !goesOn) fail(`${file}: is of another adapter, version or setting; move it away`);
  const machine = `${cpus()[0]?.model.trim() ?? "unknown processor"}, ${cpus().length} threads, Node ${process.version}`;
  let report: Report = before ?? {
    schema: "fusemax.gpu-report/1",
    identity,
    hardware,
    machine,
    date: new Date().toISOString(),
    outcomes: [],
  };
  const wanted = options.only?.split(",");
  for (const step of steps) {
    if (wanted !== undefined && !wanted.includes(step.name)) continue;
    const known = report.outcomes.find(outcome => outcome.name === step.name);
    if (known?.section !== undefined) continue;
    const left = limitSeconds - (performance.now() - startedAt) / 1000;
    const outcome: StepOutcome =
      left < 10
        ? { name: step.name, problem: "not run: no time was left; run the command again" }
        : await inProcess(step.name, Math.min(left, patience * step.limitSeconds));
    console.error(`${step.name}: ${outcome.problem ?? outcome.section?.says ?? ""}`);
    const others = report.outcomes.filter(other => other.name !== step.name);
    report = { ...report, outcomes: [...others, outcome] };
    write(folder, report);
  }
  write(folder, report);
}

/** Both files appear whole. */
function write(folder: string, report: Report): void {
  for (const [name, text] of [
    ["report.json", `${JSON.stringify(report, null, 2)}\n`],
    ["report.md", markdown(report)],
  ] as const) {
    const path = join(folder, name);
    writeFileSync(`${path}.partial`, text);
    renameSync(`${path}.partial`, path);
  }
}

function inProcess(name: string, seconds: number): Promise<StepOutcome> {
  const args = [fileURLToPath(import.meta.url), "--step", name];
  if (options.rehearse) args.push("--rehearse");
  if (options.peak !== undefined) args.push("--peak", options.peak);
  return new Promise(resolve => {
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    const texts = { out: "", err: "" };
    child.stdout.on("data", (piece: Buffer) => {
      texts.out += piece.toString();
    });
    child.stderr.on("data", (piece: Buffer) => {
      texts.err += piece.toString();
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), 1000 * seconds);
    const startedAt = performance.now();
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      const took = (performance.now() - startedAt) / 1000;
      const last = texts.err.trim().split("\n").slice(-3).join("; ").slice(0, 400);
      if (code === 0) resolve({ name, seconds: took, section: JSON.parse(texts.out) as Section });
      else if (signal === "SIGKILL") resolve({ name, problem: `ended after ${took.toFixed(0)} s; ${last}` });
      else resolve({ name, problem: `failed (${signal ?? `exit code ${code}`}): ${last}` });
    });
  });
}
