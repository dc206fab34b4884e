import { execFile } from "node:child_process";
import { cpus, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { formatNames, textTable } from "fusemax";
import { arithmeticCases } from "./arithmetics.js";
import { allCases, type BenchCase, nameOf } from "./cases.js";
import { type Contender, contenders, onnxRuntime, twin } from "./contenders.js";
import { type Measurement, measure, measureInTurns, type Turns } from "./measure.js";
import { installOnnxRuntime } from "./onnxruntime.js";
import { phasesOf } from "./phases.js";
import { floors, onCascade, programCascades, programCase, programContenders } from "./programs.js";

/**
 * `npm run bench`: one table of this machine. Every measurement has a process to itself; the contenders take turns for
 * `--rounds` rounds, and the median counts, so that what else the machine does falls on all of them.
 * `--programs`: only printed programs beside the kernels written by hand, with their floors; `--arithmetics`: only other arithmetics
 * beside bf16, with theirs. A card has a report of its own: `npm run gpu:report`.
 */
const { values: options } = parseArgs({
  options: {
    programs: { type: "boolean", default: false },
    arithmetics: { type: "boolean", default: false },
    seq: { type: "string" },
    dim: { type: "string" },
    format: { type: "string" },
    only: { type: "string" },
    rounds: { type: "string", default: "3" },
    one: { type: "string" },
  },
});

if (options.one !== undefined) await measureOne(options.one);
else if (options.programs) await printPrograms();
else if (options.arithmetics) await printArithmetics();
else await printTable();

/** In a process of its own: the contender and the case come and the measurement goes as JSON. */
async function measureOne(json: string): Promise<void> {
  const { name, one, base } = JSON.parse(json) as Apart;
  const all = [...(await contenders()).found, ...(await programContenders())];
  const contender = all.find(candidate => candidate.name === name);
  if (contender === undefined) throw new Error(`no contender ${name}`);
  const measurement = await (base === undefined ? measure(contender, one) : measureInTurns(contender, one, base));
  process.stdout.write(JSON.stringify(measurement), () => process.exit(0));
}

/** What a process of its own is asked to time: a case, or one and another in turns. */
interface Apart {
  readonly name: string;
  readonly one: BenchCase;
  readonly base?: BenchCase;
}

async function inProcess(apart: Apart): Promise<unknown> {
  const args = [fileURLToPath(import.meta.url), "--one", JSON.stringify(apart)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout);
}

const measureApart = async ({ name }: Contender, one: BenchCase): Promise<Measurement> =>
  (await inProcess({ name, one })) as Measurement;

async function printTable(): Promise<void> {
  const { found, notes } = await contenders();
  for (const note of notes) console.error(note);
  const failure = installOnnxRuntime();
  if (failure !== null) console.error(`onnxruntime is left out: its installation failed (${failure})`);
  const running = found
    .filter(contender => failure === null || contender !== onnxRuntime)
    .filter(({ name }) => options.only === undefined || options.only.split(",").some(part => name.includes(part)));
  printMachine();
  const columns = ["tokens, E, format", "contender", "GFLOP/s", "spread", "/ twin", "/ onnxruntime", "peak MiB"];
  const rows: (readonly (string | number)[])[] = [];
  for (const one of selectedCases()) rows.push(...(await rowsOf(one, running)));
  console.log(textTable({ columns, rows }));
  if (options.only === undefined) {
    console.log(`\n${textTable(await phaseTable())}`);
    await printPrograms();
    await printArithmetics();
  }
}

/**
 * Printed programs beside the kernels written by hand, and the floors that they have to reach: judged by what each did in the
 * processor time that it had, since other work on the machine would decide else.
 */
async function printPrograms(): Promise<void> {
  const all = await programContenders();
  const measured = new Map<string, number>();
  const rows: (readonly (string | number)[])[] = [];
  for (const cascade of programCascades) {
    const one = onCascade(programCase, cascade);
    for (const contender of all) {
      // Kernels written by hand are for FuseMax's own cascade alone, and an adapter takes long over every other.
      const byHand = contender.name.endsWith("by hand");
      if ((byHand || contender.name.startsWith("webgpu")) && cascade !== "attention-1-pass") continue;
      console.error(`${nameOf(one)}, ${cascade}: ${contender.name}`);
      const measurement = await measureApart(contender, one);
      const gflops = median(measurement.undisturbed);
      measured.set(`${cascade} ${contender.name}`, gflops);
      const hand = measured.get(`${cascade} ${contender.name.replace("printed", "by hand")}`);
      const ratio = byHand || hand === undefined ? Number.NaN : gflops / hand;
      const isWasm = contender.name.startsWith("wasm");
      const [value, floor] = isWasm ? [gflops, floors.wasm] : [ratio, floors.webgpu];
      const verdict = byHand ? "-" : `${value >= floor ? "above" : "BELOW"} ${floor}${isWasm ? "" : " x by hand"}`;
      rows.push([
        cascade,
        contender.name,
        median(measurement.gflops).toPrecision(3),
        gflops.toPrecision(3),
        Number.isNaN(ratio) ? "-" : ratio.toPrecision(2),
        verdict,
      ]);
    }
  }
  const columns = [`${nameOf(programCase)}, cascade`, "engine", "GFLOP/s", "undisturbed", "/ by hand", "floor"];
  console.log(`\n${textTable({ columns, rows })}`);
}

/**
 * Arithmetics beside bf16, and the floors that they have to reach: WebAssembly on all threads, and WGSL on each adapter. Judged
 * as printed programs are, in turns with bf16 in one process, since what else the machine does moves both.
 */
async function printArithmetics(): Promise<void> {
  const { found } = await contenders();
  const wanted = found.filter(
    ({ name, threads }) =>
      name.startsWith("webgpu") || (name.startsWith("wasm") && threads > 1 && !name.includes("not")),
  );
  const running = wanted.filter(({ name }) => options.only?.split(",").some(part => name.includes(part)) ?? true);
  const rows: (readonly (string | number)[])[] = [];
  for (const contender of running) {
    for (const one of arithmeticCases) {
      console.error(`${one.name}: ${contender.name}`);
      const turns = (await inProcess({ name: contender.name, one, base: programCase })) as Turns;
      const gflops = median(turns.undisturbed);
      const share = median(turns.undisturbed.map((speed, i) => speed / (turns.base[i] ?? Number.NaN)));
      const floor = contender.name.startsWith("wasm") ? one.floor.wasm : one.floor.webgpu;
      const value = one.floor.of === "bf16" ? share : gflops;
      const unit = one.floor.of === "bf16" ? " x bf16" : " GFLOP/s";
      const verdict = one.name === "bf16" ? "-" : `${value >= floor ? "above" : "BELOW"} ${floor}${unit}`;
      rows.push([one.name, contender.name, gflops.toPrecision(3), share.toPrecision(2), verdict]);
    }
  }
  const columns = ["4K 64, arithmetic", "engine", "GFLOP/s, undisturbed", "/ bf16", "floor"];
  console.log(`\n${textTable({ columns, rows })}`);
}

function printMachine(): void {
  const processor = cpus()[0]?.model.trim() ?? "unknown processor";
  const memory = Math.round(totalmem() / 2 ** 30);
  console.log(`${processor}, ${cpus().length} threads, ${memory} GiB, Node ${process.version}`);
  console.log("GFLOP/s = 4 P M E / time, one head, E = F, array 256x256, inputs in memory, kernels compiled\n");
}

function selectedCases(): readonly BenchCase[] {
  const wanted = (list: string | undefined, value: string): boolean => list?.split(",").includes(value) ?? true;
  const cases = allCases.filter(
    ({ seq, dim, format }) =>
      wanted(options.seq, `${seq / 1024}K`) && wanted(options.dim, String(dim)) && wanted(options.format, format),
  );
  if (cases.length > 0) return cases;
  throw new Error(`no such case: --seq 1K,4K,16K --dim 64,128 --format ${formatNames.slice(0, 2).join(",")}`);
}

async function rowsOf(one: BenchCase, running: readonly Contender[]): Promise<(readonly (string | number)[])[]> {
  const gflops = new Map<Contender, number[]>(running.map(contender => [contender, []]));
  const peaks = new Map<Contender, number>();
  for (let round = 0; round < Number(options.rounds); round += 1) {
    for (const contender of running) {
      console.error(`${nameOf(one)}, round ${round + 1}: ${contender.name}`);
      const measurement = await measureApart(contender, one);
      gflops.get(contender)?.push(...measurement.gflops);
      peaks.set(contender, Math.max(peaks.get(contender) ?? 0, measurement.peakMebibytes));
    }
  }
  const medianOf = (contender: Contender): number => median(gflops.get(contender) ?? []);
  const ratio = (a: number, b: number): string => (Number.isFinite(a / b) ? (a / b).toPrecision(3) : "-");
  return running.map(contender => {
    const all = gflops.get(contender) ?? [];
    const middle = median(all);
    return [
      nameOf(one),
      contender.name,
      middle.toPrecision(3),
      `${Math.min(...all).toPrecision(3)} to ${Math.max(...all).toPrecision(3)}`,
      ratio(middle, medianOf(twin)),
      ratio(middle, medianOf(onnxRuntime)),
      Math.round(peaks.get(contender) ?? Number.NaN),
    ];
  });
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

async function phaseTable() {
  const percent = (part: number): string => `${(100 * part).toFixed(0)}%`;
  const rows: string[][] = [];
  for (const format of formatNames) {
    for (const dim of [64, 128]) {
      const { products, exponentials, rest } = await phasesOf({ seq: 4096, dim, format });
      rows.push([`4K ${dim} ${format}`, percent(products), percent(exponentials), percent(rest)]);
    }
  }
  return { columns: ["one wasm thread", "products", "maximum, E2 and sum", "packing and update"], rows };
}
