import { describe, expect, it } from "vitest";
import { finestOf, mostBeyond, nextLeft } from "../../../src/model/mapper/beyond.js";
import { nothing } from "../../../src/model/mapper/goal.js";
import type { BoundedBlock } from "../../../src/model/mapper/least.js";
import type { PassedTiling } from "../../../src/model/mapper/refine.js";
import { searchRounds } from "../../../src/model/mapper/search.js";
import { type SearchAnswer, Searcher, type SearchTask } from "../../../src/model/mapper/searcher.js";
import { problemOf } from "../small-machine.js";

// Where a budget finds nothing.

const block = (from: number, to: number): BoundedBlock => ({ from, to, bound: nothing });
const passed = (tiling: number, reason: PassedTiling["reason"]): PassedTiling => ({ tiling, bound: nothing, reason });

describe("the blocks that no other parts", () => {
  it("are the Einsums one by one where all may be cut apart", () => {
    const all = [block(0, 1), block(0, 2), block(0, 3), block(1, 2), block(1, 3), block(2, 3)];
    expect(finestOf(all).map(({ from, to }) => [from, to])).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
  });

  it("keep together what may not be cut apart", () => {
    const all = [block(0, 1), block(0, 3), block(1, 3)];
    expect(finestOf(all).map(({ from, to }) => [from, to])).toEqual([
      [0, 1],
      [1, 3],
    ]);
  });
});

describe("a budget that finds nothing", () => {
  it("goes on with the best and the last tiling in turn that it has not reached", () => {
    const list = [passed(4, "beaten"), passed(7, "left"), passed(1, "left"), passed(5, "left"), passed(2, "beaten")];
    expect([nextLeft(list, 0)?.tiling, nextLeft(list, 1)?.tiling]).toEqual([7, 5]);
    expect(nextLeft([passed(4, "beaten")], 0)).toBe(undefined);
  });

  const machine = { columns: 2, rows: 1, lanes: 1, bufferBytes: 64, bytesPerSecond: 1e10 };
  const sizes = { E: 1, F: 1, M: 3, queries: 2 };
  /** Searches a chain where tilings that are searched have a mapping only if they are asked for after so many others. */
  function searched(barren: number) {
    const searcher = new Searcher(problemOf(machine, "chain", sizes));
    const asked: SearchTask[] = [];
    const answer = (task: SearchTask): SearchAnswer => {
      if (task.kind === "tiling") asked.push(task);
      const found = searcher.answer(task);
      return task.kind === "tiling" && asked.length <= barren ? { ...found, found: [] } : found;
    };
    const rounds = searchRounds(searcher, { objective: "latency", budget: 2, width: 4 });
    let round = rounds.next([]);
    while (round.done !== true) round = rounds.next(round.value.tasks.map(answer));
    return { result: round.value, asked };
  }

  it("is gone beyond until there is a mapping of every Einsum, and no further", () => {
    const { result, asked } = searched(2);
    expect(result.report.beyondBudget).toBe(3);
    expect(result.report.tilings.visited).toBe(5);
    expect(asked.slice(2, 5).map(({ from, to }) => [from, to])).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
    expect(result.found.map(({ what }) => what.map(({ from }) => from))).toEqual([[0, 1, 2]]);
  });

  it("law: every tiling is counted once, however far it goes", () => {
    for (const barren of [0, 1000]) {
      const { report, found } = searched(barren).result;
      const { all, inBeatenBlocks, unfit, beaten, visited, left } = report.tilings;
      expect(inBeatenBlocks + unfit + beaten + visited + left).toBe(all);
      expect(found.length).toBe(barren === 1000 ? 0 : 1);
      expect(report.beyondBudget).toBeLessThanOrEqual(3 * mostBeyond);
    }
  });
});
