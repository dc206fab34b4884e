import { emulateRows } from "#fusemax/emulator/emulate";
import type { Engine } from "#fusemax/emulator/engine";
import { type BenchCase, flopsOf, operandsOf, problemOf } from "./cases.js";
import type { Contender } from "./contenders.js";
import { openOnnxRuntime } from "./onnxruntime.js";
import { processorSeconds } from "./processor-time.js";

export interface Measurement {
  /** 4 P M E over the time, for each repetition. */
  readonly gflops: readonly number[];
  /**
   * The same over the time of the processors that the process had, times the contender's threads: what `gflops` would be on a
   * machine with nothing else to do, and steadier on a busy one.
   */
  readonly undisturbed: readonly number[];
  /** Largest resident memory of the process so far. */
  readonly peakMebibytes: number;
}

/** How long one repetition should take. Where all rows take longer, a part of them is timed. */
const secondsEach = 0.7;
const repetitions = 3;
/** Rows before a whole run, and seconds after which it is not repeated. */
const warmUpRows = 16384;
const secondsOfWhole = 5;

/** Times one contender on one case, warmed up, in this process, which should do nothing else. */
export async function measure(contender: Contender, one: BenchCase): Promise<Measurement> {
  const { open, threads } = contender;
  const engine = await open?.(one);
  const runRows = engine === undefined ? await openOnnxRuntime(one, threads) : engineRuns(engine, one);
  if (one.whole === true) {
    await runRows(Math.min(one.seq, warmUpRows));
    const gflops: number[] = [];
    const undisturbed: number[] = [];
    for (let spent = 0; gflops.length < repetitions && spent < secondsOfWhole; ) {
      const before = process.cpuUsage();
      const seconds = await timeOf(() => runRows(one.seq));
      gflops.push(flopsOf(one) / seconds / 1e9);
      undisturbed.push((flopsOf(one) * threads) / processorSeconds(before) / 1e9);
      spent += seconds;
    }
    await engine?.close();
    return { gflops, undisturbed, peakMebibytes: peakMebibytes() };
  }
  let rows = engine === undefined ? one.seq : Math.min(one.seq, 128 * threads);
  let seconds = await timeOf(() => runRows(rows));
  for (let i = 0; i < 3 && seconds < secondsEach / 2 && rows < one.seq; i += 1) {
    rows = Math.min(one.seq, Math.ceil((rows * secondsEach) / seconds / 256) * 256);
    seconds = await timeOf(() => runRows(rows));
  }
  const gflops: number[] = [];
  const undisturbed: number[] = [];
  while (gflops.length < repetitions) {
    let runs = 0;
    let spent = 0;
    const before = process.cpuUsage();
    while (spent < secondsEach) {
      spent += await timeOf(() => runRows(rows));
      runs += 1;
    }
    gflops.push((flopsOf(one, rows) * runs) / spent / 1e9);
    undisturbed.push((flopsOf(one, rows) * runs * threads) / processorSeconds(before) / 1e9);
  }
  await engine?.close();
  return { gflops, undisturbed, peakMebibytes: peakMebibytes() };
}

/** Turns that two cases take in one process, seconds of each, and how often each runs before: printed code is compiled again. */
const turns = 5;
const secondsOfTurn = 0.3;
const warmUps = 8;
/** Rows of what is not run whole. */
const rowsOfSlow = 512;

/** Times a case and another in turns on one engine, in this process: what else the machine does falls on both. */
export async function measureInTurns(contender: Contender, one: BenchCase, base: BenchCase): Promise<Turns> {
  const { open, threads } = contender;
  if (open === undefined) throw new Error(`${contender.name} has no engine`);
  const engine = await open(one);
  const speeds = await Promise.all(
    [one, base].map(async of => {
      const runRows = engineRuns(engine, of);
      const rows = of.whole === true ? of.seq : Math.min(of.seq, rowsOfSlow);
      await runRows(rows);
      return { of, rows, run: () => runRows(rows), gflops: [] as number[] };
    }),
  );
  for (let i = 0; i < warmUps; i += 1) for (const { run } of speeds) await run();
  for (let turn = 0; turn < turns; turn += 1) {
    for (const { of, rows, run, gflops } of speeds) {
      const before = process.cpuUsage();
      let [runs, spent] = [0, 0];
      for (; spent < secondsOfTurn; runs += 1) spent += await timeOf(run);
      gflops.push((flopsOf(of, rows) * runs * threads) / processorSeconds(before) / 1e9);
    }
  }
  await engine.close();
  const [own, other] = speeds;
  return { undisturbed: own?.gflops ?? [], base: other?.gflops ?? [] };
}

export interface Turns {
  /** GFLOP/s as `Measurement.undisturbed`, turn by turn. */
  readonly undisturbed: readonly number[];
  readonly base: readonly number[];
}

const peakMebibytes = (): number => process.resourceUsage().maxRSS / 1024;

async function timeOf(run: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await run();
  return (performance.now() - startedAt) / 1000;
}

/** Runs some of the queries against all keys. */
function engineRuns(engine: Engine, one: BenchCase): (rows: number) => Promise<unknown> {
  const { shape, ...problem } = problemOf(one);
  const operands = operandsOf(one, engine.allocate);
  return rows =>
    emulateRows(
      { ...problem, shape: { ...shape, queries: rows } },
      { ...operands, q: operands.q.subarray(0, rows * one.dim) },
      { engine, onBlock: () => {} },
    );
}
