import type { Operands } from "../../attention/problem.js";
import { allRows, type RowRange } from "../../attention/rows.js";
import type { EmulationRun } from "../../emulator/emulate.js";
import { emulateRows } from "../../emulator/emulate.js";
import { howMany } from "../../errors.js";
import type { RowsFile } from "../../io/rows-file.js";
import type { ChosenEngine } from "../../platform/choose-engine.js";
import { onInterrupt } from "../interrupt.js";
import { startProgress } from "../progress.js";
import { bytesInWords } from "../values.js";
import type { RunOptions } from "./options.js";
import type { RunPlan } from "./plan.js";

export interface FinishedRun extends EmulationRun {
  /** AV [B,H,P,F] in accumulator values, or those of its rows that were wanted. */
  readonly av: Float32Array;
  /** RM and RD of each row, [B,H,P,2], where they are wanted. */
  readonly states: Float32Array | null;
  readonly resumedRows: number;
  /** Of all rows, those of the file of --resume included. */
  readonly saturated: number;
}

/** The rows of a run, and where those that are finished are kept. */
export interface RowsWork {
  readonly range: RowRange;
  readonly file: string | undefined;
  /** What the file belongs to beside the problem and its operands. */
  readonly part?: string;
}

/** Emulates rows, or those that the file of finished ones does not hold yet, with progress on stderr. */
export async function emulatePlan(
  { problem }: RunPlan,
  operands: Operands,
  chosen: ChosenEngine,
  options: RunOptions,
  note: (line: string) => void,
  { range: wanted, file: kept, part }: RowsWork = { range: allRows(problem), file: options.resume },
): Promise<FinishedRun> {
  const rows = wanted.end - wanted.start;
  const width = problem.shape.valueDim;
  const av = new Float32Array(rows * width);
  const states = problem.states === true ? new Float32Array(2 * rows) : null;
  const file = await openRows();
  const resumedRows = file?.finished.reduce((sum, { start, end }) => sum + end - start, 0) ?? 0;
  let rowsDone = resumedRows;
  const forget = onInterrupt(() => {
    if (file !== null) note(`${rowsDone} of ${howMany(rows, "row")} ${rows === 1 ? "is" : "are"} kept in ${kept}`);
  });
  const progress = await startProgress(
    `emulating on ${chosen.engine.name}`,
    "rows",
    rows,
    options.json === true,
    resumedRows,
  );
  try {
    const run = await emulateRows(problem, operands, {
      engine: chosen.engine,
      range: wanted,
      ...(chosen.fallback === undefined ? {} : { fallback: chosen.fallback }),
      onFallback: (lost, next) =>
        note(`${lost.message}; going on with engine ${next.name} from row ${rowsDone} of ${rows}`),
      finished: file?.finished ?? [],
      onBlock: async ({ range, av: block, states: ofBlock, saturated = 0 }) => {
        if (ofBlock !== undefined) states?.set(ofBlock, 2 * (range.start - wanted.start));
        av.set(block, (range.start - wanted.start) * width);
        await file?.append({ ...range, saturated }, block);
      },
      onProgress: done => {
        rowsDone = done.rowsDone;
        progress.update(rowsDone);
      },
    });
    return { ...run, saturated: run.saturated + (file?.saturated ?? 0), av, states, resumedRows };
  } finally {
    progress.stop();
    forget();
    await file?.close();
  }

  async function openRows(): Promise<RowsFile | null> {
    if (kept === undefined) return null;
    const { openRowsFile } = await import("../../io/rows-file.js");
    const { runIdentity } = await import("../../io/run-identity.js");
    const identity = { ...(await runIdentity(problem, operands)), ...(part === undefined ? {} : { part }) };
    const opened = await openRowsFile(kept, identity, { first: wanted.start, width, values: av });
    const found = opened.finished.reduce((sum, { start, end }) => sum + end - start, 0);
    if (found > 0)
      note(`going on from ${kept}: ${found} of ${howMany(rows, "row")} ${rows === 1 ? "is" : "are"} finished`);
    if (opened.droppedBytes > 0) {
      note(`${kept}: ${bytesInWords(opened.droppedBytes)} cut short or damaged, computed again`);
    }
    return opened;
  }
}
