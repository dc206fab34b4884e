import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { costCommands } from "../../explorer/cost/command.js";
import { computeCost } from "../../explorer/cost/designs.js";
import { otherDesigns } from "../../explorer/design/names.js";
import { initialState, type State } from "../../explorer/state.js";
import { gridOf, sweepCommand } from "../../explorer/sweep/grid.js";
import { parseCsv } from "../../src/io/csv.js";
import type { ModelResult } from "../../src/report/model-result.js";
import { invoke } from "../cli/invoke.js";

const argumentsOf = (command: string): readonly string[] =>
  [...command.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word).slice(2);

describe("shipped designs that are not the paper's", () => {
  test.each<[string, Partial<State>]>([
    ["their own hardware", {}],
    ["hardware that is set, whatever their levels are called", { bandwidth: 800, buffer: 2, frequency: 470 }],
  ])("law: on %s they cost what the commands print", async (_, settings) => {
    const state: State = { ...initialState, designs: otherDesigns, seq: 4096, batch: 1, ...settings };
    const printed: ModelResult[] = [];
    for (const command of costCommands(state)) {
      const { code, stdout, stderr } = await invoke(...argumentsOf(command), "--json");
      if (code !== 0) throw new Error(stderr);
      printed.push(...(JSON.parse(stdout) as { readonly results: readonly ModelResult[] }).results);
    }
    expect(printed.map(({ design }) => design).sort()).toEqual([...otherDesigns].sort());
    for (const { design, cycles, trafficBytes, energyPj, areaUm2, utilization, bound } of printed) {
      const cost = computeCost({ design, seq: state.seq, state });
      expect(cost, design).toMatchObject({ cycles, trafficBytes, utilization, bound });
      expect(typeof cost === "string" ? cost : [cost.energyPj, cost.areaUm2], design).toEqual([energyPj, areaUm2]);
    }
  });

  test("say why a setting means nothing to them", () => {
    const state: State = { ...initialState, designs: ["a100"], rows: 128 };
    expect(computeCost({ design: "a100", seq: 4096, state })).toMatch(/got the field 'architecture.parameters.rows'/);
  });

  test("law: a sweep of one has the points of its command, its own hardware's among them", async () => {
    const state: State = {
      ...initialState,
      ...{ sweepDesign: "tpu-v4", sweepX: "rows", sweepY: "frequency", seq: 4096, batch: 1 },
    };
    const grid = gridOf(state);
    expect(grid.current).toBe(-1); // which of the cells is its own the settings do not say
    const own = grid.requests.map(request => computeCost(request));
    const folder = mkdtempSync(join(tmpdir(), "fusemax-"));
    const file = join(folder, "sweep.csv");
    const command = sweepCommand(state, grid)?.replace("sweep.csv", file) ?? "";
    const { code, stderr } = await invoke(...argumentsOf(command));
    if (code !== 0) throw new Error(stderr);
    const { columns, rows } = parseCsv(readFileSync(file, "utf8"));
    rmSync(folder, { recursive: true });
    const latencies = rows.map(row => Number(row[columns.indexOf("latencySeconds")]));
    const shown = own.flatMap(cost => (typeof cost === "string" ? [] : [cost.latencySeconds]));
    expect(shown.length).toBeGreaterThan(own.length / 4); // few rows hold no head's width
    expect([...shown].sort((a, b) => a - b)).toEqual(latencies.filter(Boolean).sort((a, b) => a - b));
  });
});
