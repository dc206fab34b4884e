import type { Engine, Session } from "#fusemax/emulator/engine";
import { type BenchCase, flopsOf, operandsOf, problemOf } from "../cases.js";

/** What one attention took, in seconds. */
export interface Times {
  /** Everything: operands to the device and laid out there, the kernels, AV back. The kernels are compiled before. */
  readonly whole: number;
  /** The same again with the operands on the device as they are. */
  readonly resident: number;
}

/** Runs all rows of a session, as many requests at a time as it takes. */
async function runAll(session: Session, rows: number): Promise<number> {
  const startedAt = performance.now();
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < rows) {
      const range = { start: next, end: Math.min(rows, next + session.rowsPerRequest) };
      next = range.end;
      await session.run(range);
    }
  };
  await Promise.all(Array.from({ length: session.concurrency }, work));
  return (performance.now() - startedAt) / 1000;
}

/** Times one case: the median of as many runs as fit the time. */
export async function timesOf(engine: Engine, one: BenchCase, seconds: number): Promise<Times> {
  const problem = problemOf(one);
  const operands = operandsOf(one, engine.allocate);
  const warm = await engine.open(problem, operands);
  await warm.run({ start: 0, end: Math.min(one.seq, 1024) });
  await warm.close();
  const [whole, resident]: [number[], number[]] = [[], []];
  for (let spent = 0; whole.length < 5 && (whole.length === 0 || spent < seconds); ) {
    const startedAt = performance.now();
    const session = await engine.open(problem, operands);
    await runAll(session, one.seq);
    whole.push((performance.now() - startedAt) / 1000);
    resident.push(await runAll(session, one.seq));
    await session.close();
    spent += (performance.now() - startedAt) / 1000;
  }
  return { whole: medianOf(whole), resident: medianOf(resident) };
}

export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export const gflopsOf = (one: BenchCase, seconds: number): number => flopsOf(one) / seconds / 1e9;
