import { noKeys } from "../../attention/key-range.js";
import { maskOf, sequenceOf } from "../../attention/mask.js";
import type { AttentionProblem, Operands } from "../../attention/problem.js";
import { rowAt } from "../../attention/rows.js";
import type { TileCoordinates } from "../../attention/tile.js";
import type { TileProgram } from "../../program/program.js";
import { writesOf } from "../../program/steps.js";
import type { Variable } from "../../program/variable.js";
import { isSplit, keyRuns } from "../kv-runs.js";
import { programToDump, tileKeys } from "../program-of.js";
import { requireTile } from "../tile-dump.js";
import { RowRunner, type RunOptions } from "./row-runner.js";

/** A tensor of a tile: of keys and queries [keys, queries], of F and queries [F, queries], or of queries. */
export interface DumpedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/**
 * Every tensor that a problem's cascade writes, for one tile, by its name: what is carried from tile to tile as it is after this
 * one, what a whole row makes as it is in the end. Entries of keys that a query does not see are +0, and so are those of the
 * tile where it sees no key of it. `exists` says which scores there are.
 * @throws InputError for coordinates outside the grid of tiles.
 */
export function dumpProgram(
  problem: AttentionProblem,
  operands: Operands,
  at: TileCoordinates,
): readonly DumpedTensor[] {
  requireTile(at, problem);
  const program = programToDump(problem);
  const { shape, tile } = problem;
  const m0 = Math.min(tile.m0, shape.keys);
  const first = at.m1 * m0;
  const keys = Math.min(m0, shape.keys - first);
  const queries = Math.min(tile.p0, shape.queries - at.p1 * tile.p0);
  const mask = maskOf(problem);
  const dump = new Dump(program, keys, queries, shape.valueDim);
  // What has no tiles of its own is walked in any; those that hold the wanted keys are looked at.
  const step = tileKeys(problem, program);
  const own = isSplit(problem) ? runOf(problem, at) : {};
  for (let p = 0; p < queries; p += 1) {
    const row = rowAt(shape, { b: at.b, h: at.h, p: at.p1 * tile.p0 + p });
    const runner = new RowRunner(problem, operands, program, {
      mostRows: 1,
      onTile: (pass, m1, memory, placeOf) => {
        const [below, above] = [(m1 + 1) * step <= first, m1 * step >= first + keys];
        if (program.descending ? below : above) return;
        const before = below || above;
        const made = new Set(pass.tile.flatMap(writesOf));
        for (const [i, variable] of program.variables.entries()) {
          const values = memory.values[i]?.values;
          if (values === undefined || !made.has(variable)) continue;
          if (before && !program.carried.has(variable)) continue;
          if (variable.axis === "key") {
            const placed = variable.life === "whole" ? (m: number) => m : placeOf;
            const [from, to] = [Math.max(first, m1 * step), Math.min(first + keys, (m1 + 1) * step)];
            for (let m = from; m < to; m += 1) {
              if (mask.sees(row, m)) dump.set(variable, m - first, p, values[placed(m)] as number);
            }
          } else if (variable.life === "whole") dump.set(variable, 0, p, values[m1] as number);
          else dump.setAll(variable, p, values);
        }
        if (before) return;
        for (let m = first; m < first + keys; m += 1) if (mask.sees(row, m)) dump.exists(m - first, p);
      },
      onEnd: memory => {
        for (const [i, variable] of program.variables.entries()) {
          if (dump.hasNot(variable) || program.carried.has(variable)) continue;
          const values = memory.values[i]?.values;
          if (variable.life === "row" && values !== undefined) dump.setAll(variable, p, values);
        }
      },
    });
    runner.run({ start: row, end: row + 1 }, new Float32Array(shape.valueDim), own);
  }
  return dump.tensors();
}

/** The run of split keys that holds a tile. */
function runOf(problem: AttentionProblem, { b, m1 }: TileCoordinates): RunOptions {
  const first = m1 * problem.tile.m0;
  const runs = keyRuns(problem, sequenceOf(problem, b).keys);
  const within = runs.find(run => run.from <= first && first < run.to) ?? noKeys;
  return { within, sunk: within.from > 0 };
}

class Dump {
  private readonly arrays = new Map<string, DumpedTensor>();
  private readonly there: Uint8Array;

  constructor(
    program: TileProgram,
    private readonly keys: number,
    private readonly queries: number,
    features: number,
  ) {
    this.there = new Uint8Array(keys * queries);
    for (const { tensor, axis } of program.variables) {
      if (tensor === null || tensor === program.query.tensor || this.arrays.has(tensor)) continue;
      const shape = axis === "row" ? [queries] : [axis === "key" ? keys : features, queries];
      const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
      this.arrays.set(tensor, { name: tensor, shape, values });
    }
  }

  hasNot({ tensor }: Variable): boolean {
    return tensor === null || !this.arrays.has(tensor);
  }

  set({ tensor }: Variable, i: number, p: number, value: number): void {
    const array = tensor === null ? undefined : this.arrays.get(tensor);
    if (array !== undefined) array.values[i * this.queries + p] = value;
  }

  setAll(variable: Variable, p: number, values: Float32Array): void {
    for (const [i, value] of values.entries()) this.set(variable, i, p, value);
  }

  exists(m: number, p: number): void {
    this.there[m * this.queries + p] = 1;
  }

  tensors(): readonly DumpedTensor[] {
    const shape = [this.keys, this.queries];
    return [...this.arrays.values(), { name: "exists", shape, values: Float32Array.from(this.there) }];
  }
}
