import { expect } from "vitest";
import { allRows } from "../../src/attention/rows.js";
import type { Engine } from "../../src/emulator/engine.js";
import { bitsOf } from "../../src/numerics/rounding.js";
import type { Case } from "./arbitrary.js";

export interface Output {
  readonly av: Float32Array;
  /** RM and RD of each row, where the problem wants them. */
  readonly states: Float32Array;
  readonly overflowRow: number | null;
  readonly tiles: number | null;
}

/** Runs a case in requests of `rowsAtOnce` rows (all at once by default). */
export async function runCase(
  engine: Engine,
  { problem, operands }: Case,
  rowsAtOnce = Number.POSITIVE_INFINITY,
): Promise<Output> {
  const rows = allRows(problem).end;
  const { valueDim } = problem.shape;
  const av = new Float32Array(rows * valueDim);
  const states = new Float32Array(2 * rows);
  let overflowRow: number | null = null;
  let tiles: number | null = 0;
  const session = await engine.open(problem, operands);
  try {
    for (let start = 0; start < rows; start += rowsAtOnce) {
      const block = await session.run({ start, end: Math.min(rows, start + rowsAtOnce) });
      av.set(block.av, start * valueDim);
      if (block.states !== undefined) states.set(block.states, 2 * start);
      overflowRow ??= block.overflowRow;
      tiles = tiles === null || block.tiles === undefined ? null : tiles + block.tiles;
    }
  } finally {
    await session.close();
  }
  return { av, states, overflowRow, tiles };
}

const shown = (x: number): string => `0x${bitsOf(x).toString(16).padStart(8, "0")} ${x}`;

/** Equal in every bit; else says where, what was got and what was expected, with the neighbours. */
export function expectSameBits(got: Float32Array, expected: ArrayLike<number>, what = "output"): void {
  const wanted = Float32Array.from(expected);
  const a = new Uint32Array(got.buffer, got.byteOffset, got.length);
  const b = new Uint32Array(wanted.buffer);
  if (a.length !== b.length) expect.fail(`${what}: ${a.length} values; expected ${b.length}`);
  const at = a.findIndex((bits, i) => bits !== b[i]);
  if (at === -1) return;
  const different = a.reduce((n, bits, i) => n + (bits === b[i] ? 0 : 1), 0);
  const lines = Array.from({ length: Math.min(a.length, at + 3) - Math.max(0, at - 1) }, (_, j) => {
    const i = Math.max(0, at - 1) + j;
    return `${a[i] === b[i] ? " " : ">"} [${i}] ${shown(got[i] as number)} ; expected ${shown(wanted[i] as number)}`;
  });
  expect.fail(`${what}: ${different} of ${a.length} values differ, the first at ${at}:\n${lines.join("\n")}`);
}
